import CommandLanguage
import TestSupport

/// Names of things that may exist, and expressions of them.
enum RandomNames {
  static let own = [
    "a", "b", "y", "w", "x", "t", "1a", "a-b", "é", "clean", "loss", "b1", "sum", "_",
  ]
  static let layers = [
    "b1", "b2", "b3", "c1", "c2", "c3", "b1.conv1", "b2.conv2", "b1.project", "net",
  ]
  static let stacks = ["clean", "noisy", "denoised", "baseline"]
  static let parts = ["weight", "bias", "z", "a", "in", "out", "skip"]
  static let suffixes = [
    ".grad", ".grad.standard", ".grad.tape", ".grad.dilated", ".grad.mild", ".m", ".v", ".update",
    ".before", ".min", ".nan", ".grad.grad", ".x",
  ]
  static let functions = [
    "sum", "mean", "relu", "conv", "sigmoid", "tanh", "elu", "arctan", "leaky-relu", "max", "f",
  ]
}

extension RandomValues {
  /// A name, with or without an index; mostly one that there may well be.
  mutating func thing() -> String { dice.next(3) > 0 ? likely() : anything() }

  private mutating func likely() -> String {
    switch dice.next(8) {
    case 0...3:
      let slice = "\(dice.pick(RandomNames.stacks))[\(dice.next(4))"
      return slice + dice.pick(["]", "]", ", 2:10, 2:10]", ", 5]", ", 3, 7]"])
    case 4...6:
      let part = dice.pick(["weight", "bias", "z", "a", "in", "out"])
      let layer = dice.pick(part == "out" ? ["b1", "c1", "c2"] : ["b1.conv1", "c1", "c1", "c2"])
      let suffix = dice.pick(["", "", ".grad", ".grad", ".update", ".grad.tape"])
      let index = dice.pick([
        "", "[0]", "[0,0]", "[0,0,1,1]", "[0,0,\(dice.next(3)),2]", "[0,0,0:2]",
      ])
      return "\(layer).\(part)\(suffix)\(index)"
    default: return dice.pick(["a", "y", "w", "y.1", "a.grad", "loss", "net.out[0,0]"])
    }
  }

  private mutating func anything() -> String {
    var name =
      switch dice.next(20) {
      case 0...7: dice.pick(RandomNames.stacks)
      case 8, 9: dice.pick(["net.in", "net.out", "loss", "net"])
      case 10...12: dice.pick(["a", "b", "y", "w", "x", "y.1"])
      case 13: odd()
      default: dice.pick(RandomNames.layers) + "." + dice.pick(RandomNames.parts)
      }
    if dice.next(3) == 0 { name += dice.pick(RandomNames.suffixes) }
    if dice.next(15) == 0 { name = dice.pick(["main/", "second/", "nope/"]) + name }
    return name + index()
  }

  /// An index, mostly within bounds, or none.
  mutating func index() -> String {
    guard dice.next(3) > 0 else { return "" }
    let entries = (0...dice.next(dice.next(8) == 0 ? 7 : 4)).map { _ in entry() }
    return "[\(entries.joined(separator: dice.pick([",", ", "])))]"
  }

  private mutating func entry() -> String {
    switch dice.next(14) {
    case 0...7: "\(dice.next(4))"
    case 8, 9: "\(dice.next(4)):\(dice.next(16))"
    case 10: ":"
    case 11: "-\(dice.next(4))"
    case 12:
      dice.pick(["99", "9223372036854775807", "1e3", "a", "", "-", "0:", "1:1", ":3", "0 0"])
    default: "\(dice.next(20))"
    }
  }

  // MARK: - Expressions

  /// What follows `=`, or the rest of a line.
  mutating func text(_ parameter: Parameter, of spec: CommandSpec) -> String {
    switch spec.name {
    case "let":
      dice.pick([
        "1", "40HU", "\"a b\"", "$a", "$a$a", "${b}", "x", "\"quoted $a\"", "'single $a'",
        "clean[0]", "noise gaussian", "漢", number(),
      ])
    case "break": condition()
    case "expect": comparison()
    default: expression(ofTensors: spec.name != "answer")
    }
  }

  private mutating func comparison() -> String {
    let left = expression(ofTensors: false)
    guard dice.next(8) > 0 else { return left }
    let relation = dice.pick(["=", "<", ">", "<=", ">=", "!=", "=="])
    return "\(left) \(relation) \(expression(ofTensors: false))"
  }

  private mutating func condition() -> String {
    switch dice.next(7) {
    case 0: "nan"
    case 1: "loss > 1.5*previous"
    case 2: "step \(number())"
    case 3: "dead \(dice.pick(RandomNames.layers)) > \(number())"
    case 4: "cosine dilated standard b1 < \(number())"
    case 5: "\(thing()) \(dice.pick(["norm", "min", "max", "mean", "std", "zeros"])) > \(number())"
    default: dice.next(2) == 0 ? thing() : comparison()
    }
  }

  mutating func expression(ofTensors: Bool, depth: Int = 0) -> String {
    let kind = dice.next(12)
    guard depth < 4, kind > 3 else { return number() }
    switch kind {
    case 4...6: return dice.next(2) == 0 ? thing() : dice.pick(["a", "b", "y", "w", "x"])
    case 7: return "(\(expression(ofTensors: ofTensors, depth: depth + 1)))"
    case 8 where ofTensors:
      let arguments = (0...dice.next(3)).map { _ in expression(ofTensors: true, depth: depth + 1) }
      return "\(dice.pick(RandomNames.functions))(\(arguments.joined(separator: ", ")))"
    case 9 where ofTensors: return list()
    case 10: return "-\(expression(ofTensors: ofTensors, depth: depth + 1))"
    default:
      let left = expression(ofTensors: ofTensors, depth: depth + 1)
      let sign = dice.pick([" + ", "*", "-", "/", " * "])
      return left + sign + expression(ofTensors: ofTensors, depth: depth + 1)
    }
  }

  /// A list of numbers, or of lists, which are sometimes of other lengths.
  private mutating func list() -> String {
    func row(_ count: Int) -> String {
      "[\((0..<count).map { _ in number() }.joined(separator: ","))]"
    }
    let (rows, columns) = (dice.next(4), dice.next(4))
    guard dice.next(2) == 0 else { return row(columns) }
    let lists = (0..<rows).map { _ in row(dice.next(6) == 0 ? dice.next(4) : columns) }
    return "[\(lists.joined(separator: ","))]"
  }
}

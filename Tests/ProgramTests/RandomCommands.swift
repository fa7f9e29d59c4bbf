import CommandLanguage
import Commands
import TestSupport

/// Command lines drawn from the table: every command, key and kind of value, valid and not.
///
/// They come in stretches. Each begins with the lines of an example, so that there is something to
/// work on. Data are small and a memory limit holds, so that no line takes long by itself.
struct RandomCommands {
  /// What is set before a stretch.
  private static let limits =
    "set limit.memory=20MiB limit.seconds=10min precision=fast relu-nan=nan"
  /// A folder of DICOM files made once: quicker to load than a phantom is to make.
  private static let beginning = [limits, "phantom size=16 slices=2 patients=2 save=ct", data]
  private static let data = "load ct"
  private static let network = [
    "noise gaussian sigma=40HU", "block channels=2", "conv", "tensor a = 2", "tensor y = a*a + a",
    "train steps=2",
  ]
  private static let fresh = [
    "finish", "net new", "loss mse", "optimizer adam", "flow standard", "break delete all", limits,
  ]
  /// Commands that take the longer, the longer the session is, come while it is short.
  private static let shortSession = 600
  /// How often a command comes, where it is not ``ordinary``.
  private static let weights = [
    "phantom": 1, "net preset": 1, "race": 2, "history": 1, "help": 2, "apropos": 2, "demo": 1,
    "noise gaussian": 8, "block": 10, "conv": 10, "train": 12, "forward": 8, "step": 12,
    "backward": 8, "tensor": 16, "expect": 12, "undo": 8, "fails": 8, "session save": 3,
    "session pack": 1, "export": 1, "run": 1, "replay": 1, "edit": 1,
  ]
  private static let ordinary = 4
  private static let costly: Set = [
    "session save", "session pack", "export", "run", "replay", "edit",
  ]

  private let specs = commandTable.map(\.spec)
  private let examples: [[String]]
  private let pool: [CommandSpec]
  private var values: RandomValues

  init(seed: UInt64) {
    values = RandomValues(dice: Dice(seed: seed), titles: specs.map(\.name))
    let lines = specs.flatMap(\.examples).map { $0.setup + [$0.line] }
    examples = lines.filter { !$0.contains { Self.isLong($0) } }
    pool = specs.flatMap { spec in
      Array(repeating: spec, count: Self.weights[spec.name] ?? Self.ordinary)
    }
  }

  /// Whether a line makes much data, or ends the session.
  private static func isLong(_ line: String) -> Bool {
    ["quit", "exit"].contains(line)
      || ["load phantom", "net preset"].contains { line.hasPrefix($0) }
  }

  /// As many lines, each of which is a command.
  mutating func lines(_ count: Int) -> [String] {
    var lines = Self.beginning
    while lines.count < count {
      lines += stretch()
      for _ in 0..<8 + values.dice.next(32) {
        let isShort = lines.count < Self.shortSession
        let line = values.dice.next(12) == 0 ? damagedExample() : line(depth: 0, isShort: isShort)
        if let command = Self.command(line) { lines.append(command) }
      }
    }
    return Array(lines.prefix(count))
  }

  /// The lines of an example on fresh data and an empty network, or on what there is; or a training.
  private mutating func stretch() -> [String] {
    let example = values.dice.pick(examples).map { line in
      line.hasPrefix("phantom") && values.dice.next(10) > 0 ? Self.data : line
    }
    let lines = (values.dice.next(4) > 0 ? Self.fresh : []) + example
    guard values.dice.next(2) == 0 else { return lines.filter { Self.command($0) != nil } }
    // A trained network, and often an open pass.
    let pass = values.dice.pick([[], ["forward noisy[1]"], ["backward"]])
    return Self.fresh + [Self.data] + Self.network + pass
  }

  /// The line as one command, or nil when it is none, ends the session or takes long.
  private static func command(_ line: String) -> String? {
    var scalars = line.unicodeScalars.filter { $0 != "\n" && $0 != "\r" }
    while scalars.last == "\\" { scalars.removeLast() }
    let text = String(String.UnicodeScalarView(scalars))
    let start = text.first { !$0.isWhitespace }
    guard let start, start != "#", !text.hasPrefix(">") else { return nil }
    // `quit` and `exit` end the session, and a training of many steps is long.
    let isLong = text.contains(/(?i)\b(quit|exit)\b/) && !text.hasPrefix("fails")
    return isLong || text.contains(/(steps|epochs)\s*=\s*[0-9]*(\d\d\d|e)/) ? nil : text
  }

  /// A line of an example with one to three changes.
  private mutating func damagedExample() -> String {
    var line = Array(values.dice.pick(values.dice.pick(examples)))
    for _ in 0...values.dice.next(3) {
      let place = values.dice.next(line.count + 1)
      let end = min(line.count, place + values.dice.next(4))
      line.replaceSubrange(place..<end, with: values.dice.next(2) == 0 ? "" : values.odd())
    }
    return String(line)
  }

  // MARK: - One command

  private mutating func line(depth: Int, isShort: Bool) -> String {
    var spec = values.dice.pick(pool)
    while !isShort && Self.costly.contains(spec.name) { spec = values.dice.pick(pool) }
    var words: [String] = []
    for parameter in spec.parameters where isGiven(parameter, of: spec) {
      words += argument(parameter, of: spec, depth: depth, isShort: isShort)
    }
    // Misplaced, repeated and unknown words.
    if values.dice.next(25) == 0, !words.isEmpty { words.append(values.dice.pick(words)) }
    if values.dice.next(40) == 0 {
      words.insert(values.odd(), at: values.dice.next(words.count + 1))
    }
    if values.dice.next(60) == 0 {
      words.append(values.dice.pick(["nope=1", "seed=3", "=", "as="]))
    }
    if values.dice.next(25) == 0, words.count > 1 {
      words.swapAt(0, 1 + values.dice.next(words.count - 1))
    }
    return ([name(of: spec)] + words).joined(separator: " ")
  }

  /// The command's name, sometimes in capitals or with two letters changed about.
  private mutating func name(of spec: CommandSpec) -> String {
    switch values.dice.next(100) {
    case 0, 1: return spec.name.uppercased()
    case 2:
      var name = Array(spec.name)
      name.swapAt(0, name.count - 1)
      return String(name)
    default: return spec.name
    }
  }

  private mutating func isGiven(_ parameter: Parameter, of spec: CommandSpec) -> Bool {
    // The phantom's own size and count are large.
    if spec.name == "phantom", parameter.name != "seed", parameter.name != "save" { return true }
    guard parameter.fallback != .required else { return values.dice.next(30) > 0 }
    return values.dice.next(spec.parameters.count < 5 ? 5 : 9) < 2
  }

  private mutating func argument(
    _ parameter: Parameter, of spec: CommandSpec, depth: Int, isShort: Bool
  ) -> [String] {
    switch parameter.position {
    case .command: return depth < 2 ? [line(depth: depth + 1, isShort: isShort)] : []
    case .rest, .assigned:
      let value = values.text(parameter, of: spec)
      return parameter.position == .assigned ? ["=", value] : [value]
    case .words:
      return (0...values.dice.next(3)).map { _ in values.value(parameter, of: spec) }
    case .word, .flag: return [values.value(parameter, of: spec)]
    case .key: return ["\(parameter.name)=\(values.value(parameter, of: spec))"]
    }
  }
}

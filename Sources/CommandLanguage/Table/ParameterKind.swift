/// The kind of value that a parameter takes, for parsing, help and completion.
package indirect enum ParameterKind: Hashable, Sendable {
  /// A number, bare or with one of these units: `40HU`, `25%`, `0.001`.
  case number(units: [Unit] = [], Bounds = .any)
  /// A whole number: `8`, `1e5`.
  case integer(ClosedRange<Int> = 0...Int.max, odd: Bool = false)
  /// One of these words; `range:N` stands for the word `range`, a colon and a number.
  case choice([String])
  /// `yes` or `no`.
  case yesNo
  /// A span of time in seconds: `60s`, `2min`, `90`.
  case duration
  /// A size in bytes: `2GiB`, `500MiB`.
  case size
  /// `A..B` with real ends: `0..2.5`, `-1000..1000HU`.
  case interval(units: [Unit] = [])
  /// `A..B` with whole ends, both included, or one whole number: `10..20`.
  case integerInterval
  /// The path of a file or folder.
  case path
  /// The name of a value, with or without an index: `clean[3, 0:10, 0:10]`, `b2.out.grad`.
  case thing
  /// A word of a title that help explains: a command or a topic.
  case helpTitle
  /// Any one word; `placeholder` names its meaning in help.
  case text(placeholder: String)
  /// Values of one kind with commas between them: `3,5,7`.
  case list(ParameterKind)
  /// The first of these kinds that fits: a whole number or a word.
  case either([ParameterKind])

  /// A whole number of at least `lower`.
  package static func count(_ lower: Int = 1) -> ParameterKind { .integer(lower...Int.max) }

  /// The placeholder of the value in the syntax line of help.
  package var placeholder: String {
    switch self {
    case .number: "NUMBER"
    case .integer: "N"
    case .choice(let words): words.joined(separator: "|")
    case .yesNo: "yes|no"
    case .duration: "TIME"
    case .size: "SIZE"
    case .interval, .integerInterval: "A..B"
    case .path: "PATH"
    case .thing: "NAME"
    case .helpTitle: "COMMAND"
    case .text(let placeholder): placeholder
    case .list(let kind): "\(kind.placeholder),…"
    case .either(let kinds): kinds.map(\.placeholder).joined(separator: "|")
    }
  }

  /// A description of the expected value, with units and bounds.
  package var expectation: String {
    switch self {
    case .number(let units, let bounds):
      let unit = units.isEmpty ? nil : "with or without \(Self.alternatives(units.map(\.rawValue)))"
      return (["a number"] + [bounds.words, unit].compactMap { $0 }).joined(separator: ", ")
    case .integer(let range, let odd):
      let noun = odd ? "an odd whole number" : "a whole number"
      switch (range.lowerBound > Int.min, range.upperBound < Int.max) {
      case (true, true): return "\(noun), \(range.lowerBound) to \(range.upperBound)"
      case (true, false): return "\(noun), at least \(range.lowerBound)"
      case (false, true): return "\(noun), at most \(range.upperBound)"
      case (false, false): return noun
      }
    case .choice(let words): return Self.alternatives(words)
    case .yesNo: return "yes or no"
    case .duration: return "a time such as 60s, 2min or 1h"
    case .size: return "a size such as 2GiB or 500MiB"
    case .interval(let units):
      let unit =
        units.isEmpty ? "" : ", with or without \(Self.alternatives(units.map(\.rawValue)))"
      return "a range A..B with A below B\(unit)"
    case .integerInterval: return "a range A..B of whole numbers, both included"
    case .path: return "a path"
    case .thing: return "a name such as clean[3] or b1.out"
    case .helpTitle: return "a command or an idea"
    case .text(let placeholder): return placeholder
    case .list(let kind): return "\(kind.expectation); several with commas"
    case .either(let kinds): return kinds.map(\.expectation).joined(separator: ", or ")
    }
  }

  /// A valid value, for a hint.
  var example: String {
    switch self {
    case .number(let units, let bounds):
      "\(NumberFormat.shortest.string(bounds.example))\(units.first?.rawValue ?? "")"
    case .integer(let range, let odd): "\(range.lowerBound | (odd ? 1 : 0))"
    case .choice(let words):
      words.first.map { $0.contains(":") ? Self.stem(of: $0) + ":1" : $0 } ?? ""
    case .yesNo: "yes"
    case .duration: "60s"
    case .size: "2GiB"
    case .interval(let units): "0..1\(units.first?.rawValue ?? "")"
    case .integerInterval: "0..3"
    case .path: "a.png"
    case .thing: "clean[0]"
    case .helpTitle: "train"
    case .text(let placeholder): placeholder
    case .list(let kind): kind.example
    case .either(let kinds): kinds.first?.example ?? ""
    }
  }

  /// The words that completion can offer for a value.
  package var words: [String] {
    switch self {
    case .choice(let words): words.map { $0.contains(":") ? Self.stem(of: $0) + ":" : $0 }
    case .yesNo: ["yes", "no"]
    case .list(let kind): kind.words
    case .either(let kinds): kinds.flatMap(\.words)
    default: []
    }
  }

  /// Whether a unit may stand after a space: `sigma = 40 HU`.
  var takesUnit: Bool {
    switch self {
    case .number, .duration, .size, .interval, .integer: true
    case .either(let kinds): kinds.contains(where: \.takesUnit)
    default: false
    }
  }

  /// Whether `..` may have spaces around it.
  var takesRange: Bool {
    switch self {
    case .interval, .integerInterval: true
    case .either(let kinds): kinds.contains(where: \.takesRange)
    default: false
    }
  }

  /// The part of `range:N` before the colon.
  static func stem(of word: String) -> String {
    String(word.prefix { $0 != ":" })
  }

  /// `a, b or c`.
  static func alternatives(_ words: [String]) -> String {
    guard let last = words.last, words.count > 1 else { return words.first ?? "" }
    return "\(words.dropLast().joined(separator: ", ")) or \(last)"
  }
}

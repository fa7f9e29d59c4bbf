import CommandLanguage
import TestSupport

/// Values for parameters: mostly of their kind, sometimes at its bounds, beyond them or of none.
struct RandomValues {
  var dice: Dice
  /// What `help` explains.
  let titles: [String]

  /// Values that are small enough to be quick, by the parameter's name.
  private static let small: [String: ClosedRange<Int>] = [
    "size": 16...24, "slices": 1...3, "patients": 1...2, "channels": 1...3, "convs": 1...2,
    "kernel": 1...7, "epochs": 1...2, "steps": 1...3, "horizon": 1...5, "batch": 1...4,
    "patch": 4...32, "samples": 1...6, "seeds": 1...2, "terms": 1...20, "times": 1...3,
    "bins": 1...50, "frames": 2...5, "runs": 1...4,
  ]

  /// Parameters for which a large number that is allowed takes long.
  private static let endless: Set = ["steps", "epochs", "limit.memory", "limit.seconds", "size"]

  private static let odd = [
    "\"\"", "''", "\"", "'", "\\ x", "$", "${", "$nope", "$a", "${a}x", "}", "=", "==", "[", "]",
    "[0]", ":", ",", "..", "-", "+", "%", "µ", "漢字", "🫁", "e\u{301}", "NaN", "inf", "-inf", "-0",
    "1e999", "1e-999", "1e308", "-1e308", "9223372036854775807", "-9223372036854775808",
    "9223372036854775808", "0", "0x10", "1.5", "HU", "MiB", ".grad", "../x", "/etc/passwd", "~/x",
    "a\u{200D}b", "\u{202E}", "\u{1B}[31m", "\u{0}", "\u{7F}", "a b", "\"a b\"", "'a b'", "x#y",
    "<b>&\"", "<<<", "`", "$(ls)", "%s%n", String(repeating: "a", count: 300), ".", "a/b/c", "-1",
    "1e5", "3,4", "1..2", "2..1", "0..0", "-5..5", "1..1e9", "all", "true", "99999", "1,2,,3", "\t",
  ]

  /// A word that fits hardly anywhere.
  mutating func odd() -> String { dice.pick(Self.odd) }

  // MARK: - By kind

  /// A value of a parameter, quoted where it has to be.
  mutating func value(_ parameter: Parameter, of spec: CommandSpec) -> String {
    switch dice.next(16) {
    case 0: return Self.endless.contains(parameter.name) ? "x" : odd()
    case 1: return beyond(parameter.kind)
    default: break
    }
    if let special = special(parameter, of: spec) { return special }
    return value(of: parameter.kind, called: parameter.name, spec)
  }

  private mutating func value(
    of kind: ParameterKind, called name: String, _ spec: CommandSpec
  ) -> String {
    switch kind {
    case .number(let units, _): return number() + (dice.next(2) == 0 ? unit(of: units) : "")
    case .integer(let range, let odd):
      let usual =
        Self.small[name]
        ?? range.lowerBound...min(range.upperBound, max(range.lowerBound, 40))
      return "\((usual.lowerBound + dice.next(usual.count)) | (odd ? 1 : 0))"
    case .choice(let words):
      let word = dice.pick(words)
      let stem = word.prefix { $0 != ":" }
      return stem.count < word.count ? "\(stem):\(number())" : word
    case .yesNo: return dice.pick(["yes", "no", "YES"])
    // No training ends in between, which would depend on the machine.
    case .duration: return dice.pick(["0s", "1h", "600", "10min"])
    case .size: return dice.pick(["1B", "0B", "1KiB", "8MiB", "20MiB", "400000"])
    case .interval:
      return dice.pick(["-1000..1000", "0..2.5", "-1e300..1e300", "0..1e-300", "0 .. 3", "1..2HU"])
    case .integerInterval: return "\(dice.next(6))..\(dice.next(20))"
    case .path: return path(of: spec, called: name)
    case .thing: return thing()
    case .helpTitle: return dice.pick(titles + ["convolution", "window", "ssim", "nope"])
    case .text(let placeholder): return word(for: placeholder)
    case .list(let element):
      return (0...dice.next(3)).map { _ in value(of: element, called: name, spec) }
        .joined(separator: ",")
    case .either(let kinds):
      // A limit that is taken off would let later lines take long.
      let kind = dice.pick(Self.endless.contains(name) ? Array(kinds.prefix(1)) : kinds)
      return value(of: kind, called: name, spec)
    }
  }

  /// A value at the bounds of a kind, just outside, or with a wrong unit.
  private mutating func beyond(_ kind: ParameterKind) -> String {
    switch kind {
    case .integer(let range, _):
      return dice.pick([
        "\(range.lowerBound)", "\(range.lowerBound &- 1)", "\(range.upperBound &+ 1)", "1.5", "-1",
      ])
    case .number(_, let bounds):
      let ends = [bounds.lower, bounds.upper].filter(\.isFinite).flatMap { [$0, $0 - 1, $0 + 1] }
      return dice.pick(ends.map { "\($0)" } + [number()]) + dice.pick(Unit.allCases).rawValue
    case .duration: return dice.pick(["-1s", "3HU", "nan", "1e400s", "s"])
    case .size: return dice.pick(["-1MiB", "nan", "1mm", "MiB"])
    case .interval, .integerInterval:
      return dice.pick(["1..1", "2..1", "0..nan", "..3", "3..", "a..b", "1..9223372036854775807"])
    case .choice(let words): return dice.pick(words).uppercased() + dice.pick(["", "x", ":", "s"])
    default: return odd()
    }
  }

  private mutating func unit(of units: [Unit]) -> String {
    units.isEmpty ? "" : dice.pick(units).rawValue
  }

  mutating func number() -> String {
    switch dice.next(12) {
    case 0...2: "\(dice.next(10))"
    case 3: "\(Double(dice.next(6000) - 3000) / 1000)"
    case 4: "\(1 + dice.next(99))e\(dice.next(24) - 12)"
    case 5: "-\(dice.next(100))"
    case 6: dice.pick(["0", "-0", "1e38", "1e39", "1e-45", "1e308", "1e16", "-1e16", "1e400"])
    default: dice.pick(["0.001", "0.01", "0.1", "0.5", "0.9", "1", "10", "40", "100", "1000"])
    }
  }

  // MARK: - Words of one parameter

  /// What one parameter takes beyond what its kind says.
  private mutating func special(_ parameter: Parameter, of spec: CommandSpec) -> String? {
    switch (spec.name, parameter.name) {
    case ("remove", _): dice.pick(RandomNames.layers)
    case ("kernels", "name"): dice.pick(RandomNames.layers) + dice.pick(["", ".weight"])
    case ("tensor", "name"), ("let", "name"): dice.pick(RandomNames.own)
    case ("assign", "name"): dice.next(2) == 0 ? dice.pick(RandomNames.own) + index() : thing()
    case ("break delete", _): dice.pick(["0", "1", "2", "all"])
    default: nil
    }
  }

  private mutating func word(for placeholder: String) -> String {
    switch placeholder {
    case "FLOW": dice.pick(["standard", "dilated", "tape", "mild", "nope"])
    case "bK": dice.pick(["b1", "b2", "b3", "b9"])
    case "SHARE|KIND:LIST":
      dice.pick([
        "0.5", "0.7", "0.2", "0", "1", "50%", "patient:1", "patient:2", "patient:1,2", "slice:0..2",
        "slice:3", "series:1", "series:9", "slice:0..9999999999", "x:1", "slice:", "2", "nan",
      ])
    case "WORD": dice.pick(["window", "noise", "HU", "Rescale", "Patient"])
    case "UID": dice.pick(["1.2.3", "#1", "#2", "#99"])
    case "N|NAME": dice.pick(["1", "2", "LUNG"])
    case "TEXT": dice.pick(["\"my series\"", "x", "漢"])
    default: dice.pick(["main", "second", "fast", "mild", "adam", "sgd", "standard", "tape", "b1"])
    }
  }

  // MARK: - Files

  private static let files: [String: [String]] = [
    "load": ["a.npy", "b.npy", "ct", "d1"], "save tensor": ["a.npy", "b.npy", "sub/x.npy"],
    "save image": ["i.png", "j.png", "sub/i.png"], "save animation": ["i.png", "i.gif"],
    "net save": ["w.safetensors", "n.safetensors"], "net load": ["w.safetensors", "n.safetensors"],
    "checkpoint": ["k", "k2"], "restore": ["k", "k2", "k.checkpoint"], "session save": ["s", "s2"],
    "run": ["s", "s2.session", "p.zip"], "replay": ["s", "s2.session", "p.zip"],
    "session pack": ["p.zip", "q.zip"], "export": ["l.html", "l.md", "l.ipynb"],
    "save dicom": ["d1", "d2"], "series": ["ct", "d1"], "phantom": ["ct", "ct2"],
    "tags": ["ct/patient1-series1-0001.dcm", "d1"],
  ]
  /// Files that any command may be given; those that hold times have other lengths in each run.
  private static let anyFiles = [
    "a.npy", "i.png", "i.svg", "w.safetensors", "k.checkpoint", "d1", "ct", "sub", ".", "..",
    "../e",
    "/tmp/backflow/x.png", "i.png/x", "däta", "\"x y.npy\"", "missing", "script.txt",
  ]

  private mutating func path(of spec: CommandSpec, called name: String) -> String {
    if name == "session" { return dice.pick(["s", "s.session", "s2.session"]) }
    let usual = Self.files[spec.name] ?? ["i.png", "i.svg", "j.png"]
    return dice.pick(dice.next(6) > 0 ? usual : Self.anyFiles)
  }
}

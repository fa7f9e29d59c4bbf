import CommandLanguage

/// A small table over a list of notes, with one of every kind of parameter.
enum ToyTable {
  static let noise = CommandSpec(
    "noise gaussian", family: .data, summary: "Add Gaussian noise.",
    parameters: [
      .key(
        "sigma", .number(units: [.hounsfield], .positive), "standard deviation",
        default: .value("40HU")),
      .key("fraction", .number(units: [.percent], .between(0, 1)), "of the maximum"),
      .flag("draw", ["fixed", "fresh"], "once or for each batch", default: .value("fixed")),
      .key("seed", .integer(), "the seed", default: .absent("the session's seed")),
    ],
    examples: ["noise gaussian sigma=40HU"])
  static let uniform = CommandSpec(
    "noise uniform", family: .data, summary: "Multiply by uniform noise.",
    parameters: [.key("gain", .interval(units: [.percent]), "the factors")],
    examples: ["noise uniform gain=0..2.5"])
  static let load = CommandSpec(
    "load", family: .data, summary: "Load slices.",
    parameters: [
      .word("path", .path, "a file or folder"),
      .key("slices", .integerInterval, "which slices"),
      .key("series", .either([.integer(), .choice(["all"]), .text(placeholder: "UID")]), "which"),
      .key("sizes", .list(.integer(1...9, odd: true)), "odd sizes", default: .value("3,5")),
    ],
    examples: ["load phantom", CommandExample("load $data", after: ["let data = phantom"])],
    seeAlso: ["noise gaussian"])
  static let train = CommandSpec(
    "train", family: .learning, summary: "Train.",
    parameters: [
      .key("epochs", .count(), "how often", default: .value("10")),
      .key("time", .duration, "how long"),
      .key("memory", .size, "how much"),
      .key("shuffle", .yesNo, "mix", default: .value("yes")),
      .key("convention", .choice(["full", "range:N"]), "the range", default: .value("full")),
    ],
    examples: ["train epochs=2 time=60s"])
  static let view = CommandSpec(
    "view", family: .looking, summary: "Show a slice.",
    parameters: [.words("names", .thing, "what to show")], examples: ["view clean[3]"])
  static let expect = CommandSpec(
    "expect", family: .checking, summary: "Check a relation.",
    parameters: [
      .rest("comparison", "A OP B"),
      .key("within", .number(units: [.percent], .atLeast(0)), "tolerance", default: .value("0")),
    ],
    examples: ["expect 1 < 2"])
  static let tensor = CommandSpec(
    "tensor", family: .stepping, summary: "Name a number.",
    parameters: [.word("name", .thing, "its name"), .assigned("value", "an expression")],
    examples: ["tensor a = 2"])

  static let viewAll = CommandSpec(
    "view all", family: .looking, summary: "Show all slices.",
    parameters: [.key("sort", .yesNo, "by name", default: .value("no"))],
    examples: ["view all sort=yes"])

  static let commands: [Command<[String]>] =
    [
      Command(viewAll) { _, _, _ in Outcome() },
      Command(noise) { arguments, notes, _ in
        notes.append(try arguments.choice("draw"))
        let sigma = try arguments.number("sigma").value
        return Outcome("noisy  \(sigma, digits: 2) HU", result: ["sigma": .number(sigma)])
      },
      Command(uniform) { arguments, _, _ in Outcome("\(arguments.textIfGiven("gain") ?? "none")") },
      Command(load) { arguments, notes, _ in
        notes.append(try arguments.path("path"))
        return Outcome("loaded \(try arguments.path("path"))")
      },
      Command(train) { _, _, _ in Outcome() },
      Command(view) { arguments, _, _ in
        Outcome(OutputLine(arguments.words("names").joined(separator: "; ")))
      },
      Command(expect) { arguments, _, context in
        let comparison = try Comparison(parsing: try arguments.source("comparison"))
        let lookup = { (name: String, range: Range<Int>) throws -> Double in
          guard let value = context.result(at: name)?.numeric else {
            throw CommandError(.unknownName, "there is no \"\(name)\"", range: range)
          }
          return value
        }
        let (a, b) = (try comparison.left.value(lookup), try comparison.right.value(lookup))
        guard comparison.holds(a, b, within: try arguments.number("within").value) else {
          throw arguments.error(at: "comparison", .expectation, "not so: \(a) against \(b)")
        }
        return Outcome()
      },
      Command(tensor) { arguments, _, _ in
        let value = try Expression(parsing: try arguments.source("value")).value { _, _ in 1 }
        return Outcome("\(try arguments.text("name")) = \(value)")
      },
    ] + SessionCommand.allCases.map { Command($0) }

  static let specs = commands.map(\.spec)

  static func runner(overrides: [String: String] = [:]) -> CommandRunner<[String]> {
    CommandRunner(commands: commands, workspace: [], overrides: overrides)
  }
}

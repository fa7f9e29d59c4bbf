import CommandLanguage
import Figures
import Networks
import Tensors

extension Command<Workspace> {
  static let set = Command(
    CommandSpec(
      "set", family: .rest,
      summary: "Change a setting of the session, or list all.",
      details: """
        precision=strict computes 3×3 convolutions of many channels from their definition: two to \
        three times slower, with half the rounding error of the fast ones. relu-nan=zero lets ReLU hide NaN, as some GPU libraries did.
        """,
      parameters: [
        .key(
          "seed", .integer(), "of weights, noise, order and patches", default: .absent("1 at first")
        ),
        .key(
          "precision", .choice(Precision.allCases.map(\.rawValue)), "of convolutions",
          default: .absent("fast at first")),
        .key(
          "relu-nan", .choice(["nan", "zero"]), "what ReLU makes of a NaN",
          default: .absent("nan at first")),
        .key(
          "limit.memory", .size, "most memory for data or a training step",
          default: .absent("four fifths of the machine's")),
        .key(
          "limit.disk", .size, "most that the session writes; a script can only lower it",
          default: .absent("10 GiB for a script")),
        .key("limit.seconds", .duration, "longest training", default: .absent("none")),
        .key(
          "pictures", .choice(PictureDisplay.allCases.map(\.rawValue)),
          "how a terminal shows them; auto is what it can do best",
          default: .absent("auto at first")
        ),
        .key(
          "hints", .yesNo, "whether the prompt says what a line would do",
          default: .absent("yes at first")),
      ],
      examples: ["set seed=7", "set relu-nan=zero limit.memory=2GiB", "set"], seeAlso: ["let"])
  ) { arguments, workspace, _ in
    if let seed = arguments.integerIfGiven("seed") { workspace.settings.seed = UInt64(seed) }
    if arguments.has("precision") {
      workspace.replacePrecision(try arguments.choice("precision", as: Precision.self))
    }
    if arguments.has("relu-nan") {
      let rule = try arguments.choice("relu-nan", as: ReLUNaN.self)
      workspace.settings.reluNaN = rule
      var network = workspace.network
      network.reluNaN = rule
      workspace.replaceNetwork(network)
    }
    if let limit = arguments.integerIfGiven("limit.memory") {
      workspace.settings.memoryLimit = limit
    }
    if let limit = arguments.integerIfGiven("limit.disk"),
      !workspace.files.disk.setLimit(limit)
    {
      throw arguments.error(
        at: "limit.disk", .outOfRange, "a script cannot raise its limit",
        hint: "at most \((workspace.files.disk.limit ?? 0) >> 20)MiB")
    }
    if let limit = arguments.numberIfGiven("limit.seconds") {
      workspace.settings.timeLimit = limit.value
    }
    if arguments.has("pictures") {
      workspace.settings.pictures = try arguments.choice("pictures", as: PictureDisplay.self)
    }
    if arguments.has("hints") { workspace.settings.hints = try arguments.flag("hints") }
    let settings = workspace.settings
    let given = arguments.first(of: [
      "seed", "precision", "relu-nan", "limit.memory", "limit.disk", "limit.seconds", "pictures",
      "hints",
    ])
    guard given == nil else { return Outcome() }
    var outcome = Outcome()
    outcome.add(
      OutputTable(
        [.words(""), .words("")],
        rows: [
          ["seed", "\(Int(settings.seed))"],
          ["precision", OutputLine(settings.precision.rawValue)],
          ["relu-nan", OutputLine(settings.reluNaN.rawValue)],
          ["limit.memory", "\(volatile: "\(workspace.memoryLimit >> 20) MiB")"],
          [
            "limit.disk",
            "\(volatile: workspace.files.disk.limit.map { "\($0 >> 20) MiB" } ?? "none")",
          ],
          [
            "limit.seconds",
            settings.timeLimit.map { OutputLine(NumberFormat.shortest.string($0)) } ?? "none",
          ],
          ["pictures", OutputLine(settings.pictures.rawValue)],
          ["hints", settings.hints ? "yes" : "no"],
        ]))
    return outcome
  }
}

import CommandLanguage
import Figures
import Networks
import Tensors

extension Command<Workspace> {
  /// The words that remove a limit.
  private static let unlimited = ParameterKind.choice(["none", "off"])

  static let set = Command(
    CommandSpec(
      "set", family: .rest,
      summary: "Change a setting of the session, or list all.",
      details: """
        precision=strict computes 3×3 convolutions of many channels from their definition: two to \
        three times slower, with half the rounding error of the fast ones. relu-nan=zero lets ReLU hide NaN, as some GPU libraries did. \
        none takes a limit off; of memory, four fifths of the machine's stay, which a script cannot go \
        beyond. Nor can it raise its limit.disk.
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
          "limit.memory", .either([.size, unlimited]), "most memory for data or a training step",
          default: .absent("four fifths of the machine's")),
        .key(
          "limit.disk", .either([.size, unlimited]),
          "most that the session writes; a script can only lower it",
          default: .absent("10 GiB for a script")),
        .key(
          "limit.seconds", .either([.duration, unlimited]), "longest training",
          default: .absent("none")),
        .key(
          "pictures", .choice(PictureDisplay.allCases.map(\.rawValue)),
          "how a terminal shows them; auto is what it can do best",
          default: .absent("auto at first")
        ),
        .key(
          "hints", .yesNo, "whether the prompt says what a line would do",
          default: .absent("yes at first")),
      ],
      examples: [
        "set seed=7", "set relu-nan=zero limit.memory=2GiB", "set limit.seconds=none", "set",
      ], seeAlso: ["let"],
      effect: .changing([.settings, .scale, .network, .training, .pass, .figures]))
  ) { arguments, workspace, _ in
    var outcome = try workspace.setLimits(arguments)
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
    if arguments.has("pictures") {
      workspace.settings.pictures = try arguments.choice("pictures", as: PictureDisplay.self)
    }
    if arguments.has("hints") { workspace.settings.hints = try arguments.flag("hints") }
    let settings = workspace.settings
    guard !arguments.sayAnything else { return outcome }
    outcome.add(
      OutputTable(
        [.words(""), .words("")],
        rows: [
          ["seed", OutputLine(String(settings.seed))],
          ["precision", OutputLine(settings.precision.rawValue)],
          ["relu-nan", OutputLine(settings.reluNaN.rawValue)],
          ["limit.memory", "\(volatile: sizeInWords(workspace.memoryLimit))"],
          [
            "limit.disk",
            "\(volatile: Workspace.inWords(workspace.files.disk.limit ?? .max))",
          ],
          [
            "limit.seconds",
            settings.timeLimit.map { OutputLine(durationInWords($0)) } ?? "none",
          ],
          ["pictures", OutputLine(settings.pictures.rawValue)],
          ["hints", settings.hints ? "yes" : "no"],
        ]))
    return outcome
  }
}

extension Workspace {
  /// A limit in words; `none` for the largest number.
  fileprivate static func inWords(_ bytes: Int) -> String {
    bytes == .max ? "none" : sizeInWords(bytes)
  }

  /// Sets the limits that are given.
  ///
  /// - Returns: Warnings about them, for example that the machine has less memory.
  /// - Throws: `CommandError` when a limit cannot hold; then none has changed.
  fileprivate mutating func setLimits(_ arguments: Arguments) throws(CommandError) -> Outcome {
    var changed = self
    var outcome = Outcome()
    if arguments.has("limit.memory") {
      let wanted = try bytes(arguments, "limit.memory")
      changed.settings.memoryLimit = wanted
      if files.isConfined, let wanted, wanted > Self.spareMemory {
        outcome.remarks.append(
          "limit.memory: four fifths of this machine's memory hold for a script, "
            + sizeInWords(Self.spareMemory))
      }
    }
    if arguments.has("limit.disk"),
      !changed.files.disk.setLimit(try bytes(arguments, "limit.disk"))
    {
      throw arguments.error(
        at: "limit.disk", .outOfRange, "a script cannot raise its limit",
        hint: "at most \(Self.inWords(files.disk.limit ?? .max))")
    }
    if arguments.has("limit.seconds") {
      changed.settings.timeLimit = try arguments.timeLimit("limit.seconds", off: "none")
    }
    self = changed
    return outcome
  }

  /// The size in bytes that an argument gives; nil for none.
  private func bytes(_ arguments: Arguments, _ name: String) throws(CommandError) -> Int? {
    guard let size = arguments.numberIfGiven(name)?.value else { return nil }
    guard let bytes = Int(exactly: size) else {
      throw arguments.error(
        at: name, .outOfRange, "\(name) is no whole number of bytes",
        hint: "for example \(name)=\(Int(size.rounded(.up)))")
    }
    guard bytes > 0 else {
      throw arguments.error(
        at: name, .outOfRange, "\(name) must be above 0", hint: "\(name)=none takes it off")
    }
    return bytes
  }
}

extension Arguments {
  /// The longest time in seconds that an argument gives; nil when it is not given, or takes the limit
  /// off by the value `off`.
  ///
  /// - Throws: `CommandError` when it is 0, or more than ten years.
  func timeLimit(_ name: String, off: String? = nil) throws(CommandError) -> Double? {
    guard let seconds = numberIfGiven(name)?.value else { return nil }
    let cure = off.map { "; \(name)=\($0) takes it off" } ?? "; without it there is no limit"
    guard seconds > 0 else {
      throw error(
        at: name, .outOfRange, "\(name) is no time to work in",
        hint: "give more than 0, for example \(name)=60s\(cure)")
    }
    guard seconds <= 10 * 366 * 86_400 else {
      throw error(
        at: name, .outOfRange, "\(name) is more than ten years",
        hint: "give less, for example \(name)=24h\(cure)")
    }
    return seconds
  }
}

/// A time in the largest unit of hours, minutes and seconds that tells it in whole numbers, else in
/// seconds: `2 h`, `90 s`.
func durationInWords(_ seconds: Double) -> String {
  for unit in [Unit.hour, .minute] {
    let count = seconds / unit.scale
    if count >= 1, count == count.rounded() { return "\(Int(count)) \(unit.rawValue)" }
  }
  return "\(NumberFormat.shortest.string(seconds)) s"
}

import CommandLanguage

extension Command<Workspace> {
  static let netPreset = Command(
    CommandSpec(
      "net preset", family: .network,
      summary: "Build a published network: prints and runs ordinary lines.",
      details: Preset.all.map { "\($0.name): \($0.summary)." }.joined(separator: " ")
        + " Noise is only set when there are slices.",
      parameters: [.word("name", .choice(Preset.all.map(\.name)), "which one")],
      examples: ["net preset article-1a", "net preset resnet"],
      seeAlso: ["net new", "block", "flow dilated", "diagnose"],
      // Its lines set the noise, too.
      effect: .changing([.noisy, .scale, .network, .training, .pass, .figures]))
  ) { arguments, workspace, _ in
    let name = try arguments.choice("name")
    guard let preset = Preset.all.first(where: { $0.name == name }) else {
      throw arguments.error(at: "name", .wrongValue, "there is no preset '\(name)'")
    }
    var outcome = Outcome()
    let hasData = workspace.clean != nil
    outcome.followUps = preset.lines + (hasData ? preset.dataLines : [])
    outcome.closing =
      hasData || preset.dataLines.isEmpty
      ? "as its author trained it: \(preset.training)"
      : "with slices: \(preset.dataLines.joined(separator: ", ")); as its author trained it: "
        + preset.training
    outcome.result = [
      "name": .string(name), "lines": .list(outcome.followUps) { .string($0) },
      "training": .string(preset.training),
    ]
    return outcome
  }
}

import CommandLanguage
import GradientFlows
import Networks

extension Workspace {
  /// The lines that build the network in use and set up its training, in an order that runs.
  var networkLines: [String] {
    ["net new seed=\(weightSeed) init=\(initializer.text)"] + network.layers.map(\.line)
      + ["output \(network.outputRule.rawValue)", loss.line, optimizer.line, flow.line]
      + [gradientNoise?.line ?? "gradient-noise off"]
  }

  /// Runs lines that build a network and set up its training, and none of another kind.
  ///
  /// They may come from a file of anybody: they reach no file, no data and no other setting.
  ///
  /// - Parameter lines: Lines such as those of ``networkLines``.
  /// - Throws: The error of the first line that fails; nothing has changed then.
  mutating func build(_ lines: [String]) throws(CommandError) {
    let runner = CommandRunner(
      commands: commandTable.filter { Self.builds($0.spec) }, workspace: self,
      describe: commandError)
    for (index, line) in lines.enumerated() {
      guard let error = runner.run(line, line: index + 1)?.error else { continue }
      throw CommandError(
        error.code, "\"\(line.prefix(80))\": \(error.message)", hint: error.hint)
    }
    self = runner.workspace
  }

  private static func builds(_ spec: CommandSpec) -> Bool {
    let words = spec.name.split(separator: " ")
    return spec.name == "net new"
      || ["block", "conv", "output", "loss", "optimizer", "flow", "gradient-noise"]
        .contains(words[0])
  }
}

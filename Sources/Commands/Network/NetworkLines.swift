import CommandLanguage
import GradientFlows
import Networks

extension Workspace {
  /// The lines that build the network in use and set up its training, in an order that runs.
  var networkLines: [String] {
    let layers = network.layers.map(\.line) + ["output \(network.outputRule.rawValue)"]
    let fits = (try? flow.requireFit(network)) != nil
    // A flow that no longer fits the layers comes before them, when it can still be chosen.
    return ["net new seed=\(weightSeed) init=\(initializer.text)"] + (fits ? [] : [flow.line])
      + layers + [loss.line, optimizer.line] + (fits ? [flow.line] : [])
      + [gradientNoise?.line ?? "gradient-noise off"]
  }

  /// Runs lines that build a network and set up its training, and none of another kind.
  ///
  /// They may come from an untrusted file: they reach no file, no data and no other setting.
  ///
  /// - Parameter lines: Lines such as those of ``networkLines``.
  /// - Throws: The error of the first line that fails; nothing has changed then.
  mutating func build(_ lines: [String]) throws(CommandError) {
    let runner = CommandRunner(
      commands: commands.filter { $0.spec.recipe?.isOfNetwork == true }, workspace: self,
      describe: commandError)
    for (index, line) in lines.enumerated() {
      guard let error = runner.run(line, line: index + 1)?.error else { continue }
      throw CommandError(
        error.code, "\"\(line.prefix(80))\": \(error.message)", hint: error.hint)
    }
    self = runner.workspace
  }

  /// Runs lines from a file, which must not build more than the weights that the file holds.
  ///
  /// Lines of another network could build one that takes hours and gigabytes.
  ///
  /// - Parameters:
  ///   - lines: Lines such as those of ``networkLines``.
  ///   - weights: The number of numbers in the file.
  ///   - tensors: The number of tensors in the file.
  ///   - refusal: Makes the error from a description of the fault, and a hint.
  /// - Throws: The error of `refusal`; then nothing has changed.
  mutating func build(
    _ lines: [String], weights: Int, tensors: Int,
    refusal: (_ found: String, _ hint: String) -> CommandError
  ) throws(CommandError) {
    guard lines.count <= tensors + 10 else {
      throw refusal("it has more lines than its tensors need", "save it again")
    }
    var changed = self
    changed.settings.memoryLimit = min(memoryLimit, 6 * MemoryLayout<Float>.size * weights)
    do throws(CommandError) {
      try changed.build(lines)
    } catch {
      throw error.code == .limit
        ? refusal("its lines build more weights than it holds", "save it again")
        : refusal("its line \(error.message)", error.hint ?? "save it again")
    }
    changed.settings.memoryLimit = settings.memoryLimit
    self = changed
  }

}

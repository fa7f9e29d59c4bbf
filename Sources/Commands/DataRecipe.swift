import CommandLanguage
import Tensors

/// The lines that made the data what they are, so that a checkpoint need not hold the images.
struct DataRecipe: Hashable, Sendable, Codable {
  /// A line as typed, with what it looked up.
  struct Step: Hashable, Sendable, Codable {
    let line: String
    /// The session's seed.
    let seed: UInt64
    /// The variables that the line names.
    let variables: [String: String]

    /// Whether it assigns numbers to slices, and to nothing else.
    var isOfImages: Bool {
      line.wholeMatch(of: /assign (clean|noisy)(\[[0-9:, ]*\])? = [-+0-9.e,\[\]]+/) != nil
    }
  }

  /// What made the clean slices, then the last of each of the others.
  private(set) var clean: [Step] = []
  private(set) var noise: Step?
  private(set) var scale: Step?
  private(set) var split: Step?
  private(set) var window: Step?
  /// Numbers that were assigned after the noise was made.
  private(set) var edits: [Step] = []

  /// All lines, in an order that makes the data again.
  var steps: [Step] { clean + [noise, scale, split, window].compactMap(\.self) + edits }

  /// Notes numbers that were assigned to a part of clean or noisy slices.
  mutating func note(assigned values: Tensor<Float>, to name: IndexedName) {
    let numbers = values.scalars.map { NumberFormat.shortest.string(Double($0)) }
    let value = numbers.count == 1 ? numbers[0] : "[\(numbers.joined(separator: ","))]"
    let step = Step(line: "assign \(name.text) = \(value)", seed: 0, variables: [:])
    if noise == nil { clean.append(step) } else { edits.append(step) }
  }

  /// Notes a line that went well, if it says anything about the data.
  mutating func note(_ arguments: Arguments, seed: UInt64, _ variables: Variables) {
    let saysSomething = arguments.spec.parameters.contains { arguments.has($0.name) }
    let line = Self.line(arguments)
    let step = Step(
      line: line, seed: seed,
      variables: Dictionary(uniqueKeysWithValues: variables.values.filter { line.contains($0.key) })
    )
    switch arguments.spec.name.prefix(while: { $0 != " " }) {
    case "load" where arguments.choiceIfGiven("as") == "noisy", "noise":
      noise = step
      edits.removeAll { $0.line.hasPrefix("assign noisy") }
    case "phantom", "load":
      clean = [step]
      (noise, split, edits) = (nil, nil, [])
    case "crop":
      clean.append(step)
      (noise, split, edits) = (nil, nil, [])
    case "scale" where saysSomething: scale = step
    case "split" where saysSomething: split = step
    case "window" where saysSomething: window = step
    default: break
    }
  }

  /// The line; a phantom's writes no files when it runs again.
  private static func line(_ arguments: Arguments) -> String {
    guard arguments.spec.name == "phantom" else { return arguments.line }
    let words = ["size", "slices", "patients", "seed"].compactMap { key in
      arguments.integerIfGiven(key).map { "\(key)=\($0)" }
    }
    return "phantom " + words.joined(separator: " ")
  }
}

extension Workspace {
  /// Makes the data of a recipe, in place of those there are.
  ///
  /// - Parameter recipe: Lines that may come from a file of anybody: they reach data alone.
  /// - Throws: The error of the first line that fails; nothing has changed then.
  mutating func make(_ recipe: DataRecipe) throws(CommandError) {
    var changed = self
    changed.clean = nil
    changed.scaleRule = .automatic
    changed.windowRule = .automatic
    changed.recipe = DataRecipe()
    let seed = settings.seed
    for step in recipe.steps where !step.line.hasPrefix("assign") || step.isOfImages {
      changed.settings.seed = step.seed
      let runner = CommandRunner(
        commands: commandTable.filter { Self.makesData($0.spec) } + [Command(.let)],
        workspace: changed, overrides: step.variables, describe: commandError)
      for name in step.variables.keys.sorted() { _ = runner.run("let \(name)", line: 1) }
      if let error = runner.run(step.line, line: 1)?.error {
        throw CommandError(
          error.code,
          "the data cannot be made again: \"\(step.line.prefix(80))\": \(error.message)",
          hint: error.hint, status: .badInput)
      }
      changed = runner.workspace
    }
    changed.settings.seed = seed
    self = changed
  }

  private static func makesData(_ spec: CommandSpec) -> Bool {
    ["phantom", "load", "crop", "noise", "scale", "split", "window", "assign"]
      .contains(String(spec.name.prefix { $0 != " " }))
      && spec.parameter(named: "save") == nil || spec.name == "phantom"
  }
}

import CommandLanguage
import Tensors

/// What made the data what they are, so that a checkpoint need not hold the images.
struct DataRecipe: Hashable, Sendable, Codable {
  /// One thing that changed the data.
  enum Step: Hashable, Sendable, Codable {
    case line(Line)
    case edit(Edit)
  }

  /// A line as typed, with what it looked up.
  struct Line: Hashable, Sendable, Codable {
    let text: String
    /// The session's seed.
    let seed: UInt64
    /// The variables that the line names.
    let variables: [String: String]
  }

  /// Numbers that were assigned to a part of the slices.
  struct Edit: Hashable, Sendable, Codable {
    /// `clean` or `noisy`, with or without an index.
    let name: String
    private let extents: [Int]
    private let patterns: [UInt32]

    init(_ name: IndexedName, _ values: Tensor<Float>) {
      self.name = name.text
      extents = values.shape.extents
      patterns = values.scalars.map(\.bitPattern)
    }

    var isOfNoisy: Bool { name.hasPrefix("noisy") }

    /// The numbers, unless a damaged file holds other than its shape says.
    var values: Tensor<Float>? {
      var count = 1
      for extent in extents {
        let (product, overflows) = count.multipliedReportingOverflow(by: extent)
        guard extent >= 0, !overflows else { return nil }
        count = product
      }
      guard count == patterns.count else { return nil }
      return Tensor(shape: Shape(extents), scalars: patterns.map(Float.init(bitPattern:)))
    }
  }

  /// What made the clean slices, then the last of each of the others.
  private(set) var clean: [Step] = []
  private(set) var noise: Line?
  private(set) var scale: Line?
  private(set) var split: Line?
  private(set) var window: Line?
  /// Numbers that were assigned after the noise was made.
  private(set) var edits: [Edit] = []

  /// All steps, in an order that makes the data again.
  var steps: [Step] {
    clean + [noise, scale, split, window].compactMap { $0.map(Step.line) } + edits.map(Step.edit)
  }

  /// Notes numbers that were assigned to a part of clean or noisy slices.
  mutating func note(assigned values: Tensor<Float>, to name: IndexedName) {
    edits.append(Edit(name, values))
    if noise == nil { forgetNoisy() }
  }

  /// The noisy slices are others, or gone: what was assigned to the clean ones came before that.
  private mutating func forgetNoisy() {
    clean += edits.filter { !$0.isOfNoisy }.map(Step.edit)
    edits = []
  }

  /// Notes a line that went well, if it says anything about the data.
  mutating func note(_ arguments: Arguments, seed: UInt64, _ variables: Variables) {
    let saysSomething = arguments.spec.parameters.contains { arguments.has($0.name) }
    let text = Self.text(arguments)
    let line = Line(
      text: text, seed: seed,
      variables: Dictionary(uniqueKeysWithValues: variables.values { text.contains($0) }))
    switch arguments.spec.name.prefix(while: { $0 != " " }) {
    case "load" where arguments.choiceIfGiven("as") == "noisy", "noise":
      forgetNoisy()
      noise = line
    case "phantom", "load":
      clean = [.line(line)]
      (noise, split, edits) = (nil, nil, [])
    case "crop":
      forgetNoisy()
      clean.append(.line(line))
      (noise, split) = (nil, nil)
    case "scale" where saysSomething: scale = line
    case "split" where saysSomething: split = line
    case "window" where saysSomething: window = line
    default: break
    }
  }

  /// The line; a phantom's writes no files when it runs again.
  private static func text(_ arguments: Arguments) -> String {
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
    for step in recipe.steps {
      do throws(CommandError) {
        switch step {
        case .line(let line): try changed.make(line)
        case .edit(let edit): try changed.make(edit)
        }
      } catch {
        throw CommandError(
          error.code, "the data cannot be made again: \(error.message)", hint: error.hint,
          status: .badInput)
      }
    }
    changed.settings.seed = seed
    self = changed
  }

  private mutating func make(_ line: DataRecipe.Line) throws(CommandError) {
    settings.seed = line.seed
    let runner = CommandRunner(
      commands: commandTable.filter { Self.makesData($0.spec) } + [Command(.let)],
      workspace: self, overrides: line.variables, describe: commandError)
    for name in line.variables.keys.sorted() { _ = runner.run("let \(name)", line: 1) }
    if var error = runner.run(line.text, line: 1)?.error {
      error.message = "\"\(line.text.prefix(80))\": \(error.message)"
      throw error
    }
    self = runner.workspace
  }

  private mutating func make(_ edit: DataRecipe.Edit) throws(CommandError) {
    let name = try IndexedName(edit.name)
    guard let values = edit.values, Self.imageNames.contains(name.name) else {
      throw CommandError(.data, "\"\(edit.name.prefix(80))\" is no part of slices")
    }
    do {
      try assignImage(name) { try $0.assigning(values, to: $1) }
      recipe.note(assigned: values, to: name)
    } catch {
      throw commandError(error)
    }
  }

  private static func makesData(_ spec: CommandSpec) -> Bool {
    let makers = ["phantom", "load", "crop", "noise", "scale", "split", "window"]
    return makers.contains(String(spec.name.prefix { $0 != " " }))
      && (spec.parameter(named: "save") == nil || spec.name == "phantom")
  }
}

import CT
import CommandLanguage
import Tensors
import Training

/// The lines and edits that made the data, so that a checkpoint need not hold the images.
struct DataRecipe: Hashable, Sendable, Codable {
  /// One line or edit that changed the data.
  enum Step: Hashable, Sendable, Codable {
    case line(Line)
    case edit(Edit)
    /// A line that made noisy slices; other noisy slices make it needless.
    case noise(Line)

    /// Whether the step changes noisy slices only.
    fileprivate var isOfNoisy: Bool {
      switch self {
      case .line: false
      case .noise: true
      case .edit(let edit): edit.isOfNoisy
      }
    }
  }

  /// The counts and kinds of data that a session holds before or after a line.
  struct Holdings: Hashable, Sendable {
    /// The number of clean slices; nil without any.
    let clean: Int?
    let hasNoisy: Bool, hasSplit: Bool

    init(_ workspace: Workspace) {
      clean = workspace.clean?.count
      (hasNoisy, hasSplit) = (workspace.noisyStack != nil, workspace.split != nil)
    }
  }

  /// A line as typed, with the seed and the variables that it used.
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

    /// The numbers; nil if a damaged file holds another count than its shape says.
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

  /// The steps that made the slices, in order; below, the last line of each other kind.
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

  /// Whether the lines of a part of the session are those of another recipe.
  func isSame(_ part: SessionPart, as other: DataRecipe) -> Bool {
    switch part {
    case .clean: clean == other.clean
    case .noisy: noise == other.noise && edits == other.edits
    case .scale: scale == other.scale
    case .split: split == other.split
    case .window: window == other.window
    case .network, .training, .pass, .numbers, .figures, .settings: true
    }
  }

  /// Takes the lines of some parts of the session from another recipe.
  mutating func take(_ parts: Set<SessionPart>, from other: DataRecipe) {
    if parts.contains(.clean) { clean = other.clean }
    if parts.contains(.noisy) { (noise, edits) = (other.noise, other.edits) }
    if parts.contains(.scale) { scale = other.scale }
    if parts.contains(.split) { split = other.split }
    if parts.contains(.window) { window = other.window }
  }

  /// Whether numbers were assigned to noisy or clean slices.
  func hasEdits(ofNoisy: Bool) -> Bool {
    steps.contains { if case .edit(let edit) = $0 { edit.isOfNoisy == ofNoisy } else { false } }
  }

  /// Notes numbers that were assigned to a part of clean or noisy slices.
  mutating func note(assigned values: Tensor<Float>, to name: IndexedName, hasNoisy: Bool) {
    edits.append(Edit(name, values))
    if !hasNoisy { forgetNoisy() }
  }

  /// Forgets the steps of noisy slices, which are others now or gone; edits of clean slices stay.
  private mutating func forgetNoisy() {
    clean = (clean + edits.map(Step.edit)).filter { !$0.isOfNoisy }
    (noise, edits) = (nil, [])
  }

  /// Moves noise and edits behind the clean steps, before a step that changes all slices.
  private mutating func keepOrder() {
    clean += [noise].compactMap { $0.map(Step.noise) } + edits.map(Step.edit)
    (noise, edits) = (nil, [])
  }

  /// Records a line that made or loaded noisy slices.
  private mutating func note(
    noisy line: Line, _ before: Holdings, _ after: Holdings
  ) {
    forgetNoisy()
    if after.clean == nil { (clean, split) = ([], nil) }
    if after.clean != nil, after.clean != before.clean {
      // Clean slices without a counterpart were dropped, so the line is a step of the clean ones.
      clean.append(.line(line))
    } else {
      noise = line
    }
  }

  /// Records a line that succeeded, if it changes the data.
  mutating func note(
    _ arguments: Arguments, seed: UInt64, _ variables: Variables, before: Holdings, after: Holdings
  ) {
    let text = Self.text(arguments)
    let line = Line(
      text: text, seed: seed,
      variables: Dictionary(uniqueKeysWithValues: variables.values { text.contains($0) }))
    switch arguments.spec.recipe {
    case .slices where arguments.choiceIfGiven("as") == "noisy", .noise:
      note(noisy: line, before, after)
    case .pairs: (clean, noise, edits) = ([.line(line)], nil, [])
    case .slices:
      if after.hasNoisy {
        // The noisy slices were there first, and are the counterpart now.
        clean += [noise].compactMap { $0.map(Step.line) } + edits.map(Step.edit)
        (noise, edits) = (nil, [])
        clean.append(.line(line))
      } else {
        (clean, noise, edits) = ([.line(line)], nil, [])
      }
    case .change:
      keepOrder()
      clean.append(.line(line))
    case .scale where arguments.sayAnything: scale = line
    // 'split' without arguments divides the slices, too.
    case .split: split = line
    case .window where arguments.sayAnything: window = line
    default: break
    }
    if !after.hasSplit { split = nil }
  }

  /// The line to record; of a command that can save files, what it makes without them.
  private static func text(_ arguments: Arguments) -> String {
    guard arguments.spec.parameter(named: "save") != nil else { return arguments.line }
    let words = arguments.spec.parameters.compactMap { parameter -> String? in
      let name = parameter.name
      let value = arguments.integerIfGiven(name).map(String.init) ?? arguments.choiceIfGiven(name)
      return value.map { "\(name)=\($0)" }
    }
    return ([arguments.spec.name] + words).joined(separator: " ")
  }
}

extension Workspace {
  /// Makes the data of a recipe, in place of those there are.
  ///
  /// - Parameters:
  ///   - recipe: Lines that may come from an untrusted file: only commands that make data run.
  ///   - context: Tells how far it is, and when to stop.
  /// - Throws: The error of the first line that fails; nothing has changed then.
  mutating func make(_ recipe: DataRecipe, _ context: CommandContext) throws(CommandError) {
    var changed = self
    changed.clean = nil
    changed.scaleRule = .automatic
    changed.windowRule = .automatic
    changed.recipe = DataRecipe()
    let (seed, files) = (settings.seed, files)
    // Lines from a file may write only what a script may.
    changed.files = files.asScript
    for step in recipe.steps {
      do throws(CommandError) {
        try context.stopIfInterrupted()
        switch step {
        case .line(let line), .noise(let line): try changed.make(line, context)
        case .edit(let edit): try changed.make(edit)
        }
      } catch {
        guard error.status != .interrupted else { throw error }
        throw CommandError(
          error.code, "the data cannot be made again: \(error.message)", hint: error.hint,
          status: .badInput)
      }
    }
    changed.settings.seed = seed
    changed.files = files
    self = changed
  }

  private mutating func make(
    _ line: DataRecipe.Line, _ context: CommandContext
  ) throws(CommandError) {
    settings.seed = line.seed
    let runner = CommandRunner(
      commands: dataMakers + [Command(.let)], workspace: self, overrides: line.variables,
      progress: context.progress, interruption: context.interruption, describe: commandError)
    for name in line.variables.keys.sorted() { _ = runner.run("let \(name)", line: 1) }
    if var error = runner.run(line.text, line: 1)?.error {
      if error.status != .interrupted {
        error.message = "\"\(line.text.prefix(80))\": \(error.message)"
      }
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
      recipe.note(assigned: values, to: name, hasNoisy: noisyStack != nil)
    } catch {
      throw commandError(error)
    }
  }

  /// The commands that make data; none of them writes a file.
  private var dataMakers: [Command<Workspace>] {
    commands.filter { $0.spec.recipe?.isOfNetwork == false }.map { command in
      command.around { body in
        { arguments, workspace, context in
          guard !arguments.has("save") else {
            throw arguments.error(
              at: "save", .file, "a file must not make others be written",
              hint: "take a checkpoint that Backflow wrote")
          }
          return try body(arguments, &workspace, context)
        }
      }
    }
  }
}

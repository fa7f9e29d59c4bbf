import CommandLanguage
import GradientFlows
import Networks
import Operations
import Tensors
import Training

extension Command<Workspace> {
  static let tensor = Command(
    CommandSpec(
      "tensor", family: .stepping,
      summary: "Type numbers, or compute some from others, recorded on a tape.",
      details: """
        The value is a number, a list [[1,0],[0,1]], a name, or + - * / and functions of these: \
        sum( ), mean( ), conv(x,w), and the activations linear( ), relu( ), leaky-relu( ), elu( ), \
        sigmoid( ), tanh( ), arctan( ). Names of data and of the network give a copy of their \
        numbers. 'backward y' then gives the gradients of y: a.grad. \
        What stands between is called y.1, y.2, …. 'tensor' alone lists what is there.
        """,
      parameters: [
        .word(
          "name", .text(placeholder: "NAME"), "letters, digits and _", default: .absent("list")),
        .assigned("value", "numbers, or what computes them", default: .absent("list")),
      ],
      examples: [
        "tensor a = 2",
        CommandExample("tensor y = (c + d) + c*d", after: ["tensor c = 5", "tensor d = 6"]),
        "tensor w = [[1,0],[0,1]]",
        CommandExample("tensor z = sum(relu(conv(x, w)))", after: image),
      ], seeAlso: ["backward", "explain", "assign", "quiz"])
  ) { arguments, workspace, _ in
    guard let name = arguments.textIfGiven("name") else {
      guard !arguments.has("value") else {
        throw arguments.error(
          .missingArgument, "the tensor has no name", hint: "for example tensor a = 2")
      }
      return workspace.listTensors()
    }
    try workspace.requireFreeName(name, arguments)
    guard arguments.has("value") else {
      throw arguments.error(
        at: "name", .missingArgument, "\(name) has no value", hint: "for example tensor \(name) = 2"
      )
    }
    let expression = try Expression(
      parsing: try arguments.source("value"), functions: Workspace.functions)
    var computation = workspace.computation
    let first = computation.nodes.count
    var place = try workspace.build(expression, &computation, arguments)
    // A name alone, or a number that others use, is copied, so that both names stay.
    if place < first { place = try computation.compute(Copy(), [place]) }
    computation.bind(name, to: place, computedSince: first)
    guard computation.nodes.count <= 100_000 else {
      throw arguments.error(.limit, "more than 100000 numbers and operations were typed")
    }
    workspace.computation = computation
    workspace.closeTypedWalk()
    return describe(name, computation.nodes[place].value, computation.formula(of: place))
  }

  private static let image = [
    "phantom size=32 slices=2", "tensor x = clean[1, 10:14, 10:14]",
    "tensor w = [[0,0.1,0],[0.1,0.6,0.1],[0,0.1,0]]",
  ]
}

private func describe(_ name: String, _ value: Tensor<Float>, _ formula: String?) -> Outcome {
  var outcome = Outcome("\(name) = \(formula.map { "\($0) = " } ?? "")\(told(value))")
  outcome.result = [
    "name": .string(name), "shape": .list(value.shape.extents) { .integer($0) },
    "values": .list(value.scalars) { .number(Double($0)) },
  ]
  return outcome
}

/// A number, a small list in one line, or the shape and range of a larger tensor.
func told(_ value: Tensor<Float>) -> OutputLine {
  func number(_ x: Float) -> OutputLine {
    // Small whole numbers stay as they were typed.
    x == x.rounded() && abs(x) < 1e6 ? "\(Double(x))" : "\(Double(x), significant: 6)"
  }
  guard value.shape.count > 1 else { return number(value.scalars[0]) }
  guard value.shape.rank <= 2, value.shape.count <= 32 else {
    let statistics = value.statistics(excluding: nil)
    return """
      \(value.shape.description), \(statistics.min, significant: 6)…\
      \(statistics.max, significant: 6)
      """
  }
  let width = value.shape.extents.last ?? 1
  func listed(_ lines: [OutputLine]) -> OutputLine {
    let joined: OutputLine = lines.dropFirst().reduce(lines[0]) { "\($0), \($1)" }
    return "[\(joined)]"
  }
  let rows = stride(from: 0, to: value.shape.count, by: width).map { start in
    listed(value.scalars[start..<start + width].map(number))
  }
  return value.shape.rank == 1 ? rows[0] : listed(rows)
}

// MARK: - Typed numbers in the workspace

extension Workspace {
  /// A function that may stand in a typed value.
  private struct TypedFunction: Sendable {
    let name: String
    var operands = ["x"]
    /// Makes the operation for a first operand of a shape.
    let operation: @Sendable (Shape) -> any Operation
  }

  private static let typedFunctions =
    [
      TypedFunction(name: "sum") { _ in Total() },
      TypedFunction(name: "mean") { Total(meanOf: $0.count) },
      TypedFunction(name: "conv", operands: ["image", "kernel"]) { _ in Convolution2D() },
    ]
    + Activation.allCases.map { function in
      TypedFunction(name: function.rawValue) { _ in Activate(function) }
    }

  static let functions = typedFunctions.map(\.name)

  fileprivate func listTensors() -> Outcome {
    guard !computation.names.isEmpty else {
      return Outcome("no numbers were typed yet; for example: tensor a = 2")
    }
    var outcome = Outcome()
    for name in computation.names {
      guard let place = computation.place(name) else { continue }
      let node = computation.nodes[place]
      let formula = computation.formula(of: place).map { "\($0) = " } ?? ""
      outcome.say("\(name) = \(formula)\(told(node.value))")
    }
    outcome.result = ["names": .list(computation.names) { .string($0) }]
    return outcome
  }

  /// Throws unless a typed tensor may have the name that `argument` gives.
  func requireFreeName(
    _ name: String, at argument: String = "name", _ arguments: Arguments
  ) throws(CommandError) {
    guard Variables.isName(name) else {
      throw arguments.error(
        at: argument, .wrongValue, "'\(name)' cannot name a tensor",
        hint: "use letters, digits and _, beginning with a letter")
    }
    let isLayer = commands.contains { command in
      guard case .layer(let letter) = command.spec.recipe else { return false }
      return name.hasPrefix(letter) && Int(name.dropFirst(letter.count)) != nil
    }
    guard !isLayer,
      !(Self.stackNames + ["net", "loss", "previous"] + Self.functions).contains(name)
    else {
      throw arguments.error(
        at: argument, .wrongValue, "\(name) has a meaning of its own",
        hint: "take another name, for example \(name)_")
    }
  }

  /// Adds the operations of an expression to `computation` and returns the place of its result.
  mutating func build(
    _ expression: Expression, _ computation: inout Computation, at argument: String = "value",
    _ arguments: Arguments
  ) throws -> Int {
    do {
      return try place(expression, &computation)
    } catch let error as OperationError {
      throw arguments.error(at: argument, .shape, error.message, hint: error.hint)
    } catch let error as CommandError {
      guard error.line == nil else { throw error }
      throw CommandError(
        error.code, error.message, hint: error.hint,
        range: error.range ?? arguments.range(of: argument), line: arguments.line)
    }
  }

  private mutating func place(
    _ expression: Expression, _ computation: inout Computation
  ) throws -> Int {
    switch expression {
    case .number(let value):
      return computation.give(
        Tensor(shape: [], scalars: [Float(value)]),
        called: NumberFormat.shortest.string(value))
    case .negation(let inner):
      if case .number(let value) = inner { return try place(.number(-value), &computation) }
      return try computation.compute(Negation(), [try place(inner, &computation)])
    case .operation(let symbol, let left, let right):
      let (x, y) = (try place(left, &computation), try place(right, &computation))
      let operation: any Operation =
        switch symbol {
        case .add: Sum()
        case .subtract: Difference()
        case .multiply: Product()
        case .divide: Quotient()
        }
      return try computation.compute(elementwise: operation, x, y)
    case .name(let name, let range):
      if let known = computation.place(name) { return known }
      do {
        let value = try value(name)
        try require(value.tensor, name)
        return computation.give(value.tensor, called: name)
      } catch {
        let cause = commandError(error)
        throw CommandError(cause.code, cause.message, hint: cause.hint, range: range)
      }
    case .list(let items, let range):
      let list = try Self.numbers(items, range)
      return computation.give(
        Tensor(shape: Shape(list.shape), scalars: list.scalars), called: "list")
    case .call(let name, let inner, let range):
      return try call(name, inner, range, &computation)
    }
  }

  private func require(_ tensor: Tensor<Float>, _ name: String) throws(CommandError) {
    guard tensor.shape.rank <= 4, tensor.shape.count <= 1 << 20 else {
      throw CommandError(
        .limit, "\(name) is \(tensor.shape), too large to compute with here",
        hint: "take a part, for example \(name)[0, 0, 0:16, 0:16]")
    }
  }

  private mutating func call(
    _ name: String, _ inner: [Expression], _ range: Range<Int>, _ computation: inout Computation
  ) throws -> Int {
    let known = name.lowercased()
    guard let function = Self.typedFunctions.first(where: { $0.name == known }) else {
      throw CommandError(
        .unknownName, "there is no function '\(name)'",
        hint: NearestNames.question(for: name, among: Self.functions)
          ?? "there are \(Self.functions.joined(separator: " "))", range: range)
    }
    let count = function.operands.count
    guard inner.count == count else {
      throw CommandError(
        .syntax, "\(known) takes \(count == 1 ? "one tensor" : "two tensors"), not \(inner.count)",
        hint: "\(known)(\(function.operands.joined(separator: ", ")))", range: range)
    }
    var operands: [Int] = []
    for expression in inner { operands.append(try place(expression, &computation)) }
    let shape = computation.nodes[operands[0]].value.shape
    return try computation.compute(function.operation(shape), operands)
  }

  /// The shape and numbers of a nested list; throws if rows differ in length.
  private static func numbers(
    _ items: [Expression], _ range: Range<Int>
  ) throws(CommandError) -> (shape: [Int], scalars: [Float]) {
    func fault(_ message: String) -> CommandError {
      CommandError(
        .syntax, message, hint: "for example [1, 2, 3] or [[1,0],[0,1]]", range: range)
    }
    guard !items.isEmpty else { throw fault("the list is empty") }
    var inner: [Int]?
    var scalars: [Float] = []
    for item in items {
      let part: (shape: [Int], scalars: [Float])
      switch item {
      case .list(let items, let range): part = try numbers(items, range)
      case .number(let value): part = ([], [Float(value)])
      case .negation(.number(let value)): part = ([], [Float(-value)])
      default: throw fault("a list holds numbers or lists of numbers")
      }
      guard inner == nil || inner == part.shape else {
        throw fault("the rows are not equally long")
      }
      inner = part.shape
      scalars += part.scalars
    }
    let shape = [items.count] + (inner ?? [])
    guard shape.count <= 4 else { throw fault("a tensor has four axes at most") }
    return (shape, scalars)
  }

  // MARK: - Looking at them

  /// Whether a name, with or without `.grad`, belongs to a typed tensor.
  func isTyped(_ name: String) -> Bool {
    computation.place(ValueName(name).gradientBase ?? name) != nil
  }

  /// The typed tensor or its gradient; nil if no typed tensor has the name.
  func typedTensor(_ name: String) throws(CommandError) -> Tensor<Float>? {
    guard isTyped(name) else { return nil }
    guard let base = ValueName(name).gradientBase else { return computation.node(name)?.value }
    guard let walk = computationWalk else {
      throw CommandError(
        .state, "\(base) has no gradient yet",
        hint: "type 'backward y', where y is a single number computed from \(base)")
    }
    guard let gradient = walk.value(name, flow: 0) else {
      throw CommandError(
        .state, "\(walk.end) was not computed from \(base)", hint: "'tensor' lists what is there")
    }
    return gradient
  }

  func typedExplanation(
    of name: String, at index: [Int], most: Int, _ arguments: Arguments
  ) throws(CommandError) -> Explanation {
    // Gradients are explained by the numbers that they were computed from.
    let isGradient = ValueName(name).gradientBase != nil
    let source = isGradient ? computationWalk?.computation ?? computation : computation
    guard
      let found = source.explanation(
        of: name, at: index, gradients: computationWalk?.gradients, most: most)
    else {
      throw arguments.error(
        at: "name", .state, "\(name) was typed, not computed",
        hint: "explain what was computed from it, or its gradient")
    }
    return found
  }

  /// The derivative of the end of the last 'backward' by a typed number, from differences; nil for
  /// values.
  func typedDifference(by name: String, at index: [Int]) -> Double? {
    guard let base = ValueName(name).gradientBase, let walk = computationWalk,
      let place = walk.computation.place(base)
    else { return nil }
    return walk.computation.difference(
      of: walk.gradients.end, by: place,
      at: walk.computation.nodes[place].value.shape.offset(of: index))
  }

  /// Opens the walk to a typed number and back.
  mutating func openTyped(
    _ name: String, startsBackward: Bool, _ arguments: Arguments
  ) throws(CommandError) -> Outcome {
    guard let place = computation.place(name) else {
      throw arguments.error(
        .unknownName, "there is no typed tensor '\(name)'", hint: "'tensor' lists what is there")
    }
    let value = computation.nodes[place].value
    guard value.shape.count == 1 else {
      throw arguments.error(
        .shape, "\(name) is \(value.shape); a gradient is of a single number",
        hint: "for example tensor loss_ = sum(\(name)), then backward loss_")
    }
    let walk = ComputationWalk(computation, computation.gradients(of: place))
    computationWalk = walk
    stepper = Stepper(walk, startsBackward: startsBackward)
    return describeOpening()
  }

  /// Ends a walk of typed numbers, which they would no longer match.
  mutating func closeTypedWalk() {
    if let stepper, stepper.networkWalk == nil { self.stepper = nil }
  }
}

import Networks
package import Operations
import Tensors

/// The terms behind each named number of a pass that kept everything.
extension PassResult<Float> {
  /// Explains the element at `index` of the value or gradient called `name`.
  ///
  /// - Parameters:
  ///   - name: Such as `b1.conv1.z` or `c1.weight.grad`; not an optimizer's tensor.
  ///   - index: One number an axis.
  ///   - pass: What this is the result of.
  ///   - flow: How the gradients travelled.
  ///   - most: How many terms are listed.
  /// - Returns: The arithmetic; nil for what nothing computes: the input and the weights.
  package func explanation(
    of name: String, at index: [Int], in pass: TrainingPass<Float>, flow: any GradientFlow,
    most: Int = 8
  ) -> Explanation? {
    let source = PassTerms(result: self, pass: pass, flow: flow)
    guard let stored = source.stored(name), let terms = source.terms(of: name, at: index) else {
      return nil
    }
    return terms.explanation(of: stored.place(index), stored: stored.value(index), most: most)
  }
}

/// Finds the terms of a number: those of the operation that computes it, or of the pullbacks whose sum
/// its gradient is.
private struct PassTerms {
  let result: PassResult<Float>
  let pass: TrainingPass<Float>
  let flow: any GradientFlow

  private var program: Program<Float> { result.program }

  func terms(of name: String, at index: [Int]) -> TermList? {
    if name == "loss.grad" { return TermList("∂loss/∂loss", [[.init("1", 1)]]) }
    guard let base = ValueName(name).gradientBase else {
      return program.place(name).flatMap { valueTerms(of: $0, at: index) }
    }
    if !flow.goesBack, let parameter = pass.network.parameterNames.firstIndex(of: base) {
      let offset = pass.network.parameters[parameter].shape.offset(of: index)
      return flow.terms(ofParameter: parameter, at: offset, in: pass)
    }
    return program.place(base).flatMap { gradientTerms(of: $0, at: index) }
  }

  /// The numbers called `name`; nil if nothing has that name or it was not kept.
  func stored(_ name: String) -> NamedGrid? {
    if name == "loss.grad" { return NamedGrid(name: name, .number(1)) }
    if name == "loss" { return result.value(name).map { NamedGrid(name: name, .tensor($0)) } }
    guard let base = ValueName(name).gradientBase else {
      return program.place(name).flatMap { result.known($0) }.map { NamedGrid(name: name, $0) }
    }
    return program.place(base).flatMap { gradient($0) }.map { NamedGrid(name: name, $0) }
  }

  private func gradient(_ place: Int) -> Value<Float>? {
    guard program.nodes[place].isParameter else { return result.gradientValue(of: place) }
    return program.nodes[place].name.flatMap { result.gradient($0) }.map { .tensor($0) }
  }

  // MARK: - Values

  private func valueTerms(of place: Int, at index: [Int]) -> TermList? {
    let node = program.nodes[place]
    guard let operation = node.operation else { return nil }
    if node.isAlias, program.nodes[node.operands[0]].layer == node.layer {
      return valueTerms(of: node.operands[0], at: index)
    }
    let terms = operation.terms(at: index, grids(place))
    if node.isAlias { return terms.told("what the layer before hands on") }
    let isOfInput =
      operation is Copy && node.layer.map { program.layers[$0].input } == node.operands[0]
    let right =
      isOfInput ? "in" : terms.formula.isEmpty ? program.formula(place) : terms.formula
    let left = node.layer == nil ? node.name ?? "" : node.symbol
    return terms.adding(TermList([]), "\(left) = \(right)")
  }

  private func grids(_ place: Int) -> OperationGrids {
    OperationGrids(
      operands: program.nodes[place].operands.map { valueGrid($0, at: program.nodes[place].place) },
      result: valueGrid(place, at: program.nodes[place].place))
  }

  /// The value of a node; what a layer was given goes by the name of what hands it on.
  private func valueGrid(_ index: Int, at place: String?) -> NamedGrid {
    let value: Value<Float>? =
      switch program.nodes[index].given {
      case .target: .tensor(pass.target)
      case .mask: pass.mask.map { .tensor($0) }
      default: result.known(index)
      }
    guard let value else { preconditionFailure("A value was not kept.") }
    // One channel that serves all goes by the name of the value that it is.
    var named = index
    while program.nodes[named].name == nil, program.nodes[named].operation?.sharesResult == true {
      named = program.nodes[named].operands[0]
    }
    return NamedGrid(
      name: program.called(named, at: nil), letter: program.called(index, at: place), value)
  }

  // MARK: - Gradients

  private func gradientTerms(of place: Int, at index: [Int]) -> TermList? {
    var parts: [(left: String, terms: TermList)] = []
    let leads = program.leadsToLoss
    var handsDown = false
    for reader in program.nodes.indices where leads[reader] {
      for number in program.nodes[reader].operands.indices
      where program.nodes[reader].operands[number] == place
        && program.nodes[reader].hasPullback(to: number)
      {
        handsDown = program.nodes[reader].isAlias && program.nodes[reader].layer != nil
        guard let share = share(of: reader, to: number, at: index) else { return nil }
        parts.append((left(of: place, by: reader), share))
      }
    }
    guard let first = parts.first else { return nil }
    var terms = parts.dropFirst().reduce(first.terms) { sum, part in
      sum.adding(part.terms, "\(sum.formula) + \(part.terms.formula)")
    }
    let isHandedOn = program.layers.dropLast().contains { $0.output == place }
    if isHandedOn, handsDown, parts.count == 1, join(at: place) == nil {
      return terms.told("G = what the layer above passes on")
    }
    if let join = join(at: place) {
      let names = program.layers.map { String(name($0.input).prefix { $0 != "." }) }
      terms = terms.adding(links(index, join), "\(terms.formula) + \(join.formula(names))")
    }
    return terms.adding(TermList([]), "\(first.left) = \(terms.formula)")
  }

  /// The left-hand side of the formula of the share that `reader` hands back to the node at `place`.
  private func left(of place: Int, by reader: Int) -> String {
    let (node, reading) = (program.nodes[place], program.nodes[reader])
    // Of an activation that another convolution reads, and of the last layer's result.
    if node.symbol == "a" || node.layer != nil && reading.layer == nil {
      return program.gradientCalled(place)
    }
    return node.layer == reading.layer
      ? program.targetCalled(place, by: reader) : "\(node.name ?? node.symbol).grad"
  }

  private func name(_ place: Int) -> String { program.nodes[place].name ?? "" }

  /// The terms of the gradient that the operation at `reader` hands back to its operand `number`.
  private func share(of reader: Int, to number: Int, at index: [Int]) -> TermList? {
    let node = program.nodes[reader]
    guard let operation = node.operation else { return nil }
    let operand = node.operands[number]
    let isOfLayer = program.nodes[operand].layer == node.layer
    let called = isOfLayer ? program.gradientCalled(reader) : "\(node.name ?? node.symbol).grad"
    // The sum of a gradient that has no name is told by that gradient's own terms.
    if node.name == nil, let value = result.known(operand),
      let gradient = result.gradientValue(of: reader),
      let places = operation.pullbackPlaces(
        at: index, of: gradient.shape, to: value.shape)
    {
      let inner = places.compactMap { gradientTerms(of: reader, at: $0) }
      guard let first = inner.first else { return nil }
      let text = String(first.formula.split(separator: " = ", maxSplits: 1).last ?? "")
      let told = operation.pullbackFormula(text, to: number, program.operationNames(reader)).text
      return inner.dropFirst().reduce(first) { $0.adding($1, "") }.adding(TermList([]), told)
    }
    guard let gradient = gradient(reader) else { return nil }
    let grid = NamedGrid(
      name: node.name.map { $0 + ".grad" } ?? called, letter: called, gradient)
    var terms = operation.pullbackTerms(at: index, to: number, grid, grids(reader))
    if terms.formula.isEmpty {
      let names = program.operationNames(reader)
      terms = terms.adding(
        TermList([]), operation.pullbackFormula(called, to: number, names).text)
    }
    if node.name != nil {
      // An activation is read by a convolution of another place.
      let isNext =
        program.nodes[operand].symbol == "a" && node.place != program.nodes[operand].place
      return isNext && node.symbol == "z"
        ? terms.adding(
          TermList([]), terms.formula.replacing(called, with: "\(called) of the next convolution"))
        : terms
    }
    // How the gradient without a name comes about.
    let note = "\(called) = \(gradientFormula(of: reader))"
    return terms.adding(TermList("", note: note, []), terms.formula)
  }

  /// The gradient of the node at `place` in letters.
  private func gradientFormula(of place: Int) -> String {
    program.nodes.indices.flatMap { reader -> [String] in
      let node = program.nodes[reader]
      guard let operation = node.operation else { return [] }
      return node.operands.indices.filter { node.operands[$0] == place }.map {
        operation.pullbackFormula(
          program.gradientCalled(reader), to: $0, program.operationNames(reader)
        ).text
      }
    }.joined(separator: " + ")
  }

  // MARK: - Links

  private func join(at place: Int) -> LinkJoin? {
    for (index, layer) in program.layers.enumerated() {
      guard let join = flow.join(at: index, in: pass.network, epoch: pass.epoch),
        place == (join.isBehindDerivative ? layer.preactivation : layer.output)
      else { continue }
      return join
    }
    return nil
  }

  /// ρ times what linked layers pass on, as a sum or a product.
  private func links(_ index: [Int], _ join: LinkJoin) -> TermList {
    let sources = join.sources.compactMap { source -> Explanation.Factor? in
      let place = program.layers[source].input
      return result.gradientValue(of: place).map {
        NamedGrid(name: "\(name(place)).grad", $0).factor(index)
      }
    }
    let ρ = Explanation.Factor("ρ", join.weight)
    return join.isProduct
      ? TermList([[ρ] + sources]) : TermList(sources.map { [ρ, $0] })
  }
}

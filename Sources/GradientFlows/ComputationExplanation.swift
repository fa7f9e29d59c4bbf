import Tensors

/// The terms behind each number of a computation.
extension Computation {
  /// Explains the element at `index` of the value or gradient called `name`.
  ///
  /// - Parameters:
  ///   - name: Such as `y`, `y.1` or `c.grad`.
  ///   - index: One number an axis; none for a single number.
  ///   - gradients: What was read backwards last, for gradients.
  ///   - most: How many terms are listed.
  /// - Returns: The arithmetic; none for what nothing computes.
  package func explanation(
    of name: String, at index: [Int], gradients: ComputationGradients?, most: Int = 8
  ) -> Explanation? {
    let isGradient = name.hasSuffix(".grad")
    guard let place = place(isGradient ? String(name.dropLast(5)) : name) else { return nil }
    let stored: Tensor<Float>
    let terms: TermList
    if isGradient {
      guard let gradients, let value = gradients.values[place] else { return nil }
      (stored, terms) = (value, gradientTerms(of: place, at: index, gradients))
    } else {
      guard nodes[place].operation != .given else { return nil }
      (stored, terms) = (nodes[place].value, valueTerms(of: place, at: index))
    }
    let grid = NamedGrid(name: name, tensor: stored)
    return terms.explanation(of: grid.place(index), stored: grid.value(index), most: most)
  }

  private func grid(_ place: Int, gradient: Tensor<Float>? = nil) -> NamedGrid {
    NamedGrid(
      name: gradient == nil ? nodes[place].name : "\(nodes[place].name).grad",
      tensor: gradient ?? nodes[place].value)
  }

  /// The same number of axes that a convolution counts.
  private func image(_ grid: NamedGrid) -> NamedGrid {
    let shape = grid.tensor.shape
    return NamedGrid(
      name: grid.name,
      tensor: grid.tensor.reshaped(
        Shape(Array(repeating: 1, count: 4 - shape.rank) + shape.extents)),
      rank: shape.rank)
  }

  private func image(_ index: [Int]) -> [Int] {
    Array(repeating: 0, count: 4 - index.count) + index
  }

  private func all(_ shape: Shape) -> [[Int]] { (0..<shape.count).map { shape.position(of: $0) } }

  private func valueTerms(of place: Int, at index: [Int]) -> TermList {
    let node = nodes[place]
    let formula = "\(node.name) = \(self.formula(of: place))"
    let operands = node.operands.map { grid($0) }
    let single = operands.map { $0.tensor.shape.count == 1 ? [] : index }
    func factor(_ i: Int) -> Explanation.Factor {
      operands[i].tensor.shape.count == 1
        ? operands[i].factor(Array(repeating: 0, count: operands[i].tensor.shape.rank))
        : operands[i].factor(single[i])
    }
    switch node.operation {
    case .given: preconditionFailure("What is given has no terms.")
    case .copy, .spread: return TermList(formula, [[factor(0)]])
    case .negative: return TermList(formula, [[.init("−1", -1), factor(0)]])
    case .sum: return TermList(formula, [[factor(0)], [factor(1)]])
    case .difference: return TermList(formula, [[factor(0)], [.init("−1", -1), factor(1)]])
    case .product: return TermList(formula, [[factor(0), factor(1)]])
    case .quotient:
      let bottom = factor(1)
      return TermList(formula, [[factor(0), .init("1/\(bottom.name)", 1 / bottom.value)]])
    case .activation(let function):
      let z = factor(0)
      return TermList(
        "\(node.name) = \(function.formula), z = \(z.name) = \(Float(z.value))",
        [[.init("\(function.rawValue)(z)", function.value(z.value))]])
    case .total, .mean:
      let shape = operands[0].tensor.shape
      let share = Explanation.Factor("1/\(shape.count)", 1 / Double(shape.count))
      return TermList(
        formula,
        all(shape).map { [operands[0].factor($0)] + (node.operation == .mean ? [share] : []) })
    case .convolution:
      return .convolution(image(index), image(operands[0]), image(operands[1]))
        .adding(nil, formula)
    }
  }

  /// What arrived at the gradient, arrival by arrival.
  private func gradientTerms(
    of place: Int, at index: [Int], _ gradients: ComputationGradients
  ) -> TermList {
    let numbers = gradients.arrivals.indices.filter { gradients.arrivals[$0].to == place }
    guard place != gradients.end || !numbers.isEmpty else {
      return TermList("∂\(nodes[place].name)/∂\(nodes[place].name)", [[.init("1", 1)]])
    }
    let name = "\(nodes[place].name).grad"
    let words = numbers.map {
      gradients.factor($0, in: self).formula("\(nodes[gradients.arrivals[$0].from].name).grad")
    }
    let parts = numbers.map { arrivalTerms($0, at: index, gradients) }
    let formula = "\(name) = \(words.joined(separator: " + "))"
    return parts.dropFirst().reduce(parts.first ?? TermList(formula, [])) { $0.adding($1, "") }
      .adding(nil, formula)
  }

  private func arrivalTerms(
    _ number: Int, at index: [Int], _ gradients: ComputationGradients
  ) -> TermList {
    let arrival = gradients.arrivals[number]
    let node = nodes[arrival.from]
    let position = gradients.operand(number, in: self)
    guard let value = gradients.values[arrival.from] else { return TermList("", []) }
    let g = grid(arrival.from, gradient: value)
    let operands = node.operands.map { grid($0) }
    func atIndex() -> Explanation.Factor { g.factor(index) }
    switch node.operation {
    case .given: preconditionFailure("Nothing arrives from what is given.")
    case .copy, .sum: return TermList("", [[atIndex()]])
    case .negative: return TermList("", [[.init("−1", -1), atIndex()]])
    case .difference:
      return TermList("", [position == 0 ? [atIndex()] : [.init("−1", -1), atIndex()]])
    case .product: return TermList("", [[atIndex(), operands[1 - position].factor(index)]])
    case .quotient:
      let bottom = operands[1].factor(index)
      let inverse = Explanation.Factor("1/\(bottom.name)", 1 / bottom.value)
      return TermList(
        "",
        [
          position == 0
            ? [atIndex(), inverse]
            : [.init("−1", -1), atIndex(), grid(arrival.from).factor(index), inverse]
        ])
    case .spread: return TermList("", all(value.shape).map { [g.factor($0)] })
    case .activation(let function):
      let known = (function.needsPreactivation ? operands[0] : grid(arrival.from)).factor(index)
      return TermList(
        "",
        [
          [
            atIndex(),
            .init("\(function.rawValue)′ from \(known.name)", function.derivative(known.value)),
          ]
        ])
    case .total, .mean:
      let count = operands[0].tensor.shape.count
      let whole = [g.factor([])]
      return TermList(
        "",
        [node.operation == .mean ? whole + [.init("1/\(count)", 1 / Double(count))] : whole])
    case .convolution:
      return position == 0
        ? .throughKernel(image(index), image(g), image(operands[1]), "")
        : .kernelGradient(
          image(index), image(g), image(operands[0]),
          kernel: operands[1].tensor.shape.extents.last ?? 1)
    }
  }
}

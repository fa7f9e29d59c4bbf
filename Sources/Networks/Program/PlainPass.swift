// A pass of which every value is kept: the program's operations one after the other, forwards, and
// their pullbacks from the last to the first.
//
// Training computes the same with fused kernels and lets go of what it has read; the numbers are the
// same bits (see `FusionTests`).

package import Operations
package import Tensors

/// The values and gradients of a program, one operation after the other.
package struct PlainPass<Element: Scalar>: Sendable {
  package let program: Program<Element>
  /// By place among the nodes; nil where nothing was computed or kept.
  package private(set) var values: [Value<Element>?]
  package private(set) var gradients: [Value<Element>?]

  package init(_ program: Program<Element>) {
    self.program = program
    values = Array(repeating: nil, count: program.nodes.count)
    gradients = values
  }

  /// Takes the parameters, which the program holds.
  package mutating func giveParameters() {
    for (index, node) in program.nodes.enumerated() {
      if case .parameter(let tensor) = node.given { values[index] = .tensor(tensor) }
    }
  }

  /// Takes a value that was computed elsewhere.
  package mutating func give(_ value: Value<Element>, at index: Int) { values[index] = value }

  /// Takes a gradient that was computed elsewhere.
  package mutating func give(gradient: Value<Element>, at index: Int) {
    gradients[index] = gradient
  }

  // MARK: - Forward

  /// Computes the nodes in `range`.
  package mutating func forward(_ range: Range<Int>) {
    for index in range {
      guard let operation = program.nodes[index].operation else { continue }
      values[index] = operation.forward(operands(of: index))
    }
  }

  private func operands(of index: Int) -> [Value<Element>] {
    program.nodes[index].operands.map { operand in
      guard let value = values[operand] else {
        preconditionFailure("\(program.nodes[operand].name ?? "a value") was not computed.")
      }
      return value
    }
  }

  // MARK: - Backward

  /// Computes the gradients of all that some nodes read, from that of the last of them.
  ///
  /// Shares that arrive at a value from several readers are added in the order of the readers.
  ///
  /// - Parameters:
  ///   - range: The places of the nodes.
  ///   - seed: The gradient of the last node in `range`.
  ///   - joining: What a flow adds to the gradient of the node at a place; nil where it adds nothing.
  package mutating func backward(
    _ range: Range<Int>, seed: Value<Element>,
    joining: (_ place: Int, _ gradients: [Value<Element>?]) -> FeatureMap<Element>? = { _, _ in
      nil
    }
  ) {
    var arrivals: [Int: [Value<Element>]] = [range.upperBound - 1: [seed]]
    func settle(_ index: Int, _ gradients: [Value<Element>?]) -> Value<Element>? {
      guard let arrived = arrivals.removeValue(forKey: index), let last = arrived.last else {
        return nil
      }
      let sum = arrived.dropLast().reversed().reduce(last) { $0.adding($1) }
      guard let extra = joining(index, gradients) else { return sum }
      return .map(sum.map.adding(extra))
    }
    for index in range.reversed() {
      guard let gradient = settle(index, gradients) else { continue }
      gradients[index] = gradient
      let node = program.nodes[index]
      guard let operation = node.operation, let result = values[index] else { continue }
      let application = OperationValues(operands: operands(of: index), result: result)
      for (number, operand) in node.operands.enumerated() where program.hasGradient(operand) {
        arrivals[operand, default: []].append(
          operation.pullback(gradient, to: number, application))
      }
      if node.name == nil { (values[index], gradients[index]) = (nil, nil) }
    }
    for index in arrivals.keys { gradients[index] = settle(index, gradients) }
  }

  // MARK: - What it holds

  /// Whether a convolution found a NaN or an infinity.
  package var foundNonFinite: Bool {
    values.contains { if case .map(let map) = $0 { map.foundNonFinite } else { false } }
  }

  /// Keeps the values and gradients of the nodes in `range`, of what they read, and no others.
  package mutating func keep(only range: Range<Int>) {
    let wanted = Set(range).union(range.flatMap { program.nodes[$0].operands })
    for index in values.indices where !wanted.contains(index) {
      (values[index], gradients[index]) = (nil, nil)
    }
  }
}

// Numbers that were typed, and what was computed from them: a tape to play with.
//
// Every line `y = (c + d) + c*d` is written down operation by operation; what stands between gets a
// name of its own: y.1 = c + d, y.2 = c·d, y = y.1 + y.2. Names are bound as in Python: to define a
// name again leaves what was computed from the old one as it is.
//
// Values are in single precision, as a network's; the gradients are read from a `Tape`.

package import Operations
package import Tensors

/// Named tensors and the operations that made them.
package struct Computation: Sendable {
  package struct Node: Sendable {
    package fileprivate(set) var name: String
    /// The operation that made the value; nil for what was typed.
    package fileprivate(set) var operation: (any Operation)?
    /// Places of what it was made from.
    package fileprivate(set) var operands: [Int]
    package fileprivate(set) var value: Tensor<Float>
    /// Whether a gradient of it is wanted: not of numbers within an expression.
    package fileprivate(set) var isVariable: Bool
    /// Whether gradients end here: it is a name for what was typed, or for what was computed of numbers
    /// without a name.
    package fileprivate(set) var isLeaf = false
    /// The name of what was copied, such as `clean[1]`; nil for what was typed or computed.
    package fileprivate(set) var origin: String?
  }

  package private(set) var nodes: [Node] = []
  /// The places of the names.
  private var places: [String: Int] = [:]

  package init() {}

  /// The names, in the order of their definition.
  package var names: [String] { places.keys.sorted { (places[$0] ?? 0) < (places[$1] ?? 0) } }

  package func place(_ name: String) -> Int? {
    places[name] ?? nodes.lastIndex { $0.name == name && $0.operation != nil }
  }

  package func node(_ name: String) -> Node? { place(name).map { nodes[$0] } }

  // MARK: - Defining

  /// Writes a tensor that nothing computes; gradients reach it once it is bound to a name.
  package mutating func give(_ value: Tensor<Float>, called name: String) -> Int {
    nodes.append(
      Node(
        name: name, operation: nil, operands: [], value: value, isVariable: false, origin: name))
    return nodes.count - 1
  }

  /// Computes a value from others and writes it.
  ///
  /// - Throws: `OperationError` when the shapes do not fit.
  package mutating func compute(
    _ operation: any Operation, _ operands: [Int]
  ) throws(OperationError) -> Int {
    let shape = try operation.resultShape(operands.map { nodes[$0].value.shape })
    let inputs = operands.map { Value.map(FeatureMap(nodes[$0].value.asImage)) }
    let result = operation.forward(inputs).tensor
    nodes.append(
      Node(
        name: "…", operation: operation, operands: operands, value: result.reshaped(shape),
        isVariable: operands.contains { nodes[$0].isVariable }))
    return nodes.count - 1
  }

  /// Computes element by element; a single number serves every place of a tensor.
  ///
  /// - Throws: `OperationError` when the shapes do not fit.
  package mutating func compute(
    elementwise operation: any Operation, _ left: Int, _ right: Int
  ) throws(OperationError) -> Int {
    var operands = [left, right]
    let shapes = operands.map { nodes[$0].value.shape }
    if shapes[0] != shapes[1], let single = shapes.firstIndex(where: { $0.count == 1 }) {
      operands[single] = try compute(Spread(to: shapes[1 - single]), [operands[single]])
    }
    return try compute(operation, operands)
  }

  /// Binds a name to what `place` holds; what was computed since `first` gets names of its own.
  package mutating func bind(_ name: String, to place: Int, computedSince first: Int) {
    if let old = places[name] { nodes[old].name = name + "′" }
    let between = (first..<nodes.count).filter { nodes[$0].operation != nil && $0 != place }
    for (number, index) in between.enumerated() { nodes[index].name = "\(name).\(number + 1)" }
    nodes[place].name = name
    if !nodes[place].isVariable { (nodes[place].isVariable, nodes[place].isLeaf) = (true, true) }
    places[name] = place
  }

  /// Gives a leaf another value, and computes again what depends on it.
  package mutating func assign(_ place: Int, _ value: Tensor<Float>) {
    precondition(nodes[place].isLeaf, "What is computed from names is not assigned.")
    precondition(nodes[place].value.shape == value.shape, "A value keeps its shape.")
    nodes[place].value = value
    (nodes[place].operation, nodes[place].operands) = (nil, [])
    var tape = Tape<Float>()
    let variables = record(upTo: nodes.count - 1, &tape)
    for index in nodes.indices where nodes[index].operation != nil {
      nodes[index].value = tape.map(variables[index]).tensor.reshaped(nodes[index].value.shape)
    }
  }

  // MARK: - Backwards

  /// The gradients of a single number with respect to all that it was computed from.
  package func gradients(of end: Int) -> ComputationGradients {
    precondition(nodes[end].value.shape.count == 1, "Gradients are of a single number.")
    var tape = Tape<Float>()
    let variables = record(upTo: end, &tape)
    let read = tape.gradients(of: variables[end], keepsAll: true, keepsArrivals: true)
    func place(_ variable: TapeVariable) -> Int? { variables.firstIndex(of: variable) }
    return ComputationGradients(
      end: end,
      values: nodes.indices.map { index in
        guard index <= end else { return nil }
        return read.map(variables[index])?.tensor.reshaped(nodes[index].value.shape)
      },
      arrivals: read.arrivals.compactMap { arrival in
        guard let from = place(arrival.from), let to = place(arrival.to) else { return nil }
        return .init(
          from: from, operand: arrival.operand, to: to,
          value: arrival.value.tensor.reshaped(nodes[to].value.shape))
      })
  }

  /// The derivative of the number at `end` by one element, by central differences in Double.
  package func difference(of end: Int, by place: Int, at offset: Int) -> Double {
    var tape = Tape<Double>()
    let variables = record(upTo: end, &tape)
    return tape.difference(of: variables[end], by: variables[place], at: offset)
  }

  /// Computes everything up to `end` again, on a tape; one entry a node.
  private func record<Element: Scalar>(
    upTo end: Int, _ tape: inout Tape<Element>
  ) -> [TapeVariable] {
    var variables: [TapeVariable] = []
    for node in nodes[...end] {
      guard let operation = node.operation else {
        let value = Tensor(
          shape: node.value.shape.asImage, scalars: node.value.scalars.map { Element($0) })
        variables.append(tape.input(FeatureMap(value), isVariable: node.isVariable))
        continue
      }
      let computed = tape.write(operation, node.operands.map { variables[$0] })
      // Gradients end at a name for what was computed of numbers without one.
      variables.append(node.isLeaf ? tape.input(tape.map(computed), isVariable: true) : computed)
    }
    return variables
  }
}

/// The gradients that one reading of a computation gave.
package struct ComputationGradients: Sendable {
  /// One operation's contribution to the gradient of one of its operands.
  package struct Arrival: Sendable {
    package let from: Int
    /// Which operand of the operation it is.
    package let operand: Int
    package let to: Int
    package let value: Tensor<Float>
  }

  /// The number that they are gradients of.
  package let end: Int
  /// By place; nil where the end does not depend on it.
  package let values: [Tensor<Float>?]
  /// In the order in which they were added.
  package let arrivals: [Arrival]
}

extension Tensor {
  fileprivate var asImage: Tensor { reshaped(shape.asImage) }
}

// Numbers that were typed, and what was computed from them: a tape to play with.
//
// Every line `y = (c + d) + c*d` is written down operation by operation; what stands between gets a
// name of its own: y.1 = c + d, y.2 = c·d, y = y.1 + y.2. Names are bound as in Python: to define a
// name again leaves what was computed from the old one as it is.
//
// Values are in single precision, as a network's; the gradients are read from a `Tape`.

package import Tensors

/// Named tensors and the operations that made them.
package struct Computation: Sendable {
  /// How a value was made from others.
  package enum Operation: Hashable, Sendable {
    case given
    case copy
    case negative
    case sum
    case difference
    case product
    case quotient
    /// One number at every place.
    case spread(Shape)
    case activation(Activation)
    case total
    case mean
    case convolution
  }

  package struct Node: Sendable {
    package fileprivate(set) var name: String
    package fileprivate(set) var operation: Operation
    /// Places of what it was made from.
    package fileprivate(set) var operands: [Int]
    package fileprivate(set) var value: Tensor<Float>
    /// Whether a gradient of it is wanted: not of numbers within an expression.
    package fileprivate(set) var isVariable: Bool
    /// Whether gradients end here: it is a name for what was typed, or for what was computed of numbers
    /// without a name.
    package fileprivate(set) var isLeaf = false
  }

  package private(set) var nodes: [Node] = []
  /// The places of the names.
  private var places: [String: Int] = [:]

  package init() {}

  /// The names, in the order of their definition.
  package var names: [String] { places.keys.sorted { (places[$0] ?? 0) < (places[$1] ?? 0) } }

  package func place(_ name: String) -> Int? {
    places[name] ?? nodes.lastIndex { $0.name == name && $0.operation != .given }
  }

  package func node(_ name: String) -> Node? { place(name).map { nodes[$0] } }

  // MARK: - Defining

  /// Writes a tensor that nothing computes; gradients reach it once it is bound to a name.
  package mutating func give(_ value: Tensor<Float>, called name: String) -> Int {
    nodes.append(
      Node(name: name, operation: .given, operands: [], value: value, isVariable: false))
    return nodes.count - 1
  }

  /// Computes a value from others and writes it; a single number serves every place of a tensor.
  ///
  /// - Throws: `ComputationError` when the shapes do not fit.
  package mutating func compute(
    _ operation: Operation, _ operands: [Int]
  ) throws(ComputationError) -> Int {
    var operands = operands
    switch operation {
    case .sum, .difference, .product, .quotient:
      let shapes = operands.map { nodes[$0].value.shape }
      if shapes[0] != shapes[1] {
        guard let single = shapes.firstIndex(where: { $0.count == 1 }) else {
          throw ComputationError("\(shapes[0]) and \(shapes[1]) do not fit element by element")
        }
        operands[single] = try compute(.spread(shapes[1 - single]), [operands[single]])
      }
    case .convolution:
      try requireKernel(nodes[operands[1]].value.shape, for: nodes[operands[0]].value.shape)
    default: break
    }
    var tape = Tape<Float>()
    let inputs = operands.map {
      tape.input(FeatureMap(nodes[$0].value.asImage), isVariable: false)
    }
    let result = tape.map(tape.record(operation, inputs)).tensor
    let shape = resultShape(operation, operands)
    nodes.append(
      Node(
        name: "…", operation: operation, operands: operands, value: result.reshaped(shape),
        isVariable: operands.contains { nodes[$0].isVariable }))
    return nodes.count - 1
  }

  /// Binds a name to what `place` holds; what was computed since `first` gets names of its own.
  package mutating func bind(_ name: String, to place: Int, computedSince first: Int) {
    if let old = places[name] { nodes[old].name = name + "′" }
    let between = (first..<nodes.count).filter { nodes[$0].operation != .given && $0 != place }
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
    (nodes[place].operation, nodes[place].operands) = (.given, [])
    var tape = Tape<Float>()
    let variables = record(upTo: nodes.count - 1, &tape)
    for index in nodes.indices where nodes[index].operation != .given {
      nodes[index].value = tape.map(variables[index]).tensor.reshaped(nodes[index].value.shape)
    }
  }

  private func requireKernel(_ kernel: Shape, for image: Shape) throws(ComputationError) {
    let (k, x) = (kernel.asImage, image.asImage)
    guard k.height == k.width, k.height % 2 == 1 else {
      throw ComputationError("a kernel has an odd side, as [3,3] has; this one is \(kernel)")
    }
    guard k.channels == x.channels else {
      throw ComputationError(
        "the kernel \(kernel) is for \(k.channels) \(k.channels == 1 ? "channel" : "channels"), the image \(image) has \(x.channels)"
      )
    }
  }

  private func resultShape(_ operation: Operation, _ operands: [Int]) -> Shape {
    let first = nodes[operands[0]].value.shape
    switch operation {
    case .spread(let shape): return shape
    case .total, .mean: return []
    case .convolution:
      let kernel = nodes[operands[1]].value.shape
      let image = first.asImage
      return first.rank <= 2 && kernel.asImage.batch == 1
        ? first : [image.batch, kernel.asImage.batch, image.height, image.width]
    default: return first
    }
  }

  // MARK: - Backwards

  /// The gradients of a single number with respect to all that it was computed from.
  package func gradients(of end: Int) -> ComputationGradients {
    precondition(nodes[end].value.shape.count == 1, "Gradients are of a single number.")
    var tape = Tape<Float>()
    let variables = record(upTo: end, &tape)
    let read = tape.gradients(
      of: tape.number(of: variables[end]), keepsAll: true, keepsArrivals: true)
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
          from: from, to: to, value: arrival.value.map.tensor.reshaped(nodes[to].value.shape))
      })
  }

  /// The derivative of the number at `end` by one element, by central differences in Double.
  package func difference(of end: Int, by place: Int, at offset: Int) -> Double {
    var tape = Tape<Double>()
    let variables = record(upTo: end, &tape)
    let number = tape.number(of: variables[end])
    return tape.difference(of: number, by: variables[place], at: offset)
  }

  /// Computes everything up to `end` again, on a tape; one entry a node.
  private func record<Element: Scalar>(
    upTo end: Int, _ tape: inout Tape<Element>
  ) -> [TapeVariable] {
    var variables: [TapeVariable] = []
    for node in nodes[...end] {
      switch node.operation {
      case .given:
        let value = Tensor(
          shape: node.value.asImage.shape, scalars: node.value.scalars.map { Element($0) })
        variables.append(tape.input(FeatureMap(value), isVariable: node.isVariable))
      default:
        let computed = tape.record(node.operation, node.operands.map { variables[$0] })
        // Gradients end at a name for what was computed of numbers without one.
        variables.append(
          node.isLeaf ? tape.input(tape.map(computed), isVariable: true) : computed)
      }
    }
    return variables
  }
}

/// The gradients that one reading of a computation gave.
package struct ComputationGradients: Sendable {
  /// What one operation passed on to one of its operands.
  package struct Arrival: Sendable {
    package let from: Int, to: Int
    package let value: Tensor<Float>
  }

  /// The number that they are gradients of.
  package let end: Int
  /// By place; none where the end does not depend on it.
  package let values: [Tensor<Float>?]
  /// In the order in which they were added.
  package let arrivals: [Arrival]
}

/// Why something cannot be computed.
package struct ComputationError: Error, Sendable {
  package let message: String

  init(_ message: String) { self.message = message }
}

extension Tape {
  /// Writes one operation of a computation.
  fileprivate mutating func record(
    _ operation: Computation.Operation, _ operands: [TapeVariable]
  ) -> TapeVariable {
    let x = operands[0]
    return switch operation {
    case .given: preconditionFailure("What is given is not computed.")
    case .copy: identity(x)
    case .negative: negative(x)
    case .sum: sum(x, operands[1])
    case .difference: difference(x, operands[1])
    case .product: product(x, operands[1])
    case .quotient: ratio(x, operands[1])
    case .spread(let shape): spread(x, to: shape.asImage)
    case .activation(let function): activation(function, x, reluNaN: .keep)
    case .total: total(x)
    case .mean: mean(x)
    case .convolution: convolution(x, kernel: operands[1])
    }
  }
}

extension Shape {
  /// The same with axes of one in front, up to four.
  fileprivate var asImage: Shape { Shape(Array(repeating: 1, count: 4 - rank) + extents) }
}

extension Tensor {
  fileprivate var asImage: Tensor { reshaped(shape.asImage) }
}

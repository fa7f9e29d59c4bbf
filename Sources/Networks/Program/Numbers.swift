package import Operations
package import Tensors

/// The arithmetic of a pass on feature maps, tensors and numbers.
package struct Numbers<Element: Scalar>: PassArithmetic, Sendable {
  /// The values that a group keeps: a, where the join multiplies with it, and those act′ is computed from.
  package struct Record: Sendable {
    var activation: FeatureMap<Element>?
    var derivative: ActivationRecord<Element>
  }

  private let program: Program<Element>

  package init(_ program: Program<Element>) { self.program = program }

  package func foundNonFinite(_ value: Value<Element>) -> Bool {
    if case .map(let map) = value { map.foundNonFinite } else { false }
  }

  /// The shape stays, which a pullback may ask for.
  package func released(_ value: Value<Element>) -> Value<Element>? { .released(value.shape) }

  // MARK: - One operation

  package func forward(_ place: Int, _ operands: [Value<Element>]) -> Value<Element> {
    guard let operation = program.nodes[place].operation else {
      preconditionFailure("A value that is given is not computed.")
    }
    return operation.forward(operands)
  }

  package func pullbacks(
    _ place: Int, to numbers: [Int], _ gradient: Value<Element>, _ operands: [Value<Element>?],
    _ result: Value<Element>?
  ) -> [Value<Element>] {
    guard let operation = program.nodes[place].operation else {
      preconditionFailure("A value that is given has no pullback.")
    }
    let values = OperationValues(
      operands: operands.map { $0 ?? .released([]) }, result: result ?? .released([]))
    return operation.pullbacks(gradient, to: numbers, values)
  }

  package func loss(
    _ place: Int, _ operands: [Value<Element>]
  ) -> (value: Value<Element>, gradient: Value<Element>) {
    guard let loss = program.nodes[place].operation as? Loss else {
      preconditionFailure("Only a loss comes with its gradient.")
    }
    let (value, gradient) = loss.evaluate(operands)
    return (.number(value), .map(gradient))
  }

  package func sum(_ a: Value<Element>, _ b: Value<Element>, at place: Int) -> Value<Element> {
    a.adding(b)
  }

  package func product(_ a: Value<Element>, _ b: Value<Element>, at place: Int) -> Value<Element> {
    .map(a.map.multiplied(by: b.map))
  }

  package func scaled(_ a: Value<Element>, by factor: Double, at place: Int) -> Value<Element> {
    .map(a.map.scaled(by: factor))
  }

  // MARK: - A convolution with what follows

  private func convolution(_ group: FusedConvolution) -> Conv2D<Element> {
    convolution(group, through: group.weight)
  }

  /// The group's convolution with the kernel at `place`.
  private func convolution(_ group: FusedConvolution, through place: Int) -> Conv2D<Element> {
    guard let weight = program.tensor(at: place) else {
      preconditionFailure("A group's kernel is a tensor that is given.")
    }
    return Conv2D(weight: weight, bias: group.bias.flatMap { program.tensor(at: $0) })
  }

  /// Computes out = join(act(x ∗ w + b), s).
  package func forward(
    _ group: FusedConvolution, _ x: Value<Element>, joining s: Value<Element>?, keepsRecord: Bool
  ) -> (result: Value<Element>, record: Record?, foundNonFinite: Bool) {
    let keepsDerivative = keepsRecord && !group.leavesDerivative
    let result = convolution(group).activated(
      x.map, group.function, group.reluNaN, joining: s.flatMap { group.merge?.join($0.map) },
      keepsRecord: keepsDerivative)
    let record = Record(
      activation: group.merge?.multiplies ?? false ? result.activation : nil,
      derivative: result.record ?? .reader)
    return (.map(result.output), keepsRecord ? record : nil, result.foundNonFinite)
  }

  /// Computes s̄: G, G · a, or G · a + G.
  package func skipGradient(
    _ group: FusedConvolution, _ gradient: Value<Element>, _ s: Value<Element>?,
    _ record: inout Record
  ) -> Value<Element> {
    guard let join = group.join else { preconditionFailure("A skip value is joined.") }
    let a = record.activation
    record.activation = nil
    return pullbacks(join, to: [1], gradient, [a.map { .map($0) }, s], nil)[0]
  }

  /// Computes z̄ = act′(z) · G · s, with what a flow adds to it, and x̄, w̄, b̄ from z̄.
  package func backward(
    _ group: FusedConvolution, _ gradient: consuming Value<Element>, _ x: consuming Value<Element>,
    times s: Value<Element>?, _ record: consuming Record, needsInput: Bool,
    insertion: Value<Element>?, adding addend: Value<Element>?
  ) -> (input: Value<Element>?, parameters: [Value<Element>]) {
    let convolution = convolution(group, through: group.feedback ?? group.weight)
    let derivative = record.derivative
    _ = consume record
    let gradients: (input: FeatureMap<Element>?, parameters: [Tensor<Element>])
    if insertion == nil,
      let found = convolution.backward(
        through: group.function, gradient.map, times: s?.map, derivative, input: x.map,
        needsInput: needsInput, adding: addend?.map)
    {
      gradients = found
    } else {
      var dz = group.function.backward(gradient.map, times: s?.map, derivative)
      _ = consume gradient
      if let insertion { dz = dz.adding(insertion.map) }
      guard case .map(let input) = consume x else { preconditionFailure("An input is a map.") }
      gradients = convolution.backward(
        dz, input: consume input, needsInput: needsInput, adding: addend?.map,
        isRectified: group.isInputRectified)
    }
    return (gradients.input.map { .map($0) }, gradients.parameters.map { .tensor($0) })
  }
  // MARK: - A normalization with ReLU

  /// Computes a = ReLU(norm(x)).
  package func forward(
    _ norm: FusedNorm, _ operands: [Value<Element>], keepsRecord: Bool
  ) -> (result: Value<Element>, record: Record?) {
    guard let operation = program.nodes[norm.norm].operation as? any ChannelNorm else {
      preconditionFailure("A fused norm is a normalization.")
    }
    let (map, derivative) = operation.normalization(operands, weight: operands[1].tensor).rectified(
      operands[0].map, bias: operands[2].tensor, reluNaN: norm.reluNaN,
      keepsRecord: keepsRecord && !norm.leavesDerivative)
    return (.map(map), keepsRecord ? Record(derivative: derivative ?? .reader) : nil)
  }

  /// Computes n̄ = act′ · ā, and x̄, weight̄ and bias̄ from n̄.
  package func pullbacks(
    _ norm: FusedNorm, to numbers: [Int], _ gradient: Value<Element>,
    _ operands: [Value<Element>?], _ record: Record
  ) -> [Value<Element>] {
    let rectified = Activation.relu.backward(gradient.map, times: nil, record.derivative)
    return pullbacks(norm.norm, to: numbers, .map(rectified), operands, nil)
  }
}

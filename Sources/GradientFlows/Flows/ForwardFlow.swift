// Gradients without a backward pass: directional derivatives that go forward.
//
// The idea. Together with each value of the forward pass goes its derivative along one random direction v of
// all weights. At the loss it is one number, the slope along v. The slope times v is a guess of the gradient
// that is right on average, and nothing has to be kept for a way back.
//
//         x ──▶ b1 ──▶ b2 ──▶ … ──▶ out ──▶ loss             values
//         0 ─▶ ḃ1 ──▶ ḃ2 ──▶ … ──▶ ȯut ──▶ ∇loss·v           their derivatives along v
//
// The equation. For D directions v_d of independent normal numbers:
//
//         ĝ = (1/D) Σ_d (∇loss · v_d) · v_d                  E ĝ = ∇loss
//
// since E vvᵀ = 1. Its variance is large: of P weights, one direction shows 1/P of the squared gradient, so the cosine to
// the gradient is about √(D/P). Each operation has its forward rule beside its pullback: `Operation.tangent`.
//
// The numbers of v_d come from the stream `flow/forward/⟨weight⟩/⟨step⟩/⟨d⟩`.
//
// Source: Baydin, Pearlmutter, Syme, Wood and Torr, "Gradients without backpropagation" (2022), arXiv 2202.08587; what
// its variance costs: arXiv 2312.04709.
//
// Limits. An unbiased estimate of the gradient, drawn anew for every step, not the gradient. It has no gradients of values, only of
// weights. A step needs no memory for a way back, and about D + 1 forward passes.

package import Networks
package import Operations
package import Tensors

/// The slope along random directions, times the directions.
package struct ForwardFlow: GradientFlow, SeededFlow {
  /// D, the number of directions.
  package var directions: Int
  package var seed: UInt64

  package init(directions: Int = 1, seed: UInt64 = 1) {
    precondition(directions > 0, "There is at least one direction.")
    (self.directions, self.seed) = (directions, seed)
  }

  package var name: String { "forward" }
  package var line: String { "flow forward directions=\(directions) seed=\(seed)" }
  package var isGradient: Bool { false }
  package var goesBack: Bool { false }
  package var summary: String {
    "weight.grad = mean of (slope along v)·v over \(directions == 1 ? "1 direction" : "\(directions) directions")"
  }

  package func replacement<Element: Scalar>(in network: Network<Element>) -> Replacement? {
    Replacement(
      .fromBelow, "v", "derivatives along a random direction v, with the values",
      layers: Array(network.layers.indices))
  }

  package func run<Element: Scalar>(
    _ pass: TrainingPass<Element>, retention: Retention
  ) -> PassResult<Element> {
    let forward = ForwardPass(pass)
    var sums = pass.network.parameters.map {
      [Double](repeating: 0, count: $0.shape.count)
    }
    for number in 0..<directions where !Parallelism.isOver {
      let direction = direction(number, of: pass)
      let slope = forward.slope(along: direction)
      for (index, tensor) in direction.enumerated() {
        for (place, v) in tensor.scalars.enumerated() { sums[index][place] += slope * Double(v) }
      }
    }
    var all = forward.values
    for (place, (sum, parameter)) in zip(
      all.program.parameterPlaces, zip(sums, pass.network.parameters))
    {
      all.gradients[place] = .tensor(
        Tensor(shape: parameter.shape, scalars: sum.map { Element($0 / Double(directions)) }))
    }
    return PassResult(pass, all, kept: retention == .training ? nil : all)
  }

  /// Direction number `number` of a pass, a tensor for each parameter.
  package func direction<Element: Scalar>(
    _ number: Int, of pass: TrainingPass<Element>
  ) -> [Tensor<Element>] {
    zip(pass.network.parameterNames, pass.network.parameters).map { name, parameter in
      let stream = RandomStream(
        seed: seed, name: "flow/forward/\(name)/\(pass.step)/\(number)")
      let drawn = Tensor<Float>(shape: parameter.shape) { stream.fillNormals($0) }
      return Tensor(shape: parameter.shape, scalars: drawn.scalars.map { Element(Double($0)) })
    }
  }

  package func terms(
    ofParameter index: Int, at offset: Int, in pass: TrainingPass<Float>
  ) -> TermList? {
    let forward = ForwardPass(pass)
    let share = Explanation.Factor("1/\(directions)", 1 / Double(directions))
    return TermList(
      directions == 1 ? "slope · v" : "Σ slope · v / \(directions)",
      (0..<directions).map { number in
        let direction = direction(number, of: pass)
        let slope = Explanation.Factor("slope", forward.slope(along: direction))
        let v = Explanation.Factor("v", Double(direction[index].scalars[offset]))
        return directions == 1 ? [slope, v] : [slope, v, share]
      })
  }

  package func mapBytes<Element: Scalar>(
    of network: Network<Element>, _ size: BatchSize, retention: Retention
  ) -> Int {
    // Each value is there with its derivative.
    2 * TapeFlow().mapBytes(of: network, size, retention: .training)
  }

  package func keptBytes<Element: Scalar>(of network: Network<Element>, _ size: BatchSize) -> [Int]
  {
    network.layers.map { _ in 0 }
  }
}

/// A forward pass with every value, through which derivatives go.
package struct ForwardPass<Element: Scalar> {
  let values: PassValues<Element>
  private let result: PassResult<Element>
  private let leads: [Bool]

  package init(_ pass: TrainingPass<Element>) {
    result = pass.values()
    let program = result.program
    var values = PassValues(program)
    for place in program.nodes.indices { values.values[place] = result.known(place) }
    for (place, given) in [
      (program.target, pass.target), (program.mask, pass.mask),
    ] as [(Int?, Tensor<Element>?)] {
      if let place, let given { values.values[place] = .map(FeatureMap(given)) }
    }
    (self.values, leads) = (values, program.leadsToLoss)
  }

  /// Returns ∇loss · v, where v has a tensor for each parameter.
  package func slope(along direction: [Tensor<Element>]) -> Double {
    let program = values.program
    var tangents: [Value<Element>?] = Array(repeating: nil, count: program.nodes.count)
    for (place, tensor) in zip(program.parameterPlaces, direction) {
      tangents[place] = .tensor(tensor)
    }
    for (place, node) in program.nodes.enumerated() where leads[place] {
      let read = node.operands.map { tangents[$0] }
      let operands = node.operands.compactMap { values.values[$0] }
      guard let operation = node.operation, read.contains(where: { $0 != nil }),
        let result = values.values[place], operands.count == read.count
      else { continue }
      tangents[place] = operation.tangent(
        read, OperationValues(operands: operands, result: result))
    }
    return tangents[program.loss]?.number ?? 0
  }
}

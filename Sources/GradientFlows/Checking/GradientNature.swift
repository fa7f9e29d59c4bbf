// Is this a gradient? Three questions to any flow, as a field g(w) over all weights w at once.
//
// 1. Does it point along the gradient of the loss? The cosine of g and ∂loss/∂w, 1 for a gradient.
// 2. Does the loss fall as it says? For a small step d = −ε·g/‖g‖ a gradient predicts a change of
//    gᵀd = −ε‖g‖; the quotient of the measured change and that, 1 for a gradient.
// 3. Could it be the gradient of anything else? A field is a gradient exactly if its Jacobian
//    J = ∂g/∂w is symmetric: uᵀJv = vᵀJu for all u and v. The relative difference of the two for
//    random u and v, 0 for a gradient.
//
// Source: the third is Poincaré's lemma, as in Spivak, "Calculus on manifolds" (1965), theorem 4-11.

import Networks
package import Tensors

/// The results of three tests of whether a flow gives the gradient of the loss, in Double.
package struct GradientNature: Hashable, Sendable {
  /// The cosine of the flow's gradient and the true one; NaN if one of them is 0.
  package let cosine: Double
  /// Whether the flow's gradient is 0 for every weight, and whether the true one is.
  package let isZero: Bool, trueIsZero: Bool
  /// The norm of the flow's gradient over that of the true one.
  package let normRatio: Double
  /// Measured over predicted change of the loss, for a small step against the flow's gradient.
  package let changeRatio: Double
  /// Whether the rounding of the loss at the two ends of that step is above a thousandth of the
  /// predicted change, so that their difference says nothing.
  package let changeIsHidden: Bool
  /// The loss.
  package let loss: Double
  /// |uᵀJv − vᵀJu| / (|uᵀJv| + |vᵀJu|) for random directions u and v.
  package let asymmetry: Double

  /// Tests `flow` on `pass`; u and v come from `stream`.
  package init(_ flow: some GradientFlow, _ pass: TrainingPass<Double>, stream: RandomStream) {
    let field = Field(flow, pass)
    let origin = field.origin
    let g = field.gradient(at: origin)
    // The tape's is the true gradient, made without a layer's own pullback; see `TapeFlow`.
    let truth = Field(TapeFlow(), pass.withTrueGradient).gradient(at: origin)
    let (norm, trueNorm) = (dot(g, g).squareRoot(), dot(truth, truth).squareRoot())
    (isZero, trueIsZero) = (norm == 0, trueNorm == 0)
    cosine = dot(g, truth) / (norm * trueNorm)
    normRatio = norm / trueNorm

    let step = 1e-6 * max(1, dot(origin, origin).squareRoot())
    let ahead = field.loss(at: shifted(origin, -step / norm, g))
    let behind = field.loss(at: shifted(origin, step / norm, g))
    changeRatio = (ahead - behind) / (-2 * step * norm)
    loss = field.loss(at: origin)
    // A sum over pixels is right to some last digits.
    changeIsHidden = 16 * max(abs(ahead), abs(behind)).ulp > 1e-3 * 2 * step * norm

    let u = stream.directions(count: origin.count, from: 0)
    let v = stream.directions(count: origin.count, from: origin.count)
    let h = step / Double(origin.count).squareRoot()
    let (left, right) = (
      dot(u, field.derivative(along: v, h)), dot(v, field.derivative(along: u, h))
    )
    asymmetry = abs(left - right) / (abs(left) + abs(right))
  }
}

/// A flow's gradient as a function of all weights, one after the other.
private struct Field<Flow: GradientFlow> {
  let flow: Flow
  let pass: TrainingPass<Double>

  init(_ flow: Flow, _ pass: TrainingPass<Double>) { (self.flow, self.pass) = (flow, pass) }

  var origin: [Double] { pass.network.parameters.flatMap(\.scalars) }

  func gradient(at weights: [Double]) -> [Double] {
    moved(to: weights).run(flow, retention: .training).parameterGradients.flatMap(\.scalars)
  }

  func loss(at weights: [Double]) -> Double {
    moved(to: weights).lossAlone()
  }

  /// J·direction, by a central difference.
  func derivative(along direction: [Double], _ h: Double) -> [Double] {
    let ahead = gradient(at: shifted(origin, h, direction))
    let behind = gradient(at: shifted(origin, -h, direction))
    return zip(ahead, behind).map { ($0 - $1) / (2 * h) }
  }

  private func moved(to weights: [Double]) -> TrainingPass<Double> {
    var network = pass.network
    var rest = weights[...]
    network.parameters = network.parameters.map { parameter in
      defer { rest = rest.dropFirst(parameter.shape.count) }
      return Tensor(shape: parameter.shape, scalars: Array(rest.prefix(parameter.shape.count)))
    }
    return pass.with(network)
  }
}

/// Σ x·y.
private func dot(_ x: [Double], _ y: [Double]) -> Double {
  zip(x, y).reduce(0) { $0 + $1.0 * $1.1 }
}

/// x + step·direction.
private func shifted(_ x: [Double], _ step: Double, _ direction: [Double]) -> [Double] {
  zip(x, direction).map { $0 + step * $1 }
}

extension TrainingPass {
  /// The pass with a loss whose gradient is that of its value.
  fileprivate var withTrueGradient: TrainingPass {
    guard loss == .halfSquares(gradientIsDeclared: true) else { return self }
    return TrainingPass(
      network: network, input: input, target: target, mask: mask,
      loss: .halfSquares(gradientIsDeclared: false), epoch: epoch, step: step)
  }
}

extension RandomStream {
  /// Normal numbers of deviation 1.
  fileprivate func directions(count: Int, from offset: Int) -> [Double] {
    (0..<count).map { normal(at: offset + $0) }
  }
}

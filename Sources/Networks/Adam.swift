package import Tensors

/// Adam: steps along the running mean of the gradients, divided by their running magnitude.
///
///     m ← β₁m + (1 − β₁)g           v ← β₂v + (1 − β₂)g²
///     m̂ = m/(1 − β₁ᵗ)               v̂ = v/(1 − β₂ᵗ)
///     w ← w − lr·m̂/(√v̂ + ε)
///
/// Source: Kingma and Ba, "Adam: a method for stochastic optimization" (2015), algorithm 1.
/// `isCorrectionConstant` divides by 1 − β₁ and 1 − β₂ at every step, as the article's code did:
/// then steps grow to about twice lr near the twelfth and settle at 0.32·lr. `isIncremental`
/// computes m ← m + (1 − β₁)(g − m) and v likewise, as TensorFlow did: equal but for rounding,
/// until g² overflows; there v = ∞ stays in the direct form and becomes NaN in this one.
package struct Adam: Optimizer {
  package var learningRate = 0.001
  package var beta1 = 0.9
  package var beta2 = 0.999
  package var epsilon = 1e-8
  package var isCorrectionConstant = false
  package var isIncremental = false

  package init() {}

  package var line: String {
    "optimizer adam lr=\(learningRate) beta1=\(beta1) beta2=\(beta2) epsilon=\(epsilon) "
      + "correction=\(isCorrectionConstant ? "constant" : "step") "
      + "update=\(isIncremental ? "incremental" : "direct")"
  }

  /// What m and v are divided by in an update: 1 − βᵗ, or 1 − β.
  func corrections(step: Int) -> (Float, Float) {
    let powers =
      isCorrectionConstant
      ? (beta1, beta2)
      : (ReproducibleMath.power(beta1, step), ReproducibleMath.power(beta2, step))
    return (Float(1 - powers.0), Float(1 - powers.1))
  }

  package func update(
    _ gradient: Tensor<Float>, state: OptimizerState, step: Int
  ) -> OptimizerState {
    let (rate, epsilon) = (Float(learningRate), Float(epsilon))
    let (keep1, take1) = (Float(beta1), Float(1 - beta1))
    let (keep2, take2) = (Float(beta2), Float(1 - beta2))
    let (correction1, correction2) = corrections(step: step)

    var m = state.m?.scalars ?? [Float](repeating: 0, count: gradient.shape.count)
    var v = state.v?.scalars ?? [Float](repeating: 0, count: gradient.shape.count)
    var change = [Float](repeating: 0, count: gradient.shape.count)
    for (i, g) in gradient.scalars.enumerated() {
      if isIncremental {
        m[i] += take1 * (g - m[i])
        v[i] += take2 * (g * g - v[i])
      } else {
        m[i] = keep1 * m[i] + take1 * g
        v[i] = keep2 * v[i] + take2 * (g * g)
      }
      change[i] = -rate * (m[i] / correction1) / ((v[i] / correction2).squareRoot() + epsilon)
    }
    var state = state
    state.m = Tensor(shape: gradient.shape, scalars: m)
    state.v = Tensor(shape: gradient.shape, scalars: v)
    state.update = Tensor(shape: gradient.shape, scalars: change)
    return state
  }
}

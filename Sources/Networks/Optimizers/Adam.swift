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

  package var keptNames: [String] { ["m", "v"] }

  package var line: String {
    "optimizer adam lr=\(learningRate) beta1=\(beta1) beta2=\(beta2) epsilon=\(epsilon) "
      + "correction=\(isCorrectionConstant ? "constant" : "step") "
      + "update=\(isIncremental ? "incremental" : "direct")"
  }

  /// The divisors of m and v in an update: 1 − βᵗ, or 1 − β.
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
    var m = state["m"] ?? gradient.filled(with: 0)
    var v = state["v"] ?? gradient.filled(with: 0)
    if isIncremental {
      m = m.with(gradient) { m, g in m + take1 * (g - m) }
      v = v.with(gradient) { v, g in v + take2 * (g * g - v) }
    } else {
      m = m.with(gradient) { m, g in keep1 * m + take1 * g }
      v = v.with(gradient) { v, g in keep2 * v + take2 * (g * g) }
    }
    var state = state
    state["m"] = m
    state["v"] = v
    state.update = m.overRoots(
      of: v, times: -rate, epsilon: epsilon, corrections: corrections(step: step))
    return state
  }
}

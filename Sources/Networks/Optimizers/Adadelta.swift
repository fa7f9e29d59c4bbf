package import Tensors

/// Adadelta: steps whose size comes from the sizes of earlier steps.
///
///     v ← decay·v + (1 − decay)·g²
///     Δ = √(m + ε)/√(v + ε) · g
///     m ← decay·m + (1 − decay)·Δ²
///     w ← w − lr·Δ
///
/// √m is the usual size of a step, so that Δ has the unit of the weights; lr is mostly 1.
/// Source: Zeiler, "ADADELTA: an adaptive learning rate method" (2012), in the form of
/// `torch.optim.Adadelta`.
package struct Adadelta: Optimizer {
  package var learningRate = 1.0
  package var decay = 0.9
  package var epsilon = 1e-6

  package init() {}

  package var keptNames: [String] { ["m", "v"] }

  package var line: String {
    "optimizer adadelta lr=\(learningRate) decay=\(decay) epsilon=\(epsilon)"
  }

  package func update(
    _ gradient: Tensor<Float>, state: OptimizerState, step: Int
  ) -> OptimizerState {
    let (rate, epsilon) = (Float(learningRate), Float(epsilon))
    let (keep, take) = (Float(decay), Float(1 - decay))
    let m = state["m"] ?? gradient.filled(with: 0)
    let v = (state["v"] ?? gradient.filled(with: 0)).with(gradient) { v, g in
      keep * v + take * (g * g)
    }
    let delta = m.with(v) { m, v in (m + epsilon).squareRoot() / (v + epsilon).squareRoot() }
      .with(gradient) { ratio, g in ratio * g }
    var state = state
    state["v"] = v
    state["m"] = m.with(delta) { m, d in keep * m + take * (d * d) }
    state.update = delta.mapped { -rate * $0 }
    return state
  }
}

package import Tensors

/// Adagrad: steps along the gradient, divided by the root of all its squares so far.
///
///     v ← v + g²                 (v begins at `initial`)
///     w ← w − lr/(1 + (t − 1)·decay) · g/(√v + ε)
///
/// Steps only ever get shorter, since v only grows.
/// Source: Duchi, Hazan and Singer, "Adaptive subgradient methods for online learning and stochastic
/// optimization" (2011), in the form of `torch.optim.Adagrad`.
package struct Adagrad: Optimizer {
  package var learningRate = 0.01
  package var decay = 0.0
  package var initial = 0.0
  package var epsilon = 1e-10

  package init() {}

  package var keptNames: [String] { ["v"] }

  package var line: String {
    "optimizer adagrad lr=\(learningRate) decay=\(decay) initial=\(initial) epsilon=\(epsilon)"
  }

  package func update(
    _ gradient: Tensor<Float>, state: OptimizerState, step: Int
  ) -> OptimizerState {
    let rate = Float(learningRate / (1 + Double(step - 1) * decay))
    let epsilon = Float(epsilon)
    let v = (state["v"] ?? gradient.filled(with: Float(initial))).with(gradient) { v, g in v + g * g
    }
    var state = state
    state["v"] = v
    state.update = gradient.overRoots(of: v, times: -rate, epsilon: epsilon)
    return state
  }
}

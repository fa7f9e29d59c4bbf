package import Tensors

/// RMSProp: steps along the gradient, divided by its running magnitude.
///
///     v ← decay·v + (1 − decay)·g²
///     m ← momentum·m + g/(√v + ε)
///     w ← w − lr·m
///
/// Without momentum m is the last term alone and not kept.
/// Source: Tieleman and Hinton, "Lecture 6.5: rmsprop" (2012), in the form of `torch.optim.RMSprop`.
package struct RMSProp: Optimizer {
  package var learningRate = 0.01
  package var decay = 0.99
  package var momentum = 0.0
  package var epsilon = 1e-8

  package init() {}

  package var keptNames: [String] { ["v", "m"] }

  package var line: String {
    "optimizer rmsprop lr=\(learningRate) decay=\(decay) momentum=\(momentum) epsilon=\(epsilon)"
  }

  package func update(
    _ gradient: Tensor<Float>, state: OptimizerState, step: Int
  ) -> OptimizerState {
    let (rate, momentum, epsilon) = (Float(learningRate), Float(momentum), Float(epsilon))
    let (keep, take) = (Float(decay), Float(1 - decay))
    let v = (state["v"] ?? gradient.filled(with: 0)).with(gradient) { v, g in
      keep * v + take * (g * g)
    }
    let direction = gradient.overRoots(of: v, times: 1, epsilon: epsilon)
    let m = (state["m"] ?? gradient.filled(with: 0)).with(direction) { m, d in momentum * m + d }
    var state = state
    state["v"] = v
    state["m"] = momentum == 0 ? nil : m
    state.update = m.mapped { -rate * $0 }
    return state
  }
}

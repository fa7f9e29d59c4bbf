package import Tensors

/// Stochastic gradient descent, with momentum on request.
///
///     m ← momentum·m + g       (the first m is g)
///     w ← w − lr·m             or, by Nesterov, w ← w − lr·(g + momentum·m)
///
/// Source: Sutskever et al., "On the importance of initialization and momentum in deep learning"
/// (2013), in the form of `torch.optim.SGD`.
package struct SGD: Optimizer {
  package var learningRate = 0.01
  package var momentum = 0.0
  package var isNesterov = false

  package init() {}

  package var keptNames: [String] { ["m"] }

  package var line: String {
    "optimizer sgd lr=\(learningRate) momentum=\(momentum) nesterov=\(isNesterov ? "yes" : "no")"
  }

  package func update(
    _ gradient: Tensor<Float>, state: OptimizerState, step: Int
  ) -> OptimizerState {
    let (rate, momentum) = (Float(learningRate), Float(momentum))
    var state = state
    var direction = gradient
    if momentum != 0 {
      let m = (state["m"] ?? gradient.filled(with: 0)).with(gradient) { m, g in momentum * m + g }
      direction = isNesterov ? gradient.with(m) { g, m in g + momentum * m } : m
      state["m"] = m
    }
    state.update = direction.mapped { -rate * $0 }
    return state
  }
}

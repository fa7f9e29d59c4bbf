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

  package var line: String {
    "optimizer rmsprop lr=\(learningRate) decay=\(decay) momentum=\(momentum) epsilon=\(epsilon)"
  }

  package func update(
    _ gradient: Tensor<Float>, state: OptimizerState, step: Int
  ) -> OptimizerState {
    let (rate, momentum, epsilon) = (Float(learningRate), Float(momentum), Float(epsilon))
    let (keep, take) = (Float(decay), Float(1 - decay))
    var v = state.v?.scalars ?? [Float](repeating: 0, count: gradient.shape.count)
    var m = state.m?.scalars ?? [Float](repeating: 0, count: gradient.shape.count)
    var change = [Float](repeating: 0, count: gradient.shape.count)
    for (i, g) in gradient.scalars.enumerated() {
      v[i] = keep * v[i] + take * (g * g)
      m[i] = momentum * m[i] + g / (v[i].squareRoot() + epsilon)
      change[i] = -rate * m[i]
    }
    var state = state
    state.v = Tensor(shape: gradient.shape, scalars: v)
    state.m = momentum == 0 ? nil : Tensor(shape: gradient.shape, scalars: m)
    state.update = Tensor(shape: gradient.shape, scalars: change)
    return state
  }
}

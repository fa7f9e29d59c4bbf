package import Tensors

/// Adadelta: steps whose size comes from the sizes of earlier steps.
///
///     v ← decay·v + (1 − decay)·g²
///     Δ = √(m + ε)/√(v + ε) · g
///     m ← decay·m + (1 − decay)·Δ²
///     w ← w − lr·Δ
///
/// √m stands for the usual size of a step, so that Δ has the unit of the weights; lr is mostly 1.
/// Source: Zeiler, "ADADELTA: an adaptive learning rate method" (2012), in the form of
/// `torch.optim.Adadelta`.
package struct Adadelta: Optimizer {
  package var learningRate = 1.0
  package var decay = 0.9
  package var epsilon = 1e-6

  package init() {}

  package var line: String {
    "optimizer adadelta lr=\(learningRate) decay=\(decay) epsilon=\(epsilon)"
  }

  package func update(
    _ gradient: Tensor<Float>, state: OptimizerState, step: Int
  ) -> OptimizerState {
    let (rate, epsilon) = (Float(learningRate), Float(epsilon))
    let (keep, take) = (Float(decay), Float(1 - decay))
    var v = state.v?.scalars ?? [Float](repeating: 0, count: gradient.shape.count)
    var m = state.m?.scalars ?? [Float](repeating: 0, count: gradient.shape.count)
    var change = [Float](repeating: 0, count: gradient.shape.count)
    for (i, g) in gradient.scalars.enumerated() {
      v[i] = keep * v[i] + take * (g * g)
      let delta = (m[i] + epsilon).squareRoot() / (v[i] + epsilon).squareRoot() * g
      m[i] = keep * m[i] + take * (delta * delta)
      change[i] = -rate * delta
    }
    var state = state
    state.v = Tensor(shape: gradient.shape, scalars: v)
    state.m = Tensor(shape: gradient.shape, scalars: m)
    state.update = Tensor(shape: gradient.shape, scalars: change)
    return state
  }
}

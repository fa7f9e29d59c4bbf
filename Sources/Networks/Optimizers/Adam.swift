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
/// until g² overflows; there v = ∞ stays in the direct form and becomes NaN in this one. With
/// `weightDecay`, g is the gradient with ``WeightDecay``.
package struct Adam: Optimizer {
  package var learningRate = 0.001
  package var beta1 = 0.9
  package var beta2 = 0.999
  package var epsilon = 1e-8
  package var isCorrectionConstant = false
  package var isIncremental = false
  package var weightDecay = 0.0

  package init() {}

  package static let declaration = OptimizerDeclaration(
    "adam", summary: "Update weights by Adam.",
    details: """
      m ← β₁m+(1−β₁)g, v ← β₂v+(1−β₂)g², w ← w − lr·m̂/(√v̂+ε). correction=step divides by 1−βᵗ, \
      as Adam does; constant divides by 1−β at every step, as the article's code did. \
      update=incremental writes m ← m+(1−β₁)(g−m), as TensorFlow did. weight-decay= takes \
      g+weight-decay·w for g, as PyTorch's Adam; 'optimizer adamw' decays beside the gradient.
      """,
    examples: [
      "optimizer adam lr=0.001", "optimizer adam lr=1e-9 correction=constant",
      "optimizer adam lr=0.002 schedule=cosine",
      "optimizer adam lr=0.01 schedule=one-cycle as=fast",
    ], seeAlso: ["optimizer adamw", "optimizer sgd", "optimizer", "gradient-noise", "train"],
    kept: ["m", "v"])

  package static let options: [OptimizerOption<Adam>] = [
    .number("lr", \.learningRate, .notNegative, "learning rate"),
    .number("beta1", \.beta1, .meanDecay, "decay of m"),
    .number("beta2", \.beta2, .meanDecay, "decay of v"),
    .number("epsilon", \.epsilon, .notNegative, "added to √v̂"),
    .words(
      "correction", \.isCorrectionConstant, off: "step", on: "constant", "of the bias towards 0"),
    .words(
      "update", \.isIncremental, off: "direct", on: "incremental", "how the means are written"),
    .number(
      "weight-decay", \.weightDecay, .notNegative,
      "how much of each weight is added to its gradient",
      isBriefAtDefault: true),
  ]

  /// The divisors of m and v in an update: 1 − βᵗ, or 1 − β.
  func corrections(step: Int) -> (Float, Float) {
    let powers =
      isCorrectionConstant
      ? (beta1, beta2)
      : (ReproducibleMath.power(beta1, step), ReproducibleMath.power(beta2, step))
    return (Float(1 - powers.0), Float(1 - powers.1))
  }

  package func update(
    _ gradient: Tensor<Float>, of weight: Tensor<Float>, state: OptimizerState, step: Int
  ) -> OptimizerState {
    let gradient = WeightDecay(factor: weightDecay).applied(to: gradient, of: weight)
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

  package func arithmetic(of quantity: String, _ weight: WeightHistory) -> UpdateArithmetic? {
    let (keep1, take1) = (Double(Float(beta1)), Double(Float(1 - beta1)))
    let (keep2, take2) = (Double(Float(beta2)), Double(Float(1 - beta2)))
    let (g, inner) = WeightDecay(factor: weightDecay).gradient(of: weight)
    typealias Factor = UpdateArithmetic.Factor
    let (m, v) = (
      Factor("m before", weight.before("m")), Factor("v before", weight.before("v"))
    )
    switch (quantity, isIncremental) {
    case ("m", false):
      return UpdateArithmetic(
        "m ← β₁·m + (1 − β₁)·\(g.name)", [[.init("β₁", keep1), m], [.init("1−β₁", take1), g]],
        inner: inner)
    case ("m", true):
      return UpdateArithmetic(
        "m ← m + (1 − β₁)·(\(g.name) − m)",
        [[m], [.init("1−β₁", take1), g], [.init("−1", -1), .init("1−β₁", take1), m]],
        inner: inner)
    case ("v", false):
      return UpdateArithmetic(
        "v ← β₂·v + (1 − β₂)·\(g.name)²",
        [[.init("β₂", keep2), v], [.init("1−β₂", take2), g, g]], inner: inner)
    case ("v", true):
      return UpdateArithmetic(
        "v ← v + (1 − β₂)·(\(g.name)² − v)",
        [[v], [.init("1−β₂", take2), g, g], [.init("−1", -1), .init("1−β₂", take2), v]],
        inner: inner)
    case ("update", _):
      let (c1, c2) = corrections(step: weight.step)
      let (m, v) = (weight.after("m") / Double(c1), weight.after("v") / Double(c2))
      return UpdateArithmetic(
        "update = −lr · m̂ / (√v̂ + ε), m̂ = m/\(c1) = \(Float(m)), v̂ = v/\(c2) = \(Float(v))",
        [
          [
            ("−lr", -Double(Float(learningRate))), ("m̂", m),
            ("1/(√v̂ + ε)", 1 / (v.squareRoot() + Double(Float(epsilon)))),
          ]
        ])
    default: return nil
    }
  }
}

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

  package static let declaration = OptimizerDeclaration(
    "adadelta", summary: "Update weights by Adadelta.",
    details: """
      v ← decay·v + (1−decay)·g², Δ = √(m+ε)/√(v+ε)·g, m ← decay·m + (1−decay)·Δ², w ← w − lr·Δ. \
      m is the mean of squared steps: it gives a step its size, so lr is mostly 1.
      """,
    examples: ["optimizer adadelta"], seeAlso: ["optimizer adagrad", "optimizer", "train"],
    kept: ["m", "v"])

  package static let options: [OptimizerOption<Adadelta>] = [
    .number("lr", \.learningRate, .notNegative, "learning rate"),
    .number("decay", \.decay, .meanDecay, "decay of v and m"),
    .number("epsilon", \.epsilon, .notNegative, "added under the roots"),
  ]

  package func update(
    _ gradient: Tensor<Float>, of weight: Tensor<Float>, state: OptimizerState, step: Int
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

  package func arithmetic(of quantity: String, _ weight: WeightHistory) -> UpdateArithmetic? {
    let ε = Double(Float(epsilon))
    let delta: [(String, Double)] = [
      ("√(m before + ε)", (weight.before("m") + ε).squareRoot()),
      ("1/√(v + ε)", 1 / (weight.after("v") + ε).squareRoot()), ("g", weight.gradient),
    ]
    switch quantity {
    case "v": return .runningSquare(decay, weight)
    case "m":
      let step: (String, Double) = ("Δ", delta.reduce(1) { $0 * $1.1 })
      return UpdateArithmetic(
        "m ← decay·m + (1 − decay)·Δ², Δ = √(m before + ε)/√(v + ε) · g",
        [
          [("decay", Double(Float(decay))), ("m before", weight.before("m"))],
          [("1−decay", Double(Float(1 - decay))), step, step],
        ])
    case "update":
      return UpdateArithmetic(
        "update = −lr · √(m before + ε)/√(v + ε) · g",
        [[("−lr", -Double(Float(learningRate)))] + delta])
    default: return nil
    }
  }
}

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

  package static let declaration = OptimizerDeclaration(
    "adagrad", summary: "Update weights by Adagrad.",
    details: """
      v ← v + g², w ← w − lr/(1+(t−1)·decay)·g/(√v+ε), t the number of the update. v only grows, \
      so steps get ever shorter.
      """,
    examples: ["optimizer adagrad lr=0.01"],
    seeAlso: ["optimizer adadelta", "optimizer rmsprop", "optimizer", "train"], kept: ["v"])

  package static let options: [OptimizerOption<Adagrad>] = [
    .number("lr", \.learningRate, .notNegative, "learning rate"),
    .number("decay", \.decay, .notNegative, "how fast lr falls"),
    .number("initial", \.initial, .notNegative, "v at first"),
    .number("epsilon", \.epsilon, .notNegative, "added to √v"),
  ]

  package func update(
    _ gradient: Tensor<Float>, of weight: Tensor<Float>, state: OptimizerState, step: Int
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

  package func arithmetic(of quantity: String, _ weight: WeightHistory) -> UpdateArithmetic? {
    let g: (String, Double) = ("g", weight.gradient)
    switch quantity {
    case "v":
      let before: (String, Double) =
        weight.step == 1 ? ("initial", Double(Float(initial))) : ("v before", weight.before("v"))
      return UpdateArithmetic("v ← v + g²", [[before], [g, g]])
    case "update":
      let rate = Double(Float(learningRate / (1 + Double(weight.step - 1) * decay)))
      let letters = decay == 0 ? "−lr" : "−lr/(1 + (t − 1)·decay)"
      return UpdateArithmetic(
        "update = \(letters) · g/(√v + ε)\(decay == 0 ? "" : ", t = \(weight.step)")",
        [
          [
            (letters, -rate), g,
            ("1/(√v + ε)", 1 / (weight.after("v").squareRoot() + Double(Float(epsilon)))),
          ]
        ])
    default: return nil
    }
  }
}

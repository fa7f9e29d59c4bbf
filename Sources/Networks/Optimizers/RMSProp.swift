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

  package static let declaration = OptimizerDeclaration(
    "rmsprop", summary: "Update weights by RMSProp.",
    details: """
      v ← decay·v + (1−decay)·g², m ← momentum·m + g/(√v+ε), w ← w − lr·m.
      """,
    examples: ["optimizer rmsprop lr=0.001", "optimizer rmsprop lr=0.001 momentum=0.9"],
    seeAlso: ["optimizer adam", "optimizer adagrad", "optimizer", "train"], kept: ["v", "m"])

  package static let options: [OptimizerOption<RMSProp>] = [
    .number("lr", \.learningRate, .notNegative, "learning rate"),
    .number("decay", \.decay, .meanDecay, "decay of v"),
    .number("momentum", \.momentum, .part, "how much of m stays"),
    .number("epsilon", \.epsilon, .notNegative, "added to √v"),
  ]

  package func update(
    _ gradient: Tensor<Float>, of weight: Tensor<Float>, state: OptimizerState, step: Int
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

  package func arithmetic(of quantity: String, _ weight: WeightHistory) -> UpdateArithmetic? {
    let rate: (String, Double) = ("−lr", -Double(Float(learningRate)))
    let direction: [(String, Double)] = [
      ("g", weight.gradient),
      ("1/(√v + ε)", 1 / (weight.after("v").squareRoot() + Double(Float(epsilon)))),
    ]
    switch quantity {
    case "v": return .runningSquare(decay, weight)
    case "m" where momentum != 0:
      return UpdateArithmetic(
        "m ← momentum·m + g/(√v + ε)",
        [[("momentum", Double(Float(momentum))), ("m before", weight.before("m"))], direction])
    case "update" where momentum != 0:
      return UpdateArithmetic("update = −lr · m", [[rate, ("m", weight.after("m"))]])
    case "update": return UpdateArithmetic("update = −lr · g/(√v + ε)", [[rate] + direction])
    default: return nil
    }
  }
}

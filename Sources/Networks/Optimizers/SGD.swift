package import Tensors

/// Stochastic gradient descent, with momentum on request.
///
///     m ← momentum·m + g       (the first m is g)
///     w ← w − lr·m             or, by Nesterov, w ← w − lr·(g + momentum·m)
///
/// With `weightDecay`, g is the gradient with ``WeightDecay``.
/// Source: Sutskever et al., "On the importance of initialization and momentum in deep learning"
/// (2013), in the form of `torch.optim.SGD`.
package struct SGD: Optimizer {
  package var learningRate = 0.01
  package var momentum = 0.0
  package var isNesterov = false
  package var weightDecay = 0.0

  package init() {}

  package static let declaration = OptimizerDeclaration(
    "sgd", summary: "Update weights by stochastic gradient descent.",
    details: """
      m ← momentum·m + g, w ← w − lr·m; with nesterov=yes, w ← w − lr·(g + momentum·m). \
      weight-decay= takes g+weight-decay·w for g, as PyTorch's SGD.
      """,
    examples: [
      "optimizer sgd lr=0.01", "optimizer sgd lr=0.01 momentum=0.9 nesterov=yes",
      "optimizer sgd lr=0.1 schedule=step decay-every=30 decay-factor=0.1",
      "optimizer sgd lr=0.1 clip=norm:1",
    ], seeAlso: ["optimizer adam", "optimizer", "train"], kept: ["m"])

  package static let options: [OptimizerOption<SGD>] = [
    .number("lr", \.learningRate, .notNegative, "learning rate"),
    .number("momentum", \.momentum, .part, "how much of m stays"),
    .words("nesterov", \.isNesterov, off: "no", on: "yes", "looks ahead along m"),
    .number(
      "weight-decay", \.weightDecay, .notNegative,
      "how much of each weight is added to its gradient",
      isBriefAtDefault: true),
  ]

  package func update(
    _ gradient: Tensor<Float>, of weight: Tensor<Float>, state: OptimizerState, step: Int
  ) -> OptimizerState {
    let gradient = WeightDecay(factor: weightDecay).applied(to: gradient, of: weight)
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

  package func arithmetic(of quantity: String, _ weight: WeightHistory) -> UpdateArithmetic? {
    typealias Factor = UpdateArithmetic.Factor
    let (g, inner) = WeightDecay(factor: weightDecay).gradient(of: weight)
    let (rate, m) = (Factor("−lr", -Double(Float(learningRate))), Factor("m", weight.after("m")))
    let momentum = Factor("momentum", Double(Float(momentum)))
    switch quantity {
    case "m" where self.momentum != 0:
      return UpdateArithmetic(
        "m ← momentum·m + \(g.name)", [[momentum, Factor("m before", weight.before("m"))], [g]],
        inner: inner)
    case "update" where self.momentum == 0:
      return UpdateArithmetic("update = −lr · \(g.name)", [[rate, g]], inner: inner)
    case "update" where isNesterov:
      return UpdateArithmetic(
        "update = −lr · (\(g.name) + momentum·m)", [[rate, g], [rate, momentum, m]], inner: inner)
    case "update": return UpdateArithmetic("update = −lr · m", [[rate, m]])
    default: return nil
    }
  }
}

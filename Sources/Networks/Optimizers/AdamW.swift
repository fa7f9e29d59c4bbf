package import Tensors

/// AdamW: Adam whose weights decay beside the gradient.
///
///     m, v, m̂, v̂ as Adam's, of the gradient alone
///     w ← w − lr·m̂/(√v̂ + ε) − lr·λ·w
///
/// A penalty in Adam's gradient is divided by √v̂ like the rest, so that weights with large gradients
/// decay less; here all decay at the rate lr·λ, which a schedule changes with lr.
/// Source: Loshchilov and Hutter, "Decoupled weight decay regularization" (2019), in the form of
/// `torch.optim.AdamW`.
package struct AdamW: Optimizer {
  /// The step of the gradient; its own decay stays 0.
  package var adam = Adam()
  /// λ.
  package var weightDecay = 0.01

  package init() {}

  package var learningRate: Double {
    get { adam.learningRate }
    set { adam.learningRate = newValue }
  }

  package static let declaration = OptimizerDeclaration(
    "adamw", summary: "Update weights by Adam, with weights that decay by themselves.",
    details: """
      As 'optimizer adam', and w ← w − lr·weight-decay·w beside the step: every weight decays at the \
      same rate, however large its gradients are. A schedule of lr changes the decay, too.
      """,
    examples: ["optimizer adamw lr=0.001", "optimizer adamw lr=0.002 weight-decay=0.05"],
    seeAlso: ["optimizer adam", "optimizer", "train"], kept: ["m", "v"])

  package static let options: [OptimizerOption<AdamW>] = [
    .number("lr", \.adam.learningRate, .notNegative, "learning rate"),
    .number("beta1", \.adam.beta1, .meanDecay, "decay of m"),
    .number("beta2", \.adam.beta2, .meanDecay, "decay of v"),
    .number("epsilon", \.adam.epsilon, .notNegative, "added to √v̂"),
    .number(
      "weight-decay", \.weightDecay, .notNegative, "the part of each weight that lr takes away"),
  ]

  package func update(
    _ gradient: Tensor<Float>, of weight: Tensor<Float>, state: OptimizerState, step: Int
  ) -> OptimizerState {
    var state = adam.update(gradient, of: weight, state: state, step: step)
    let decay = Float(learningRate * weightDecay)
    state.update = state.update?.with(weight) { step, w in step - decay * w }
    return state
  }

  package func arithmetic(of quantity: String, _ weight: WeightHistory) -> UpdateArithmetic? {
    guard let step = adam.arithmetic(of: quantity, weight), quantity == OptimizerState.updateName
    else { return adam.arithmetic(of: quantity, weight) }
    let formula = step.formula.replacing(
      "(√v̂ + ε)", with: "(√v̂ + ε) − lr·λ · w", maxReplacements: 1)
    return UpdateArithmetic(
      formula,
      step.terms + [
        [
          .init("−lr·λ", -Double(Float(learningRate * weightDecay))),
          .init("w before", weight.weight),
        ]
      ])
  }
}

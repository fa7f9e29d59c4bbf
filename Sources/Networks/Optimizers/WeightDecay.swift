import Tensors

/// Weight decay in the gradient, as a square penalty gives it: the rule takes g̃ for g.
///
///     g̃ = g + λ·w          the gradient of loss + ½·λ·Σw²
///
/// Source: Krogh and Hertz, "A simple weight decay can improve generalization" (1992), in the form of
/// `weight_decay` of `torch.optim.SGD` and `torch.optim.Adam`. AdamW decays weights beside the gradient.
struct WeightDecay {
  /// λ; 0 for none.
  let factor: Double

  /// Returns g̃ for every number of a gradient; the gradient itself without decay.
  func applied(to gradient: Tensor<Float>, of weight: Tensor<Float>) -> Tensor<Float> {
    guard factor != 0 else { return gradient }
    let λ = Float(factor)
    return gradient.with(weight) { g, w in g + λ * w }
  }

  /// The gradient that the rule takes as a factor of terms, with its arithmetic where weights decay.
  func gradient(
    of weight: WeightHistory
  ) -> (factor: UpdateArithmetic.Factor, inner: [UpdateArithmetic.Inner]) {
    guard factor != 0 else { return (.init(name: "g", value: weight.gradient), []) }
    let arithmetic = UpdateArithmetic(
      "g̃ = g + λ·w",
      [[("g", weight.gradient)], [("λ", Double(Float(factor))), ("w before", weight.weight)]])
    let sum = Double(Float(weight.gradient) + Float(factor) * Float(weight.weight))
    return (
      .init(name: "g̃", value: sum), [.init(name: "g̃", value: sum, arithmetic: arithmetic)]
    )
  }
}

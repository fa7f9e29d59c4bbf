package import Tensors

/// A limit to the size of gradients, applied before the optimizer.
///
///     norm    g ← g·min(1, limit/(‖g‖ + 10⁻⁶)), ‖g‖ over all parameters together
///     value   g ← max(−limit, min(limit, g)), each number alone
///
/// The norm keeps the direction, the value does not.
/// Source: Pascanu, Mikolov and Bengio, "On the difficulty of training recurrent neural networks"
/// (2013), in the form of `torch.nn.utils.clip_grad_norm_` and `clip_grad_value_`.
package enum GradientClipping: Hashable, Sendable {
  case norm(Double)
  case value(Double)

  /// The words that choose it in a command line.
  package var words: String {
    switch self {
    case .norm(let limit): "clip=norm:\(limit)"
    case .value(let limit): "clip=value:\(limit)"
    }
  }

  /// Limits the gradients of all parameters.
  ///
  /// - Parameter gradients: A tensor for each parameter.
  /// - Returns: Whether anything was above the limit.
  package func clip(_ gradients: inout [Tensor<Float>]) -> Bool {
    switch self {
    case .norm(let limit):
      guard let factor = Self.factor(gradients, limit) else { return false }
      gradients = gradients.map { $0.mapped { $0 * factor } }
      return true
    case .value(let limit):
      let limit = Float(limit)
      var isAbove = false
      for t in gradients.indices {
        for (i, g) in gradients[t].scalars.enumerated() where g.magnitude > limit {
          gradients[t].scalars[i] = g < 0 ? -limit : limit
          isAbove = true
        }
      }
      return isAbove
    }
  }

  /// The factor of all gradients; nil when they stay as they are.
  private static func factor(_ gradients: [Tensor<Float>], _ limit: Double) -> Float? {
    // The sum is in Double, where no square of a Float overflows.
    let squares = gradients.map { $0.scalars.reduce(0.0) { $0 + Double($1) * Double($1) } }
    let factor = limit / (squares.reduce(0, +).squareRoot() + 1e-6)
    // A NaN fails this comparison, so the norm of a gradient with a NaN makes the whole gradient
    // NaN.
    return factor >= 1 ? nil : Float(factor)
  }

  /// The arithmetic of clipping for `number`, one of the gradients of all parameters.
  ///
  /// - Parameters:
  ///   - number: The number before clipping, with its name.
  ///   - gradients: All gradients before clipping.
  /// - Returns: The formula and the new number as a product; nil when it did not change.
  package func arithmetic(
    of number: UpdateArithmetic.Factor, among gradients: [Tensor<Float>]
  ) -> (letters: String, product: [UpdateArithmetic.Factor])? {
    switch self {
    case .norm(let limit):
      guard let factor = Self.factor(gradients, limit) else { return nil }
      return (
        "\(limit)/(‖grad‖ + 10⁻⁶) · grad", [.init(name: "clip", value: Double(factor)), number]
      )
    case .value(let limit):
      let bound = Double(Float(limit))
      guard number.value.magnitude > bound else { return nil }
      return (
        "max(−\(limit), min(\(limit), grad)), grad = \(Float(number.value))",
        [.init(name: "clipped", value: number.value < 0 ? -bound : bound)]
      )
    }
  }
}

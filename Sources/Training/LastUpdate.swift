package import Networks
package import Tensors

/// The rule and the inputs of one update, with a tensor or state for each parameter.
package struct LastUpdate: Sendable {
  package let rule: any Optimizer
  /// The weights and what the rule kept before the update.
  package let weights: [Tensor<Float>], before: [OptimizerState]
  /// The gradients from the flow, before clipping and noise.
  package let computed: [Tensor<Float>]
  /// The gradients for the rule, after clipping and noise.
  package let gradients: [Tensor<Float>]
  package let clipping: GradientClipping?
  package let noise: GradientNoise?
  /// The line of the gradient flow.
  package let flow: String
  /// The number of the update, from 1.
  package let step: Int

  /// The arithmetic of clipping and noise that changed one number of a gradient to g, the rule's
  /// input.
  ///
  /// - Parameters:
  ///   - parameter: The index of the parameter.
  ///   - name: The name of the parameter.
  ///   - offset: The index of the number within the parameter.
  ///   - factor: The name of the number, such as `c1.weight.grad[0,0,1,1]`.
  /// - Returns: The arithmetic; nil when nothing changed the number.
  package func arithmetic(
    ofGradient parameter: Int, _ name: String, at offset: Int, called factor: String
  ) -> UpdateArithmetic? {
    let number = UpdateArithmetic.Factor(
      name: factor, value: Double(computed[parameter].scalars[offset]))
    let clipped = clipping?.arithmetic(of: number, among: computed)
    guard clipped != nil || noise != nil else { return nil }
    let (letters, product) = clipped ?? ("grad", [number])
    guard let noise else { return UpdateArithmetic("g = \(letters)", [product]) }
    let ξ = UpdateArithmetic.Factor(
      name: "ξ", value: noise.number(of: name, at: offset, step: step))
    return noise.form == .multiply
      ? UpdateArithmetic("g = ξ · \(letters)", [[ξ] + product])
      : UpdateArithmetic("g = ξ + \(letters)", [product, [ξ]])
  }
}

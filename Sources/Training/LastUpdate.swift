package import Networks
package import Tensors

/// The rule of one update, with what it was given, a tensor or state for each parameter.
package struct LastUpdate: Sendable {
  package let rule: any Optimizer
  package let before: [OptimizerState]
  /// The gradients as the flow gave them.
  package let computed: [Tensor<Float>]
  /// The gradients that the rule was given: clipping and noise included.
  package let gradients: [Tensor<Float>]
  package let clipping: GradientClipping?
  package let noise: GradientNoise?
  /// The line of the flow that gave the gradients.
  package let flow: String
  /// The number of the update, from 1.
  package let step: Int

  /// How clipping and noise made g, which the rule was given, of one number of a gradient.
  ///
  /// - Parameters:
  ///   - parameter: The place of the parameter among all.
  ///   - name: What it is called.
  ///   - offset: The place of the number within it.
  ///   - factor: What the number is called, such as `c1.weight.grad[0,0,1,1]`.
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

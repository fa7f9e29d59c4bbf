/// What the derivative of an activation is computed from.
package enum ActivationRecord<Element: Scalar>: Sendable {
  /// The activation a, and the pre-activation z where the derivative needs it.
  case values(activation: FeatureMap<Element>, preactivation: FeatureMap<Element>?)
  /// One bit a value: whether the gradient passes a ReLU.
  case mask(ActivationMask)
}

/// One bit for each value of an interleaved map.
package struct ActivationMask: Sendable {
  let bits: MapMemory<UInt8>
}

/// A convolution with what follows it: out = act(z) + addend.
package struct ActivatedMap<Element: Scalar>: Sendable {
  /// act(z), before anything was added; none if it was never written.
  package let activation: FeatureMap<Element>?
  package let output: FeatureMap<Element>
  /// None if no backward pass will follow.
  package let record: ActivationRecord<Element>?
  /// Whether z holds a NaN or an infinity.
  package let foundNonFinite: Bool
}

/// Convolutions together with the operations beside them, in one pass over memory where the engine
/// can, to the same bits as one after the other.
extension Convolution {
  /// out = act(input ∗ kernel + bias) + addend.
  ///
  /// - Parameters:
  ///   - input: Images, `[N, C, H, W]`.
  ///   - kernel: Kernels, `[O, C, kH, kW]`.
  ///   - bias: `[O]`.
  ///   - activation: What is applied to each value.
  ///   - reluNaN: What ReLU makes of a NaN.
  ///   - addend: Added to the activation; its one channel may serve all.
  ///   - keepsRecord: Whether a backward pass will follow.
  /// - Returns: The result, and what the backward pass needs.
  package static func activated<Element: Scalar>(
    _ input: FeatureMap<Element>, kernel: Tensor<Element>, bias: Tensor<Element>?,
    activation: Activation, reluNaN: ReLUNaN, adding addend: FeatureMap<Element>? = nil,
    keepsRecord: Bool
  ) -> ActivatedMap<Element> {
    if activation == .relu, let engine = EngineConvolution(input, kernel.shape), engine.takesEnding,
      let x = input as? FeatureMap<Float>, let w = kernel as? Tensor<Float>,
      addend.map({ $0.shape.channels == kernel.shape[0] }) ?? true
    {
      let (map, mask) = engine.forward(
        x, w, bias as? Tensor<Float>,
        .init(
          activation: activation, reluNaN: reluNaN, addend: addend as? FeatureMap<Float>,
          keepsMask: keepsRecord))
      if let output = map as? FeatureMap<Element> {
        return ActivatedMap(
          activation: addend == nil ? output : nil, output: output,
          record: mask.map { .mask(ActivationMask(bits: $0)) }, foundNonFinite: map.foundNonFinite)
      }
    }
    let z = forward(input, kernel: kernel, bias: bias)
    let a = activation.forward(z, reluNaN: reluNaN)
    return ActivatedMap(
      activation: a, output: addend.map { a.adding($0) } ?? a,
      record: keepsRecord
        ? .values(activation: a, preactivation: activation.needsPreactivation ? z : nil) : nil,
      foundNonFinite: z.foundNonFinite)
  }

  /// The gradient of the input, plus `addend`.
  package static func inputGradient<Element: Scalar>(
    _ outputGradient: FeatureMap<Element>, kernel: Tensor<Element>,
    adding addend: FeatureMap<Element>?
  ) -> FeatureMap<Element> {
    let turnedShape: Shape = [kernel.shape[1], kernel.shape[0], kernel.shape[2], kernel.shape[3]]
    if let engine = EngineConvolution(outputGradient, turnedShape),
      engine.takesEnding || addend == nil, let g = outputGradient as? FeatureMap<Float>,
      let w = kernel as? Tensor<Float>,
      let result = engine.forward(
        g, w, nil, isTurned: true, .init(addend: addend as? FeatureMap<Float>)
      ).output as? FeatureMap<Element>
    {
      return result
    }
    let gradient = forward(outputGradient, kernel: kernel.turned)
    return addend.map { gradient.adding($0) } ?? gradient
  }

  /// The gradients of kernel and bias.
  package static func parameterGradients<Element: Scalar>(
    _ input: FeatureMap<Element>, _ outputGradient: FeatureMap<Element>, kernelShape: Shape,
    hasBias: Bool
  ) -> (kernel: Tensor<Element>, bias: Tensor<Element>?) {
    if let engine = EngineConvolution(input, kernelShape), let x = input as? FeatureMap<Float>,
      let g = outputGradient as? FeatureMap<Float>
    {
      let result = engine.parameterGradients(x.resolved, g, kernelShape, hasBias: hasBias)
      if let kernel = result.kernel as? Tensor<Element> {
        return (kernel, result.bias as? Tensor<Element>)
      }
    }
    return (
      kernelGradient(input, outputGradient, kernelShape: kernelShape),
      hasBias ? biasGradient(outputGradient) : nil
    )
  }
}

extension Activation {
  /// dz = act′(z) · da, from what the forward pass kept.
  package func backward<Element: Scalar>(
    _ gradient: FeatureMap<Element>, _ record: ActivationRecord<Element>
  ) -> FeatureMap<Element> {
    switch record {
    case .values(let activation, let preactivation):
      return backward(gradient, activation: activation, preactivation: preactivation)
    case .mask(let mask):
      var result = gradient.resolved
      result.mask = mask.bits
      return result
    }
  }
}

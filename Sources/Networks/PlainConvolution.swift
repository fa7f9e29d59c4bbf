package import Tensors

/// The options of a `conv` line.
package struct ConvolutionOptions: Hashable, Sendable {
  package var channels = 1
  package var kernel = 3
  package var activation = Activation.linear
  package var hasBias = true

  package init() {}

  /// The command line that builds the convolution.
  package var line: String {
    "conv channels=\(channels) kernel=\(kernel) act=\(activation.rawValue) "
      + "bias=\(hasBias ? "yes" : "no")"
  }
}

/// A convolution with an activation and no skip: z = conv(in), out = a = act(z).
package struct PlainConvolution<Element: Scalar>: Sendable {
  package let options: ConvolutionOptions
  package var convolution: Conv2D<Element>

  /// Computes the layer from its input x, `[N, I, H, W]`.
  package func forward(
    _ x: FeatureMap<Element>, retention: Retention, reluNaN: ReLUNaN,
    reader: Conv2D<Element>? = nil
  ) -> LayerPass<Element> {
    var pass = LayerPass(output: x)
    pass.output = pass.compute(
      convolution, x, options.activation, retention, reluNaN, reader: reader)
    if retention != .nothing { pass.input = x }
    if retention == .training { pass.activations = [] }
    return pass
  }

  /// Computes the gradients of the layer from da, the gradient of its output: dz = act′(z)·da, g =
  /// convᵀ(dz).
  package func backward(
    _ da: FeatureMap<Element>, _ pass: consuming LayerPass<Element>, retention: Retention,
    needsInput: Bool
  ) -> LayerGradients<Element> {
    guard pass.input != nil, pass.records.count == 1 else {
      preconditionFailure("The forward pass kept too little for a backward pass.")
    }
    let record = pass.records.removeLast()
    guard let x = pass.takeInput() else { preconditionFailure("The input was not kept.") }
    var result = LayerGradients(output: da)
    if retention != .everything,
      let gradients = convolution.backward(
        through: options.activation, da, record, input: x, needsInput: needsInput)
    {
      (result.input, result.parameters) = gradients
      return result
    }
    let dz = options.activation.backward(da, record)
    let (dx, parameters) = convolution.backward(
      dz, input: consume x, needsInput: needsInput, isRectified: pass.isInputRectified)
    (result.input, result.parameters) = (dx, parameters)
    result.keep(preactivation: dz, activation: da, retention)
    return result
  }
}

import Operations
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
package struct PlainConvolution<Element: Scalar>: Layer {
  package let options: ConvolutionOptions
  package var convolution: Conv2D<Element>

  /// Computes the layer from its input x, `[N, I, H, W]`.
  @specialized(where Element == Float)
  package func forward(
    _ x: FeatureMap<Element>, networkInput: FeatureMap<Element>, keepsRecord: Bool,
    reluNaN: ReLUNaN, reader: Conv2D<Element>?
  ) -> LayerPass<Element> {
    var pass = LayerPass(output: x)
    pass.output = pass.compute(
      convolution, x, options.activation, reluNaN, keepsRecord: keepsRecord, reader: reader)
    if keepsRecord { pass.input = x }
    pass.activations = []
    return pass
  }

  /// The gradients of the layer from da, the gradient of its output: dz = act′(z)·da, g = convᵀ(dz).
  ///
  /// A plain convolution takes no links: `insertion` is nil.
  @specialized(where Element == Float)
  package func backward(
    _ da: FeatureMap<Element>, _ pass: consuming LayerPass<Element>, needsInput: Bool,
    insertion: FeatureMap<Element>?
  ) -> LayerGradients<Element> {
    guard pass.input != nil, pass.records.count == 1 else {
      preconditionFailure("The forward pass kept too little for a backward pass.")
    }
    let record = pass.records.removeLast()
    guard let x = pass.takeInput() else { preconditionFailure("The input was not kept.") }
    if let (dx, parameters) = convolution.backward(
      through: options.activation, da, record, input: x, needsInput: needsInput)
    {
      return LayerGradients(input: dx, parameters: parameters)
    }
    let dz = options.activation.backward(da, record)
    let (dx, parameters) = convolution.backward(
      dz, input: consume x, needsInput: needsInput, isRectified: pass.isInputRectified)
    return LayerGradients(input: dx, parameters: parameters)
  }
}

extension PlainConvolution {
  package func lower(_ x: Int, _ program: inout Lowering<Element>) -> Int {
    let a = program.activated(convolution, options.activation, x, at: nil)
    return program.value("out", Copy(), [a])
  }
}

// MARK: - As a layer

extension PlainConvolution {
  package var letter: String { "c" }
  package var line: String { options.line }
  package var inputChannels: Int { convolution.weight.shape[1] }
  package var outputChannels: Int { options.channels }
  package var receptiveGrowth: Int { options.kernel - 1 }
  package var convolutionSizes: [ConvolutionSize] {
    [options.convolutionSize(inputs: inputChannels)]
  }
  package var soleReader: Conv2D<Element>? { convolution }
  package var memoryPlan: LayerPlan<Element>? { LayerPlan(self) }

  package var parameterNames: [String] { convolution.parameterNames }
  package var parameters: [Tensor<Element>] { convolution.parameters }

  package mutating func takeParameters(from rest: inout ArraySlice<Tensor<Element>>) {
    convolution.takeParameters(from: &rest)
  }

  package var doubles: any Layer<Double> {
    PlainConvolution<Double>(options: options, convolution: convolution.doubles)
  }

  package func redrawn(
    inputs: Int, named name: String, _ initializer: Initializer, seed: UInt64
  ) throws(NetworkError) -> any Layer<Float> {
    PlainConvolution<Float>(options, inputs: inputs, named: name, initializer, seed: seed)
  }
}

extension PlainConvolution<Float> {
  /// A convolution with weights drawn by `initializer`.
  package init(
    _ options: ConvolutionOptions, inputs: Int, named name: String, _ initializer: Initializer,
    seed: UInt64
  ) {
    self.options = options
    convolution = initializer.convolution(
      inputs: inputs, outputs: options.channels, kernel: options.kernel, hasBias: options.hasBias,
      seed: seed, name: name)
  }
}

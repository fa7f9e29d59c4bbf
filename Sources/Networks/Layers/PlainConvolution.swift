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
}

extension PlainConvolution {
  package func lower(_ x: Int, _ program: inout Lowering<Element>) -> Int {
    let a = program.activated(convolution, options.activation, x, at: nil)
    return program.value("out", Copy(), [a])
  }
}

// MARK: - As a layer

extension PlainConvolution {
  package static var letter: String { "c" }
  package var line: String { options.line }
  package var inputChannels: Int { convolution.weight.shape[1] }
  package var outputChannels: Int { options.channels }
  package var receptiveGrowth: Int { options.kernel - 1 }
  package var convolutionSizes: [ConvolutionSize] {
    [options.convolutionSize(inputs: inputChannels)]
  }

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

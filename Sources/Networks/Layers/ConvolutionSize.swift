/// The size of a convolution, known before its weights are drawn.
package struct ConvolutionSize: Hashable, Sendable {
  package let inputs: Int
  package let outputs: Int
  package let kernel: Int
  package let hasBias: Bool

  package init(inputs: Int, outputs: Int, kernel: Int, hasBias: Bool) {
    (self.inputs, self.outputs) = (inputs, outputs)
    (self.kernel, self.hasBias) = (kernel, hasBias)
  }

  /// The number of trained parameters.
  package var parameters: Int { outputs * (inputs * kernel * kernel + (hasBias ? 1 : 0)) }

  /// The multiplications and additions for one pixel of the output.
  package var operationsPerPixel: Int { 2 * inputs * outputs * kernel * kernel }
}

extension BlockOptions {
  /// The convolutions of a block with these options that reads `inputs` channels.
  package func convolutionSizes(inputs: Int) -> [ConvolutionSize] {
    let chain = (0..<convolutions).map {
      ConvolutionSize(
        inputs: $0 == 0 ? inputs : channels, outputs: channels, kernel: kernel, hasBias: hasBias)
    }
    let project = ConvolutionSize(inputs: inputs, outputs: channels, kernel: 1, hasBias: hasBias)
    return chain + (skip == .project && merge != .none ? [project] : [])
  }
}

extension ConvolutionOptions {
  /// The convolution of a layer with these options that reads `inputs` channels.
  package func convolutionSize(inputs: Int) -> ConvolutionSize {
    ConvolutionSize(inputs: inputs, outputs: channels, kernel: kernel, hasBias: hasBias)
  }
}

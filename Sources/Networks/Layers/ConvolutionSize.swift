import Tensors

/// The size of a convolution, known before its weights are drawn.
package struct ConvolutionSize: Hashable, Sendable {
  package let inputs: Int
  package let outputs: Int
  package let kernel: Int
  package let hasBias: Bool
  package let groups: Int
  /// Whether a norm follows, with two numbers for each output.
  package let hasNorm: Bool

  package init(
    inputs: Int, outputs: Int, kernel: Int, hasBias: Bool, groups: Int = 1, hasNorm: Bool = false
  ) {
    (self.inputs, self.outputs) = (inputs, outputs)
    (self.kernel, self.hasBias) = (kernel, hasBias)
    (self.groups, self.hasNorm) = (groups, hasNorm)
  }

  /// The number of trained parameters.
  package var parameters: Int {
    outputs * (inputs / groups * kernel * kernel + (hasBias ? 1 : 0) + (hasNorm ? 2 : 0))
  }

  /// The multiplications and additions for one pixel of the output.
  package var operationsPerPixel: Int { 2 * inputs / groups * outputs * kernel * kernel }
}

extension BlockOptions {
  /// The convolutions of a block with these options that reads `inputs` channels.
  package func convolutionSizes(inputs: Int) -> [ConvolutionSize] {
    let chain = (0..<convolutions).map {
      ConvolutionSize(
        inputs: $0 == 0 ? inputs : channels, outputs: channels, kernel: kernel, hasBias: hasBias,
        groups: geometry.groups, hasNorm: norm != nil)
    }
    let project = ConvolutionSize(inputs: inputs, outputs: channels, kernel: 1, hasBias: hasBias)
    return chain + (skip == .project && merge != .none ? [project] : [])
  }
}

extension ConvolutionOptions {
  /// The convolution of a layer with these options that reads `inputs` channels.
  package func convolutionSize(inputs: Int) -> ConvolutionSize {
    ConvolutionSize(
      inputs: inputs, outputs: channels, kernel: kernel, hasBias: hasBias,
      groups: geometry.groups, hasNorm: norm != nil)
  }
}

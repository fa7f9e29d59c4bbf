package import Tensors

/// The facts about a layer of convolutions that the memory of its fused passes depends on.
package struct LayerPlan<Element: Scalar> {
  package let inputs: Int, channels: Int, convolutions: Int
  private let activation: Activation
  private let merge: Merge
  private let skip: Skip
  private let kernels: [Shape]
  private let hasBias: Bool

  init(_ block: ResidualBlock<Element>) {
    (inputs, channels) = (block.inputChannels, block.outputChannels)
    (activation, merge, skip) = (block.options.activation, block.options.merge, block.options.skip)
    kernels = block.convolutions.map(\.weight.shape)
    (convolutions, hasBias) = (block.convolutions.count, block.options.hasBias)
  }

  init(_ plain: PlainConvolution<Element>) {
    (inputs, channels) = (plain.inputChannels, plain.outputChannels)
    (activation, merge, skip) = (plain.options.activation, .none, .block)
    kernels = [plain.convolution.weight.shape]
    (convolutions, hasBias) = (1, plain.options.hasBias)
  }

  package var isLinear: Bool { activation == .linear }
  package var keepsPreactivations: Bool { activation.needsPreactivation }
  package var merges: Bool { merge != .none }
  package var multiplies: Bool { merge == .multiply || merge == .multiplyAdd }
  package var projects: Bool { skip == .project && merges }
  package var skipsFromNetworkInput: Bool { skip == .input }

  /// Whether the skip value is added to the activation of convolution `i`.
  package func adds(_ i: Int) -> Bool { merge == .add && i == convolutions - 1 }

  /// Whether convolution `i` ends with its ReLU and sum, and keeps bits for the derivative.
  package func isFused(_ i: Int) -> Bool {
    let joinsOneChannel = skip == .input || skip == .block && inputs != channels
    return activation == .relu && ConvolutionMemory.takesEnding(channels: channels, Element.self)
      && !(adds(i) && joinsOneChannel)
  }

  /// Whether the engine goes back through convolution `i` and its activation in one pass over memory.
  package func isPulledBack(_ i: Int) -> Bool {
    Element.self == Float.self && !hasBias
      && !kernels[i].extents.prefix(2).contains {
        ConvolutionMemory.takesEnding(channels: $0, Element.self)
      }
  }

  /// Whether the input of convolution `i` stays until its gradient is there.
  package func keepsInput(_ i: Int) -> Bool {
    ConvolutionMemory.keepsInput(kernels[i], Element.self)
  }

  /// Whether the derivative of the last activation is computed from the layer's output.
  package var keepsOutput: Bool { merge == .none && !isFused(convolutions - 1) }

  /// Whether the gradient of the skip is added to that of the input in a map of its own.
  package var addsBehind: Bool {
    merges && skip == .block
      && !ConvolutionMemory.takesEnding(channels: inputs, Element.self)
  }
}

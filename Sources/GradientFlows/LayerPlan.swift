import Networks
import Tensors

/// What decides the memory of a layer.
struct LayerPlan<Element: Scalar> {
  let inputs: Int, channels: Int, convolutions: Int
  private let activation: Activation
  private let merge: Merge
  private let skip: Skip
  private let projectActivation: Activation
  private let kernels: [Shape]
  private let hasBias: Bool

  init(_ layer: Layer<Element>) {
    (inputs, channels) = (layer.inputChannels, layer.outputChannels)
    activation = layer.activation
    switch layer {
    case .block(let block):
      kernels = block.convolutions.map(\.weight.shape)
      convolutions = block.options.convolutions
      (merge, skip) = (block.options.merge, block.options.skip)
      (projectActivation, hasBias) = (block.options.projectActivation, block.options.hasBias)
    case .convolution(let plain):
      kernels = [plain.convolution.weight.shape]
      (convolutions, merge, skip) = (1, .none, .block)
      (projectActivation, hasBias) = (.linear, plain.options.hasBias)
    }
  }

  var isLinear: Bool { activation == .linear }
  var keepsPreactivations: Bool { activation.needsPreactivation }
  var merges: Bool { merge != .none }
  var multiplies: Bool { merge == .multiply || merge == .multiplyAdd }
  /// Whether the merge is a product and a sum.
  var multipliesAndAdds: Bool { merge == .multiplyAdd }
  var projects: Bool { skip == .project && merges }
  /// Whether an activation follows the projection.
  var activatesProjection: Bool { projects && projectActivation != .linear }
  var skipsFromNetworkInput: Bool { skip == .input }
  /// Whether the gradient of the skip is added to that of the layer's input.
  var skipMeetsInput: Bool { merges && skip != .input }
  /// Whether one channel of the skip serves all.
  var sharesSkip: Bool {
    merges && (skip == .input ? 1 : skip == .block ? inputs : channels) < channels
  }

  /// Whether the skip value is added to the activation of convolution `i`.
  func adds(_ i: Int) -> Bool { merge == .add && i == convolutions - 1 }

  /// Whether convolution `i` ends with its ReLU and sum, and keeps bits for the derivative.
  func isFused(_ i: Int) -> Bool {
    let joinsOneChannel = skip == .input || skip == .block && inputs != channels
    return activation == .relu && ConvolutionMemory.takesEnding(channels: channels, Element.self)
      && !(adds(i) && joinsOneChannel)
  }

  /// Whether the engine goes back through convolution `i` and its activation in one pass over memory.
  func isPulledBack(_ i: Int) -> Bool {
    Element.self == Float.self && !hasBias
      && !kernels[i].extents.prefix(2).contains {
        ConvolutionMemory.takesEnding(channels: $0, Element.self)
      }
  }

  /// Whether the input of convolution `i` stays until its gradient is there.
  func keepsInput(_ i: Int) -> Bool { ConvolutionMemory.keepsInput(kernels[i], Element.self) }

  /// Whether the derivative of the last activation is computed from the layer's output.
  var keepsOutput: Bool { merge == .none && !isFused(convolutions - 1) }

  /// Whether the gradient of the skip is added to that of the input in a map of its own.
  var addsBehind: Bool {
    merges && skip == .block
      && !ConvolutionMemory.takesEnding(channels: inputs, Element.self)
  }
}

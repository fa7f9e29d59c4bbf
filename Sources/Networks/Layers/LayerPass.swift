package import Tensors

/// The values that a forward pass keeps.
package enum Retention: Hashable, Sendable {
  /// Only the result.
  case nothing
  /// The values that the backward pass needs.
  case training
  /// The values that the backward pass needs, and every named value of the layer with this index.
  case layer(Int)
  /// Every value that has a name.
  case everything
}

/// The values of one layer in one forward pass.
package struct LayerPass<Element: Scalar>: Sendable {
  /// The input of the layer.
  package var input: FeatureMap<Element>?
  /// aᵢ = act(zᵢ), where the backward pass reads it.
  package var activations: [FeatureMap<Element>?] = []
  /// The values from which the derivative of each activation is computed.
  package var records: [ActivationRecord<Element>] = []
  /// s, the value that the merge joins.
  package var skip: FeatureMap<Element>?
  /// The value that the layer hands on; the layer above alone keeps it.
  package var output: FeatureMap<Element>?
  /// Whether the input is the output of a ReLU whose derivative is computed by this layer.
  package var isInputRectified = false
  /// The values of a layer that trains through its operations.
  var plain: PlainPass<Element>?
  /// Whether a convolution found a NaN or an infinity.
  package var foundNonFinite = false

  package init(output: FeatureMap<Element>?) { self.output = output }
}

extension LayerPass {
  /// Whether the derivative of the last activation is computed by the convolution that reads it.
  var leavesDerivative: Bool { if case .reader = records.last { true } else { false } }
}

/// Values that a backward pass reads for the last time, so that their memory can be used for
/// gradients.
extension LayerPass {
  /// Removes and returns the input of the layer.
  mutating func takeInput() -> FeatureMap<Element>? {
    defer { input = nil }
    return input
  }

  /// Removes and returns the input of convolution `index`: the layer's input or the activation
  /// before.
  mutating func takeInput(ofConvolution index: Int) -> FeatureMap<Element>? {
    guard index > 0 else { return takeInput() }
    defer { activations[index - 1] = nil }
    return activations[index - 1]
  }
}

/// The gradients that one layer computes in a backward pass.
package struct LayerGradients<Element: Scalar>: Sendable {
  /// g, the gradient that the layer passes on to its input; nil where it is not wanted.
  package var input: FeatureMap<Element>?
  /// The gradients of the parameters, in the order of the layer's `parameters`.
  package var parameters: [Tensor<Element>] = []
}

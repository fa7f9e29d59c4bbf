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

  /// The retention for the layer with an index.
  package func ofLayer(_ index: Int) -> Retention {
    guard case .layer(let wanted) = self else { return self }
    return index == wanted ? .everything : .training
  }
}

/// The values of one layer in one forward pass.
package struct LayerPass<Element: Scalar>: Sendable {
  /// The input of the layer.
  package var input: FeatureMap<Element>?
  /// zᵢ, the result of each convolution, before its activation.
  package var preactivations: [FeatureMap<Element>?] = []
  /// aᵢ = act(zᵢ).
  package var activations: [FeatureMap<Element>?] = []
  /// The values from which the derivative of each activation is computed.
  package var records: [ActivationRecord<Element>] = []
  /// s, the value that the merge joins.
  package var skip: FeatureMap<Element>?
  /// The output of the layer; in training, only the layer above keeps it, as its input.
  package var output: FeatureMap<Element>?
  /// Whether the input is the output of a ReLU whose derivative is computed by this layer.
  package var isInputRectified = false
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

/// The gradients of one layer in one backward pass, for each value above that was kept.
package struct LayerGradients<Element: Scalar>: Sendable {
  /// G, the gradient of the layer's output.
  package var output: FeatureMap<Element>?
  /// g, the gradient that the layer passes on to its input.
  package var input: FeatureMap<Element>?
  /// The gradient that the layer passes to the network's input through its skip.
  package var networkInput: FeatureMap<Element>?
  package var preactivations: [FeatureMap<Element>?] = []
  package var activations: [FeatureMap<Element>?] = []
  package var skip: FeatureMap<Element>?
  /// The gradients of the parameters, in the order of the layer's `parameters`.
  package var parameters: [Tensor<Element>] = []

  package init(output: FeatureMap<Element>?) { self.output = output }

  /// The gradients of the parameters alone, which training needs.
  package var ofParameters: LayerGradients {
    var result = LayerGradients(output: nil)
    result.parameters = parameters
    return result
  }
}

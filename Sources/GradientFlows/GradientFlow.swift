package import Networks
package import Tensors

/// A way for gradients to travel through a network.
///
/// A layer knows its own pullback only; a flow decides what is fed to each layer.
package protocol GradientFlow: Sendable {
  /// The word that chooses the flow: `standard`, …
  var name: String { get }

  /// The gradients of a pass.
  ///
  /// - Parameters:
  ///   - network: The network that made the pass.
  ///   - pass: A forward pass that kept at least what training needs.
  ///   - outputGradient: The gradient of the loss with respect to the output, `[N, 1, H, W]`.
  ///   - retention: Whether gradients of all named values are kept, or just the parameters'.
  /// - Returns: The gradients, layer by layer.
  func backward<Element: Scalar>(
    _ network: Network<Element>, _ pass: NetworkPass<Element>,
    outputGradient: FeatureMap<Element>, retention: Retention
  ) -> NetworkGradients<Element>
}

/// The gradients of a network in one backward pass.
package struct NetworkGradients<Element: Scalar>: Sendable {
  /// The gradient of the network's output.
  package var output: FeatureMap<Element>
  /// The gradients of each layer, in the order of the layers.
  package var layers: [LayerGradients<Element>]
  /// The gradient of the network's input over all paths; kept for inspection only.
  package var input: FeatureMap<Element>?

  /// The gradients of all parameters, in the order of the network's `parameters`.
  package var parameters: [Tensor<Element>] { layers.flatMap(\.parameters) }

  package init(
    output: FeatureMap<Element>, layers: [LayerGradients<Element>], input: FeatureMap<Element>?
  ) {
    (self.output, self.layers, self.input) = (output, layers, input)
  }
}

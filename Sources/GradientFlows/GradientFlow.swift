package import Networks
package import Tensors

/// A way for gradients to travel through a network.
package protocol GradientFlow: Sendable {
  /// The word that chooses the flow: `standard`, `dilated`, `tape`.
  var name: String { get }

  /// The line that chooses it, with all its settings.
  var line: String { get }

  /// Whether it gives the gradient of the loss, so that differences of the loss must agree.
  var isGradient: Bool { get }

  /// The loss and all gradients of a pass.
  ///
  /// - Parameters:
  ///   - pass: The network, the batch and the loss.
  ///   - retention: Whether all named values and gradients are kept, or just the parameters'.
  /// - Returns: Values and gradients, layer by layer.
  func run<Element: Scalar>(
    _ pass: TrainingPass<Element>, retention: Retention
  ) -> PassResult<Element>

  /// Throws when gradients cannot travel this way through `network`.
  func requireFit<Element: Scalar>(_ network: Network<Element>) throws(NetworkError)

  /// The extra ways that gradients take through `network`, beside the way from layer to layer.
  func links<Element: Scalar>(in network: Network<Element>) -> [FlowLink]

  /// How the links that end at the layer in place `index` join it in epoch `epoch`, from 0; nil when
  /// nothing is added there.
  func join<Element: Scalar>(at index: Int, in network: Network<Element>, epoch: Int) -> LinkJoin?

  /// The most bytes of maps that are alive at once in a pass on images of `pixels` in all, about.
  func mapBytes<Element: Scalar>(
    of network: Network<Element>, pixels: Int, retention: Retention
  ) -> Int
}

extension GradientFlow {
  package var isGradient: Bool { true }

  package func requireFit<Element: Scalar>(_ network: Network<Element>) throws(NetworkError) {}

  package func links<Element: Scalar>(in network: Network<Element>) -> [FlowLink] { [] }

  package func join<Element: Scalar>(
    at index: Int, in network: Network<Element>, epoch: Int
  ) -> LinkJoin? { nil }
}

/// An extra way of a gradient: what block `source` passes on is also fed to block `target`.
package struct FlowLink: Hashable, Sendable {
  /// Places among the network's layers.
  package let source: Int, target: Int
}

/// A flow that only decides what is fed to each layer.
///
/// A layer knows its own pullback: it stands under its forward pass.
package protocol LayerwiseFlow: GradientFlow {
  /// Whether each layer is fed with just what the layer above passes on.
  var goesStraight: Bool { get }

  /// The gradients of a pass.
  ///
  /// - Parameters:
  ///   - network: The network that made the pass.
  ///   - pass: A forward pass that kept at least what training needs; a flow may let go of values
  ///     once they are read.
  ///   - outputGradient: The gradient of the loss with respect to the output, `[N, 1, H, W]`.
  ///   - epoch: The number of the epoch, from 0.
  ///   - retention: Whether gradients of all named values are kept, or just the parameters'.
  /// - Returns: The gradients, layer by layer.
  func backward<Element: Scalar>(
    _ network: Network<Element>, _ pass: consuming NetworkPass<Element>,
    outputGradient: FeatureMap<Element>, epoch: Int, retention: Retention
  ) -> NetworkGradients<Element>
}

extension LayerwiseFlow {
  package func run<Element: Scalar>(
    _ pass: TrainingPass<Element>, retention: Retention
  ) -> PassResult<Element> {
    let (values, loss, outputGradient) = pass.forward(
      retention: retention, readersDerive: goesStraight)
    let kept = values.inspectable(retention)
    let gradients = backward(
      pass.network, consume values, outputGradient: outputGradient, epoch: pass.epoch,
      retention: retention)
    return PassResult(network: pass.network, loss: loss, pass: kept, gradients: gradients)
  }
}

/// The gradients of a network in one backward pass.
package struct NetworkGradients<Element: Scalar>: Sendable {
  /// The gradient of the network's output, where kept.
  package var output: FeatureMap<Element>?
  /// The gradients of each layer, in the order of the layers.
  package var layers: [LayerGradients<Element>]
  /// The gradient of the network's input over all paths; kept for inspection only.
  package var input: FeatureMap<Element>?

  /// The gradients of all parameters, in the order of the network's `parameters`.
  package var parameters: [Tensor<Element>] { layers.flatMap { $0.parameters } }

  package init(
    output: FeatureMap<Element>?, layers: [LayerGradients<Element>], input: FeatureMap<Element>?
  ) {
    (self.output, self.layers, self.input) = (output, layers, input)
  }
}

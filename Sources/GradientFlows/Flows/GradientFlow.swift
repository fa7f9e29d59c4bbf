package import Networks
import Operations
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

  /// How gradients travel, in a few words.
  var summary: String { get }

  /// Returns the weight ρ of the links in epoch `epoch`, from 0; nil for a flow without links.
  func linkWeight(epoch: Int) -> Double?

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

  /// Returns the bytes of the maps that a training step keeps of the layer in place `index` until it
  /// goes back, about.
  func keptBytes<Element: Scalar>(
    ofLayer index: Int, in network: Network<Element>, pixels: Int
  ) -> Int
}

extension GradientFlow {
  package var isGradient: Bool { true }

  package func linkWeight(epoch: Int) -> Double? { nil }

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

  /// Computes the gradients of all parameters, from the last layer to the first.
  ///
  /// - Parameters:
  ///   - network: The network that made the pass.
  ///   - pass: A forward pass that kept what training needs; a flow may let go of values once they are
  ///     read.
  ///   - outputGradient: The gradient of the loss with respect to the output, `[N, 1, H, W]`.
  ///   - epoch: The number of the epoch, from 0.
  ///   - watched: The place of a layer that is looked into; nil for none.
  /// - Returns: The gradients, and what the watched layer was fed with.
  func backward<Element: Scalar>(
    _ network: Network<Element>, _ pass: consuming NetworkPass<Element>,
    outputGradient: FeatureMap<Element>, epoch: Int, watched: Int?
  ) -> LayerwiseGradients<Element>
}

/// The gradients of a network in one backward pass, layer by layer.
package struct LayerwiseGradients<Element: Scalar>: Sendable {
  /// The gradients of all parameters, in the order of the network's `parameters`.
  package private(set) var parameters: [Tensor<Element>] = []
  /// The gradient of the watched layer's output, and the term that a flow added behind its last
  /// derivative; nil when no layer is watched.
  package var fed: (gradient: FeatureMap<Element>, insertion: FeatureMap<Element>?)?

  package init() {}

  /// Takes the gradients of the layer below those that are known.
  package mutating func add(below layer: LayerGradients<Element>) {
    parameters = layer.parameters + parameters
  }
}

extension LayerwiseFlow {
  package func run<Element: Scalar>(
    _ pass: TrainingPass<Element>, retention: Retention
  ) -> PassResult<Element> {
    if retention == .everything { return runPlain(pass) }
    let watched: Int? = if case .layer(let index) = retention { index } else { nil }
    let (values, loss, outputGradient) = pass.forward(
      retention: retention, readersDerive: goesStraight)
    let (output, foundNonFinite) = (values.output, values.foundNonFinite)
    let input = watched.flatMap { values.layers[$0].input }
    let gradients = backward(
      pass.network, consume values, outputGradient: outputGradient, epoch: pass.epoch,
      watched: watched)
    return PassResult(
      pass, loss: loss, output: output, foundNonFinite: foundNonFinite,
      parameterGradients: gradients.parameters,
      kept: watched.flatMap { index in
        guard let input, let fed = gradients.fed else { return nil }
        return plain(pass, layer: index, input, fed.gradient, insertion: fed.insertion)
      })
  }

  /// Computes every operation alone.
  private func runPlain<Element: Scalar>(_ pass: TrainingPass<Element>) -> PassResult<Element> {
    var plain = PlainPass(pass.program)
    plain.give(pass)
    let nodes = plain.program.nodes.indices
    plain.forward(nodes)
    let layers = plain.program.layers
    let joins = layers.indices.map { join(at: $0, in: pass.network, epoch: pass.epoch) }
    let targets = Dictionary(
      uniqueKeysWithValues: zip(layers, joins).compactMap { layer, join in
        join.map { ($0.isBehindDerivative ? layer.preactivation : layer.output, $0) }
      })
    plain.backward(nodes, seed: .number(1)) { place, gradients in
      targets[place]?.added { source in gradients[layers[source].input]?.map }
    }
    return PassResult(pass, plain)
  }

  /// Computes one layer's operations alone, from what it was given and fed with.
  private func plain<Element: Scalar>(
    _ pass: TrainingPass<Element>, layer index: Int, _ input: FeatureMap<Element>,
    _ gradient: FeatureMap<Element>, insertion: FeatureMap<Element>?
  ) -> PlainPass<Element> {
    var plain = PlainPass(pass.program)
    plain.give(pass)
    let layer = plain.program.layers[index]
    plain.give(.map(input), at: plain.program.nodes[layer.input].operands[0])
    plain.forward(layer.nodes)
    plain.backward(layer.nodes, seed: .map(gradient)) { place, _ in
      place == layer.preactivation ? insertion : nil
    }
    plain.keep(only: layer.nodes)
    return plain
  }
}

/// Every flow as it is without options; a new flow is added here and to the command table.
package let allFlows: [any GradientFlow] = [StandardFlow(), DilatedFlow(), TapeFlow()]

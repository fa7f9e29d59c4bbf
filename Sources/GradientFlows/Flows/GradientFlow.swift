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

  /// The links that the flow leaves out, because the gradients at their ends have different shapes.
  func gaps<Element: Scalar>(in network: Network<Element>) -> [FlowLink]

  /// How the links that end at the layer in place `index` join it in epoch `epoch`, from 0; nil when
  /// nothing is added there.
  func join<Element: Scalar>(at index: Int, in network: Network<Element>, epoch: Int) -> LinkJoin?

  /// Returns the most bytes of maps that are alive at once in a pass on a batch, about.
  func mapBytes<Element: Scalar>(
    of network: Network<Element>, _ size: BatchSize, retention: Retention
  ) -> Int

  /// Returns the bytes of the maps that a training step keeps of each layer until it goes back, about.
  func keptBytes<Element: Scalar>(of network: Network<Element>, _ size: BatchSize) -> [Int]
}

extension GradientFlow {
  package var isGradient: Bool { true }

  package func linkWeight(epoch: Int) -> Double? { nil }

  package func requireFit<Element: Scalar>(_ network: Network<Element>) throws(NetworkError) {}

  package func links<Element: Scalar>(in network: Network<Element>) -> [FlowLink] { [] }

  package func gaps<Element: Scalar>(in network: Network<Element>) -> [FlowLink] { [] }

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
/// Each operation knows its own pullback, which stands under its forward computation; what the flow adds
/// at a layer is told by ``GradientFlow/join(at:in:epoch:)``.
package protocol LayerwiseFlow: GradientFlow {}

extension LayerwiseFlow {
  package func run<Element: Scalar>(
    _ pass: TrainingPass<Element>, retention: Retention
  ) -> PassResult<Element> {
    let work = LayerwiseWork(self, pass.network, pass.key, epoch: pass.epoch, retention: retention)
    let numbers = Numbers(work.plan.program)
    var execution = Execution(work.plan, numbers)
    execution.give(pass)
    work.run(&execution, numbers, seed: .number(1))
    let all = PassValues(execution)
    guard let layer = work.watched else {
      return PassResult(pass, all, kept: retention == .everything ? all : nil)
    }
    // The layer that is looked into once more, each operation alone, from what it was given and fed with.
    var key = pass.key
    key.isSeparate = true
    var separate = Execution(pass.network.plan(key), numbers)
    separate.give(pass)
    for place in work.plan.program.read(by: layer) {
      if let value = execution.value(at: place) { separate.give(value, at: place) }
    }
    separate.forward(layer.nodes)
    separate.backward(layer.nodes, seed: execution.gradient(at: layer.output)) { place, _ in
      place == layer.preactivation
        ? work.joined(numbers, place) { execution.gradient(at: $0) } : nil
    }
    var values = PassValues(separate)
    values.keep(only: layer.nodes)
    return PassResult(pass, all, kept: values)
  }
}

/// Every flow as it is without options; a new flow is added here and to the command table.
package let allFlows: [any GradientFlow] = [StandardFlow(), DilatedFlow(), TapeFlow()]

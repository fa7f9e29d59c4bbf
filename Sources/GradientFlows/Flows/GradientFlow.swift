package import Networks
package import Operations
package import Tensors

/// A way for gradients to travel through a network.
package protocol GradientFlow: Sendable {
  /// The word that chooses the flow: `standard`, `dilated`, `feedback`.
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

  /// Returns what stands in place of the gradient that the layer above passes on; nil where nothing does.
  func replacement<Element: Scalar>(in network: Network<Element>) -> Replacement?

  /// Returns the runs of layers whose values are computed a second time on the way back, in order.
  func computedTwice<Element: Scalar>(in network: Network<Element>) -> [ClosedRange<Int>]

  /// Whether a gradient goes back through the values; otherwise weights alone have one.
  var goesBack: Bool { get }

  /// Returns the terms of a number of a parameter's gradient where no pullback computes it; nil otherwise.
  func terms(ofParameter index: Int, at offset: Int, in pass: TrainingPass<Float>) -> TermList?

  /// Returns the flow with random numbers from another seed; a flow without any is as it was.
  func seeded(_ seed: UInt64) -> Self

  /// Whether it writes the program of a pass anew.
  var rewrites: Bool { get }

  /// Returns the program of a pass of `network` as the flow goes through it.
  func rewritten<Element: Scalar>(
    _ program: Program<Element>, of network: Network<Element>
  ) -> Program<Element>

  /// Returns the flow's own tensors for `network`, as they are in the step behind `step` updates.
  func tensors<Element: Scalar>(for network: Network<Element>, step: Int) -> [FlowTensor<Element>]

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

  package func seeded(_ seed: UInt64) -> Self { self }
  package var goesBack: Bool { true }

  package func replacement<Element: Scalar>(in network: Network<Element>) -> Replacement? { nil }

  package func computedTwice<Element: Scalar>(
    in network: Network<Element>
  ) -> [ClosedRange<Int>] { [] }

  package func terms(
    ofParameter index: Int, at offset: Int, in pass: TrainingPass<Float>
  ) -> TermList? { nil }
  package var rewrites: Bool { false }

  package func rewritten<Element: Scalar>(
    _ program: Program<Element>, of network: Network<Element>
  ) -> Program<Element> { program }

  package func tensors<Element: Scalar>(
    for network: Network<Element>, step: Int
  ) -> [FlowTensor<Element>] { [] }
}

/// An extra way of a gradient: what block `source` passes on is also fed to block `target`.
package struct FlowLink: Hashable, Sendable {
  /// Places among the network's layers.
  package let source: Int, target: Int
}

/// A flow that only decides what is fed to each layer.
///
/// Each operation knows its own pullback, which stands under its forward computation; what the flow adds
/// at a layer is told by ``GradientFlow/join(at:in:epoch:)``, and what else it changes by
/// ``GradientFlow/rewritten(_:of:)``.
package protocol LayerwiseFlow: GradientFlow {
  /// Returns the parts in which a training pass goes through the program, from the input to the loss:
  /// values within a part are computed again when the pass goes back through it.
  func parts<Element: Scalar>(
    of program: Program<Element>, _ network: Network<Element>
  ) -> [Range<Int>]
}

extension LayerwiseFlow {
  package func parts<Element: Scalar>(
    of program: Program<Element>, _ network: Network<Element>
  ) -> [Range<Int>] { [program.nodes.indices] }
}

extension LayerwiseFlow {
  package func run<Element: Scalar>(
    _ pass: TrainingPass<Element>, retention: Retention
  ) -> PassResult<Element> {
    let work = LayerwiseWork(
      self, pass.network, pass.key, epoch: pass.epoch, step: pass.step, retention: retention)
    let numbers = Numbers(work.plan.program)
    var execution = Execution(work.plan, numbers)
    execution.give(pass)
    work.run(&execution, numbers, seed: .number(1))
    let all = PassValues(execution)
    guard let layer = work.watched else {
      return PassResult(pass, all, kept: retention == .everything ? all : nil)
    }
    // The layer that is looked into once more, each operation alone, from what it was given and fed with.
    var separate = Execution(work.separatePlan(), numbers)
    separate.give(pass)
    for place in work.plan.program.read(by: layer) {
      if let value = execution.value(at: place) { separate.give(value, at: place) }
    }
    separate.forward(layer.nodes)
    separate.backward(layer.nodes, seed: execution.seed(of: layer)) { place, _ in
      place == layer.preactivation
        ? work.joined(numbers, place) { execution.gradient(at: $0) } : nil
    }
    var values = PassValues(separate)
    values.keep(only: layer.nodes)
    return PassResult(pass, all, kept: values)
  }
}

extension Execution where Arithmetic == Numbers<Element> {
  /// The gradient of what a layer hands on; 0 where none arrives.
  fileprivate func seed(of layer: Program<Element>.LayerNodes) -> Value<Element>? {
    gradient(at: layer.output)
      ?? value(at: layer.output).map { .map(FeatureMap(shape: $0.shape, number: 0)) }
  }
}

/// Every flow as it is without options; a new flow is added here and to the command table.
package let allFlows: [any GradientFlow] = [
  StandardFlow(), DilatedFlow(), TapeFlow(), FeedbackFlow(), DirectFlow(), SyntheticFlow(),
  LocalFlow(), ForwardFlow(), TruncatedFlow(), CheckpointedFlow(),
]

/// A flow that draws tensors of its own from a seed.
package protocol SeededFlow: GradientFlow {
  var seed: UInt64 { get set }
}

extension SeededFlow {
  package func seeded(_ seed: UInt64) -> Self {
    var flow = self
    flow.seed = seed
    return flow
  }
}

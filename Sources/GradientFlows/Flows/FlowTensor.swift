package import Networks
import Synchronization
package import Tensors

/// A tensor of a gradient flow's own: a feedback kernel, or the weight or bias of a predictor or head.
package struct FlowTensor<Element: Scalar>: Sendable {
  /// How training changes the tensor.
  package enum Learning: Hashable, Sendable {
    /// It stays as it was drawn.
    case fixed
    /// By its own gradient in the pass; with this learning rate, or the session's if nil.
    case own(rate: Double?)
    /// By the gradient of the parameter with this name.
    case with(parameter: String)
  }

  /// Such as `b2.conv1.weight.feedback`.
  package let name: String
  /// Its numbers in the step.
  package var tensor: Tensor<Element>
  package let learning: Learning

  package init(_ name: String, _ tensor: Tensor<Element>, _ learning: Learning = .fixed) {
    (self.name, self.tensor, self.learning) = (name, tensor, learning)
  }
}

extension GradientFlow {
  /// Returns the tensor called `name` that training or a file gave `network`; nil where it gave none of
  /// this shape.
  func trained<Element: Scalar>(
    _ name: String, _ shape: Shape, in network: Network<Element>
  ) -> Tensor<Element>? {
    guard let state = network.flowState, state.flow == line, let tensor = state.tensors[name],
      tensor.shape == shape
    else { return nil }
    return tensor
  }
}

extension Tensor {
  /// A kernel of random numbers from the stream `flow/<name>`: normal, with the deviation of
  /// `init=he`, √(2/n), where n numbers are added up for each output of a convolution with the kernel.
  ///
  /// - Parameters:
  ///   - shape: The kernel's shape.
  ///   - seed: The seed of the stream.
  ///   - name: The name of the stream, after `flow/`.
  ///   - isKept: Whether the same kernel will be asked for in the next step.
  /// - Returns: The kernel.
  static func feedback(
    _ shape: Shape, seed: UInt64, name: String, isKept: Bool = true
  ) -> Tensor<Element> {
    let key = DrawnKernel(shape: shape, seed: seed, name: name)
    let drawn = isKept ? key.known : key.drawn
    return drawn as? Tensor<Element>
      ?? Tensor(shape: shape, scalars: drawn.scalars.map { Element(Double($0)) })
  }
}

/// A random kernel by its shape and its stream.
private struct DrawnKernel: Hashable {
  let shape: Shape
  let seed: UInt64
  let name: String

  /// The kernels that were asked for last: drawing them in every step would take as long as small convolutions.
  private static let kept = Mutex<[DrawnKernel: Tensor<Float>]>([:])
  /// At most this many numbers are kept: 64 MiB.
  private static let mostKept = 1 << 24

  /// The kernel, drawn now.
  var drawn: Tensor<Float> {
    let stream = RandomStream(seed: seed, name: "flow/" + name)
    let deviation = (2 / Double(shape.count / max(1, shape[0]))).squareRoot()
    return Tensor(shape: shape) { stream.fillNormals($0, deviation: deviation) }
  }

  /// The kernel, drawn unless it is known.
  var known: Tensor<Float> {
    if let tensor = Self.kept.withLock({ $0[self] }) { return tensor }
    let tensor = drawn
    Self.kept.withLock { kept in
      let count = kept.values.reduce(shape.count) { $0 + $1.shape.count }
      if count > Self.mostKept { kept = [:] }
      kept[self] = tensor
    }
    return tensor
  }
}

extension Network {
  /// Returns how the pass of a batch is run under `flow`, whose own tensors are `tensors`.
  func plan(
    _ key: PassKey, under flow: some GradientFlow, _ tensors: [FlowTensor<Element>]
  ) -> PassPlan<Element> {
    guard flow.rewrites else { return plan(key) }
    var key = key
    key.rewriting = flow.line
    var plan = plan(key) { flow.rewritten($0, of: self) }
    let byName = Dictionary(uniqueKeysWithValues: tensors.map { ($0.name, $0.tensor) })
    plan.program.flowTensors = plan.program.flowNames.map { name in
      guard let tensor = byName[name] else {
        preconditionFailure("A flow gives every tensor that it writes into a program.")
      }
      return tensor
    }
    return plan
  }
}

extension GradientFlow {
  /// Returns the pass of a batch as the flow goes through it in the step behind `step` updates.
  package func program<Element: Scalar>(
    of network: Network<Element>, _ key: PassKey, step: Int
  ) -> Program<Element> {
    network.plan(key, under: self, tensors(for: network, step: step)).program
  }
}

import Operations
package import Tensors

/// One line of a network.
///
/// A layer lowers itself to operations with names; that is all it must do. Training, the tape, the
/// stepper, `explain`, names, figures and plans of memory walk through those.
package protocol Layer<Element>: Sendable {
  associatedtype Element: Scalar

  /// The letter of the layer's name: `b` for `b1`, `b2`.
  static var letter: String { get }

  /// The line that builds the layer.
  var line: String { get }

  var inputChannels: Int { get }
  var outputChannels: Int { get }

  /// The name of the layer that it reads, or `net.in`; nil for the layer above.
  var source: String? { get }

  /// The names of other layers whose results it joins.
  var joined: [String] { get }

  /// Returns the layer with other names for those that it reads.
  func renamed(_ names: [String: String]) -> Self

  /// How many pixels of its input beside its own a pixel of the layer depends on: Σ (k − 1).
  var receptiveGrowth: Int { get }

  /// The scale of its image, as a part of that of its input.
  var scaling: Scaling { get }

  /// Whether flows with links join it: whether it is a block.
  var isBlock: Bool { get }

  /// The names of the parameters within the layer, such as `conv1.weight`, in a fixed order.
  var parameterNames: [String] { get }

  /// The parameters, in the order of ``parameterNames``.
  var parameters: [Tensor<Element>] { get }

  /// Takes new parameters from the front of `rest`.
  mutating func takeParameters(from rest: inout ArraySlice<Tensor<Element>>)

  /// The names of the tensors within the layer that training updates without a gradient, such as
  /// `norm.running_mean`, in a fixed order.
  var bufferNames: [String] { get }

  /// These tensors, in the order of ``bufferNames``.
  var buffers: [Tensor<Element>] { get }

  /// Takes new buffers from the front of `rest`.
  mutating func takeBuffers(from rest: inout ArraySlice<Tensor<Element>>)

  /// The sizes of the layer's convolutions.
  var convolutionSizes: [ConvolutionSize] { get }

  /// The same layer in Double.
  var doubles: any Layer<Double> { get }

  /// A layer of the same line with weights drawn anew.
  ///
  /// - Parameters:
  ///   - inputs: The channels that it reads.
  ///   - name: The layer's name, which decides the numbers that are drawn.
  ///   - initializer: The distribution that weights are drawn from.
  ///   - seed: The seed of the network.
  /// - Returns: The layer.
  /// - Throws: `NetworkError` when the layer cannot read so many channels.
  func redrawn(
    inputs: Int, named name: String, _ initializer: Initializer, seed: UInt64
  ) throws(NetworkError) -> any Layer<Float>

  /// Writes the layer's operations.
  ///
  /// - Parameters:
  ///   - x: The place of the layer's input.
  ///   - program: What the operations are written to.
  /// - Returns: The place of the value that the layer hands on.
  func lower(_ x: Int, _ program: inout Lowering<Element>) -> Int
}

extension Layer {
  package var letter: String { Self.letter }
  package var isBlock: Bool { false }
  package var source: String? { nil }
  package var joined: [String] { [] }
  package func renamed(_ names: [String: String]) -> Self { self }
  package var scaling: Scaling { .one }
  package var bufferNames: [String] { [] }
  package var buffers: [Tensor<Element>] { [] }
  package mutating func takeBuffers(from rest: inout ArraySlice<Tensor<Element>>) {}

  /// The number of numbers that an optimizer changes.
  package var parameterCount: Int { parameters.reduce(0) { $0 + $1.shape.count } }
}

import Operations
package import Tensors

/// One line of a network.
///
/// A layer lowers itself to operations with names; that is all it must do. The tape, the stepper,
/// `explain`, names and figures walk through those. It trains through them, too, unless it has a
/// forward and a backward pass of its own that compute the same bits with fused kernels.
package protocol Layer<Element>: Sendable {
  associatedtype Element: Scalar

  /// The letter of the layer's name: `b` for `b1`, `b2`.
  var letter: String { get }

  /// The line that builds the layer.
  var line: String { get }

  var inputChannels: Int { get }
  var outputChannels: Int { get }

  /// How many pixels the layer adds to the receptive field: Σ (k − 1).
  var receptiveGrowth: Int { get }

  /// Whether flows with links join it: whether it is a block.
  var isBlock: Bool { get }

  /// The names of the parameters within the layer, such as `conv1.weight`, in a fixed order.
  var parameterNames: [String] { get }

  /// The parameters, in the order of ``parameterNames``.
  var parameters: [Tensor<Element>] { get }

  /// Takes new parameters from the front of `rest`.
  mutating func takeParameters(from rest: inout ArraySlice<Tensor<Element>>)

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

  // MARK: - With kernels of its own

  /// Computes the layer.
  ///
  /// - Parameters:
  ///   - x: The layer's input, `[N, I, H, W]`.
  ///   - networkInput: The network's input, `[N, 1, H, W]`.
  ///   - keepsRecord: Whether to keep what a backward pass needs.
  ///   - reluNaN: What ReLU makes of a NaN.
  ///   - reader: The convolution that alone reads the output, if the derivative of a ReLU before it
  ///     may be left to it.
  /// - Returns: The layer's output and what was kept.
  func forward(
    _ x: FeatureMap<Element>, networkInput: FeatureMap<Element>, keepsRecord: Bool,
    reluNaN: ReLUNaN, reader: Conv2D<Element>?
  ) -> LayerPass<Element>

  /// Computes the gradients of the layer.
  ///
  /// - Parameters:
  ///   - gradient: The gradient of the output.
  ///   - pass: What the forward pass kept.
  ///   - needsInput: Whether the gradient of the input is wanted.
  ///   - insertion: What a flow adds behind the derivative of the last activation; nil for nothing.
  /// - Returns: The gradients of the input and of the parameters.
  func backward(
    _ gradient: FeatureMap<Element>, _ pass: consuming LayerPass<Element>, needsInput: Bool,
    insertion: FeatureMap<Element>?
  ) -> LayerGradients<Element>

  /// The convolution whose gradient of the layer's input, with what comes through a skip added, is all
  /// that the layer hands down; nil if there are two, or none.
  var soleReader: Conv2D<Element>? { get }

  /// The sizes that a training step through the layer's own passes depends on; nil for a layer that
  /// trains through its operations.
  var memoryPlan: LayerPlan<Element>? { get }
}

extension Layer {
  /// The number of numbers that training changes.
  package var parameterCount: Int { parameters.reduce(0) { $0 + $1.shape.count } }
}

// MARK: - Through its operations

extension Layer {
  package var isBlock: Bool { false }
  package var soleReader: Conv2D<Element>? { nil }
  package var memoryPlan: LayerPlan<Element>? { nil }

  package func forward(
    _ x: FeatureMap<Element>, networkInput: FeatureMap<Element>, keepsRecord: Bool,
    reluNaN: ReLUNaN, reader: Conv2D<Element>?
  ) -> LayerPass<Element> {
    var plain = PlainPass(program(reluNaN: reluNaN))
    let layer = plain.program.layers[0]
    plain.giveParameters()
    plain.give(.map(networkInput), at: plain.program.input)
    plain.give(.map(x), at: plain.program.nodes[layer.input].operands[0])
    plain.forward(layer.nodes)
    var pass = LayerPass(output: plain.values[layer.output]?.map)
    pass.foundNonFinite = plain.foundNonFinite
    if keepsRecord {
      pass.input = x
      pass.plain = plain
    }
    return pass
  }

  package func backward(
    _ gradient: FeatureMap<Element>, _ pass: consuming LayerPass<Element>, needsInput: Bool,
    insertion: FeatureMap<Element>?
  ) -> LayerGradients<Element> {
    guard var plain = pass.plain else {
      preconditionFailure("The forward pass kept too little for a backward pass.")
    }
    let layer = plain.program.layers[0]
    plain.backward(layer.nodes, seed: .map(gradient)) { place, _ in
      place == layer.preactivation ? insertion : nil
    }
    return LayerGradients(
      input: needsInput ? plain.gradients[layer.input]?.map : nil,
      parameters: plain.program.parameters.compactMap { plain.gradients[$0]?.tensor })
  }

  /// The layer's operations alone.
  package func program(reluNaN: ReLUNaN) -> Program<Element> {
    var lowering = Lowering<Element>(reluNaN: reluNaN)
    let x = lowering.give("layer.in", .input(channels: inputChannels))
    let nodes = lowering.lower(self, x, named: "\(letter)1", at: 0)
    return Program(
      nodes: lowering.nodes, layers: [nodes], input: lowering.networkInput, output: nodes.output,
      target: nil, mask: nil, loss: nodes.output)
  }
}

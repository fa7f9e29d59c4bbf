import Operations
package import Tensors

/// The options of a `dense` line.
package struct DenseOptions: Hashable, Sendable {
  package var units = 1
  package var activation = Activation.linear
  package var hasBias = true
  /// The size of the layer's input.
  package var rows = 1, columns = 1

  package init() {}

  package var line: String {
    "dense units=\(units) act=\(activation.rawValue) bias=\(hasBias ? "yes" : "no") "
      + "rows=\(rows) columns=\(columns)"
  }
}

/// All numbers of an image to so many units: z = weight · in + bias, out = a = act(z), `[N, U, 1, 1]`.
///
/// The weight fixes the size of the layer's input.
package struct DenseLayer<Element: Scalar>: Layer {
  package let options: DenseOptions
  package let inputChannels: Int
  /// `[U, C·H·W]`.
  private var weight: Tensor<Element>
  /// `[U]`; nil for none.
  private var bias: Tensor<Element>?

  package func lower(_ x: Int, _ program: inout Lowering<Element>) -> Int {
    let places = zip(parameterNames, parameters).map { program.parameter($0, $1) }
    let z = program.value(
      "z", Dense(input: [inputChannels, options.rows, options.columns]), [x] + places)
    return program.activated(options.activation, z)
  }

  package static var letter: String { "d" }
  package var line: String { options.line }
  package var outputChannels: Int { options.units }
  package var receptiveGrowth: Int { max(options.rows, options.columns) - 1 }
  package var convolutionSizes: [ConvolutionSize] { [] }
  package var parameterNames: [String] { bias == nil ? ["weight"] : ["weight", "bias"] }
  package var parameters: [Tensor<Element>] { [weight] + (bias.map { [$0] } ?? []) }

  package mutating func takeParameters(from rest: inout ArraySlice<Tensor<Element>>) {
    weight = rest.removeFirst()
    if bias != nil { bias = rest.removeFirst() }
  }

  package var doubles: any Layer<Double> {
    DenseLayer<Double>(
      options: options, inputChannels: inputChannels, weight: weight.doubles(),
      bias: bias?.doubles())
  }

  package func redrawn(
    inputs: Int, named name: String, _ initializer: Initializer, seed: UInt64
  ) throws(NetworkError) -> any Layer<Float> {
    DenseLayer<Float>(options, inputs: inputs, named: name, initializer, seed: seed)
  }
}

extension DenseLayer<Float> {
  /// A layer that reads `inputs` channels, with weights drawn by `initializer`.
  package init(
    _ options: DenseOptions, inputs: Int, named name: String, _ initializer: Initializer,
    seed: UInt64
  ) {
    (self.options, inputChannels) = (options, inputs)
    let count = inputs * options.rows * options.columns
    weight = initializer.weights(
      [options.units, count], inputs: count, outputs: options.units, area: 1, seed: seed,
      name: name)
    bias = options.hasBias ? Tensor(shape: [options.units], repeating: 0) : nil
  }
}

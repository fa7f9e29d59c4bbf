import Operations
package import Tensors

/// The options of a `conv` line.
package struct ConvolutionOptions: Hashable, Sendable {
  package var channels = 1
  package var kernel = 3
  package var activation = Activation.linear
  package var hasBias = true
  package var geometry = ConvolutionGeometry.plain
  /// The normalization before the activation; nil for none.
  package var norm: NormRule?
  /// The layer that it reads; nil for the one above.
  package var source: String?

  package init() {}

  /// The command line that builds the convolution; options that are not the usual ones come at its end.
  package var line: String {
    "conv channels=\(channels) kernel=\(kernel) act=\(activation.rawValue) "
      + "bias=\(hasBias ? "yes" : "no")" + geometry.options
      + (norm.map { " norm=\($0.text)" } ?? "") + (source.map { " from=\($0)" } ?? "")
  }

  /// Throws when such a convolution cannot read `inputs` channels.
  package func requireFit(inputs: Int) throws(NetworkError) {
    try geometry.requireFit(inputs: inputs, outputs: channels, kernel: kernel)
    try norm?.requireFit(channels: channels)
  }
}

extension ConvolutionGeometry {
  /// The options of a line that are not the usual ones, each after a space.
  var options: String {
    (stride == 1 ? "" : " stride=\(stride)") + (dilation == 1 ? "" : " dilation=\(dilation)")
      + (groups == 1 ? "" : " groups=\(groups)") + (padding == .same ? "" : " pad=none")
      + (isTransposed ? " transpose=yes" : "")
  }

  /// Throws when channels or kernel do not fit the geometry.
  func requireFit(inputs: Int, outputs: Int, kernel: Int) throws(NetworkError) {
    guard inputs % groups == 0, outputs % groups == 0 else {
      throw NetworkError(
        code: "channels",
        "groups=\(groups) does not divide \(inputs) channels read and \(outputs) made",
        hint: "take a number of groups that divides both")
    }
    guard allows(kernel: kernel) else {
      throw NetworkError(
        code: "wrong-value",
        "kernel=\(kernel) is even: it cannot stand in the middle of the image",
        hint: "take an odd kernel, or stride=2, pad=none or transpose=yes")
    }
  }
}

/// A convolution with an activation and no skip: z = conv(in), out = a = act(z); with a norm, a = act(n) of
/// n = norm(z).
package struct PlainConvolution<Element: Scalar>: Layer {
  package let options: ConvolutionOptions
  package var convolution: Conv2D<Element>
  package var norm: Norm<Element>?

  package func lower(_ x: Int, _ program: inout Lowering<Element>) -> Int {
    let a = program.activated(convolution, norm, options.activation, x, at: nil)
    return program.value("out", Copy(), [a])
  }

  package static var letter: String { "c" }
  package var line: String { options.line }
  package var source: String? { options.source }
  package var inputChannels: Int { convolution.inputs }
  package var outputChannels: Int { options.channels }
  package var receptiveGrowth: Int { options.geometry.reach(kernel: options.kernel) - 1 }
  package var scaling: Scaling { options.geometry.scaling }
  package var convolutionSizes: [ConvolutionSize] {
    [options.convolutionSize(inputs: inputChannels)]
  }

  package var parameterNames: [String] {
    convolution.parameterNames + (norm?.parameterNames ?? [])
  }
  package var parameters: [Tensor<Element>] { convolution.parameters + (norm?.parameters ?? []) }
  package var bufferNames: [String] { norm?.bufferNames ?? [] }
  package var buffers: [Tensor<Element>] { norm?.statistics ?? [] }

  package mutating func takeParameters(from rest: inout ArraySlice<Tensor<Element>>) {
    convolution.takeParameters(from: &rest)
    norm?.takeParameters(from: &rest)
  }

  package mutating func takeBuffers(from rest: inout ArraySlice<Tensor<Element>>) {
    norm?.takeBuffers(from: &rest)
  }

  package var doubles: any Layer<Double> {
    PlainConvolution<Double>(
      options: options, convolution: convolution.doubles, norm: norm?.doubles)
  }

  package func redrawn(
    inputs: Int, named name: String, _ initializer: Initializer, seed: UInt64
  ) throws(NetworkError) -> any Layer<Float> {
    try PlainConvolution<Float>(options, inputs: inputs, named: name, initializer, seed: seed)
  }

  package func renamed(_ names: [String: String]) -> Self {
    var options = options
    options.source = options.source.map { names[$0] ?? $0 }
    return Self(options: options, convolution: convolution, norm: norm)
  }
}

extension PlainConvolution<Float> {
  /// A convolution with weights drawn by `initializer`.
  ///
  /// - Throws: `NetworkError` when the channels or the kernel do not fit.
  package init(
    _ options: ConvolutionOptions, inputs: Int, named name: String, _ initializer: Initializer,
    seed: UInt64
  ) throws(NetworkError) {
    try options.requireFit(inputs: inputs)
    self.options = options
    convolution = initializer.convolution(
      inputs: inputs, outputs: options.channels, kernel: options.kernel, hasBias: options.hasBias,
      options.geometry, seed: seed, name: name)
    norm = options.norm.map { Norm($0, channels: options.channels) }
  }
}

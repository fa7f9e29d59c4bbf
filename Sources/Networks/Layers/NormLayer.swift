import Operations
package import Tensors

/// A normalization as a line of its own: out = n = norm(in).
package struct NormLayer<Element: Scalar>: Layer {
  package private(set) var norm: Norm<Element>

  /// - Throws: `NetworkError` when the groups do not divide the channels.
  package init(_ rule: NormRule, channels: Int) throws(NetworkError) {
    try rule.requireFit(channels: channels)
    norm = Norm(rule, channels: channels)
  }

  private init(_ norm: Norm<Element>) { self.norm = norm }

  package func lower(_ x: Int, _ program: inout Lowering<Element>) -> Int {
    let n = norm.lower(x, at: "", result: "n", &program)
    return program.value("out", Copy(), [n])
  }

  package static var letter: String { "n" }
  package var line: String {
    switch norm.rule {
    case .batch(let momentum, let epsilon): "norm batch momentum=\(momentum) epsilon=\(epsilon)"
    case .group(let groups, let epsilon): "norm group groups=\(groups) epsilon=\(epsilon)"
    }
  }
  package var inputChannels: Int { norm.weight.shape.count }
  package var outputChannels: Int { inputChannels }
  package var receptiveGrowth: Int { 0 }
  package var convolutionSizes: [ConvolutionSize] { [] }
  package var parameterNames: [String] { norm.parameterNames }
  package var parameters: [Tensor<Element>] { norm.parameters }
  package var bufferNames: [String] { norm.bufferNames }
  package var buffers: [Tensor<Element>] { norm.statistics }
  package var doubles: any Layer<Double> { NormLayer<Double>(norm.doubles) }

  package mutating func takeParameters(from rest: inout ArraySlice<Tensor<Element>>) {
    norm.takeParameters(from: &rest)
  }

  package mutating func takeBuffers(from rest: inout ArraySlice<Tensor<Element>>) {
    norm.takeBuffers(from: &rest)
  }

  package func redrawn(
    inputs: Int, named name: String, _ initializer: Initializer, seed: UInt64
  ) throws(NetworkError) -> any Layer<Float> {
    try NormLayer<Float>(norm.rule, channels: inputs)
  }
}

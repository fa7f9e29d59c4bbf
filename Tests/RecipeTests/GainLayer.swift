import CommandLanguage
import Commands
import Networks
import Operations
import Tensors

/// A layer from outside: z = in · gain, out = a = tanh(z), with a number for each channel.
struct GainLayer<Element: Scalar>: Layer {
  var gain: Tensor<Element>

  static var letter: String { "g" }
  var line: String { "gain" }
  var inputChannels: Int { gain.shape.count }
  var outputChannels: Int { gain.shape.count }
  var receptiveGrowth: Int { 0 }
  var convolutionSizes: [ConvolutionSize] { [] }
  var parameterNames: [String] { ["gain"] }
  var parameters: [Tensor<Element>] { [gain] }

  mutating func takeParameters(from rest: inout ArraySlice<Tensor<Element>>) {
    gain = rest.removeFirst()
  }

  var doubles: any Layer<Double> { GainLayer<Double>(gain: gain.doubles()) }

  func redrawn(
    inputs: Int, named name: String, _ initializer: Initializer, seed: UInt64
  ) throws(NetworkError) -> any Layer<Float> { Self.ones(inputs) }

  static func ones(_ channels: Int) -> GainLayer<Float> {
    GainLayer<Float>(gain: Tensor(shape: [channels], repeating: 1))
  }

  func lower(_ x: Int, _ program: inout Lowering<Element>) -> Int {
    let weight = program.parameter("gain", gain)
    let z = program.value("z", Gain(), [x, weight])
    let a = program.value("a", Activate(.tanh), [z])
    return program.value("out", Copy(), [a])
  }
}

extension Command<Workspace> {
  /// The line that adds the layer.
  static let gain = Command(
    CommandSpec(
      "gain", family: .network, summary: "Multiply each channel by a number, then take tanh.",
      examples: ["gain"], recipe: .layer(letter: GainLayer<Float>.letter))
  ) { _, workspace, _ in
    workspace.append(GainLayer<Float>.ones(workspace.network.channels))
  }
}

import Tensors

/// The distribution of a new layer's weights; biases begin at 0.
package enum Initializer: Hashable, Sendable {
  /// Normal with standard deviation √(2/(I·k²)): He et al., "Delving deep into rectifiers" (2015).
  case he
  /// Uniform in ±√(6/((I + O)·k²)): Glorot and Bengio, "Understanding the difficulty of training
  /// deep feedforward neural networks" (2010).
  case xavier
  /// Normal with this standard deviation.
  case normal(Double)

  /// Reads the words of a command line: `he`, `xavier`, `normal:0.05`; nil for others.
  package init?(_ text: String) {
    switch text.lowercased() {
    case "he": self = .he
    case "xavier": self = .xavier
    case let other where other.hasPrefix("normal:"):
      guard let deviation = Double(other.dropFirst(7)), deviation.isFinite, deviation >= 0 else {
        return nil
      }
      self = .normal(deviation)
    default: return nil
    }
  }

  /// The words of a command line.
  package var text: String {
    switch self {
    case .he: "he"
    case .xavier: "xavier"
    case .normal(let deviation): "normal:\(deviation)"
    }
  }

  /// Makes a convolution with weights from the random stream `init/<name>`.
  func convolution(
    inputs: Int, outputs: Int, kernel: Int, hasBias: Bool, _ geometry: ConvolutionGeometry = .plain,
    seed: UInt64, name: String
  ) -> Conv2D<Float> {
    guard
      let shape = geometry.kernelShape(inputs: inputs, outputs: outputs, kernel: kernel)
    else { preconditionFailure("Groups divide the channels.") }
    // Each output is a sum over the inputs of its group.
    let weight = weights(
      shape, inputs: inputs / geometry.groups, outputs: outputs / geometry.groups,
      area: kernel * kernel, seed: seed, name: name)
    return Conv2D(
      weight: weight, bias: hasBias ? Tensor(shape: [outputs], repeating: 0) : nil, geometry)
  }

  /// Draws weights from the random stream `init/<name>`.
  func weights(
    _ shape: Shape, inputs: Int, outputs: Int, area: Int, seed: UInt64, name: String
  ) -> Tensor<Float> {
    let stream = RandomStream(seed: seed, name: "init/" + name)
    return Tensor(shape: shape) { output in
      switch self {
      case .he:
        stream.fillNormals(output, deviation: (2 / Double(inputs * area)).squareRoot())
      case .normal(let deviation):
        stream.fillNormals(output, deviation: deviation)
      case .xavier:
        let limit = (6 / Double((inputs + outputs) * area)).squareRoot()
        for i in output.indices { output[i] = Float(stream.uniform(at: i, in: -limit...limit)) }
      }
    }
  }
}

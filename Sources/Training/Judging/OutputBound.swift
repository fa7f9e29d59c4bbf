package import Networks
import Operations
package import Tensors

/// The interval of values that a network's last layer can give at each pixel, whatever its weights.
///
///     a in range(act)        conv           out = a
///     s the network's input  add            out = a + s
///                            multiply       out = a·s
///                            multiply-add   out = (1 + a)·s
///
/// A gate with a ≥ 0 in `multiply-add` can only amplify: |out| ≥ |s|, so that noise stays. The
/// oracle takes the best value of the interval at every pixel; no training can beat its PSNR.
package struct OutputBound: Sendable {
  private let lower: Double, upper: Double
  private let merge: Merge
  private let isSubtracted: Bool
  /// The name of the last layer.
  package let layer: String

  /// The bound of a network; nil if its last layer can give every value, or joins the result of
  /// another layer.
  package init?(of network: Network<Float>) {
    let program = network.program(loss: .meanSquaredError, hasMask: false)
    guard let last = program.layers.last, let name = network.layerNames.last,
      network.outputRule != .normalize
    else { return nil }
    let output = program.nodes[program.source(of: last.output)]
    merge = output.operation as? Merge ?? .none
    let gate =
      output.operation is Merge ? program.nodes[program.source(of: output.operands[0])] : output
    guard let range = (gate.operation as? Activate)?.function.range else { return nil }
    if merge != .none {
      // The skip value, behind the channel that serves all, must be the network's input.
      var skip = output.operands[1]
      while let operation = program.nodes[skip].operation, operation.sharesResult {
        skip = program.nodes[skip].operands[0]
      }
      guard skip == program.input else { return nil }
    }
    (lower, upper) = range
    isSubtracted = network.outputRule == .subtract
    layer = name
  }

  /// The value nearest to `target` that the network can give for `input`, pixel by pixel; all in
  /// network range.
  package func best(_ target: Tensor<Float>, input: Tensor<Float>) -> Tensor<Float> {
    Tensor(
      shape: target.shape,
      scalars: zip(target.scalars, input.scalars).map { target, x in
        var (low, high) = interval(Double(x))
        if isSubtracted { (low, high) = (Double(x) - high, Double(x) - low) }
        return Float(min(max(Double(target), low), high))
      })
  }

  private func interval(_ s: Double) -> (Double, Double) {
    func ends(_ a: Double, _ b: Double) -> (Double, Double) {
      // 0·∞ counts as 0, since every gate multiplies a zero to 0.
      s == 0 ? (0, 0) : (min(a * s, b * s), max(a * s, b * s))
    }
    switch merge {
    case .none: return (lower, upper)
    case .add: return (s + lower, s + upper)
    case .multiply: return ends(lower, upper)
    case .multiplyAdd: return ends(1 + lower, 1 + upper)
    }
  }
}

extension Activation {
  /// The infimum and supremum of the function; nil if it takes every value.
  fileprivate var range: (Double, Double)? {
    switch self {
    case .linear, .leakyReLU: nil
    case .relu: (0, .infinity)
    case .elu: (-1, .infinity)
    case .sigmoid: (0, 1)
    case .tanh: (-1, 1)
    case .arctan: (-.pi / 2, .pi / 2)
    }
  }
}

// The operations of a pass in letters.

package import Networks
package import Tensors

extension Merge {
  var multiplies: Bool { self == .multiply || self == .multiplyAdd }

  /// What the merge makes of the activation a and the skip value s.
  package var formula: String {
    switch self {
    case .add: "a + s"
    case .multiply: "a · s"
    case .multiplyAdd: "a · s + s"
    case .none: "a"
    }
  }

  /// The gradient of a from G, that of the merge's result.
  var activationGradientFormula: String { "a.grad = \(multiplies ? "G · s" : "G")" }

  /// The gradient of s from G; where one channel of s served all of a, the sum over them.
  func skipGradientFormula(sumsChannels: Bool) -> String {
    let whole =
      switch self {
      case .add, .none: "G"
      case .multiply: "G · a"
      case .multiplyAdd: "G · a + G"
      }
    guard sumsChannels else { return "skip.grad = \(whole)" }
    return "skip.grad = Σ \(self == .multiplyAdd ? "(\(whole))" : whole) over channels"
  }
}

extension Activation {
  /// The function of the pre-activation z.
  package var formula: String {
    switch self {
    case .linear: "z"
    case .relu: "max(z, 0)"
    case .leakyReLU: "z > 0 ? z : 0.01·z"
    case .elu: "z > 0 ? z : eᶻ − 1"
    case .sigmoid: "1/(1 + e⁻ᶻ)"
    case .tanh: "tanh z"
    case .arctan: "arctan z"
    }
  }

  /// The derivative, of what it is computed from: z, or the activation called `a`.
  package func derivativeFormula(of a: String = "a") -> String {
    switch self {
    case .linear: "1"
    case .relu: "[\(a) > 0]"
    case .leakyReLU: "(\(a) > 0 ? 1 : 0.01)"
    case .elu: "(\(a) > 0 ? 1 : \(a) + 1)"
    case .sigmoid: "\(a)·(1 − \(a))"
    case .tanh: "(1 − \(a)²)"
    case .arctan: "1/(1 + z²)"
    }
  }
}

extension Loss {
  /// The loss in letters; M is the number of pixels that count.
  ///
  /// With `isMasked`, the mask is 1 where a pixel counts and 0 elsewhere.
  package func formula(isMasked: Bool) -> String {
    let error = isMasked ? "mask·(net.out − target)" : "(net.out − target)"
    return switch self {
    case .meanSquaredError: "loss = Σ \(isMasked ? "(\(error))" : error)² / M"
    case .halfSquares: "loss = Σ (½·\(error))²"
    case .meanAbsoluteError: "loss = Σ |\(isMasked ? error : "net.out − target")| / M"
    }
  }

  /// The gradient of the network's output in letters.
  package func gradientFormula(isMasked: Bool) -> String {
    let (difference, masked) = ("net.out − target", "mask·(net.out − target)")
    let right =
      switch self {
      case .meanSquaredError: "2·\(isMasked ? masked : "(\(difference))") / M"
      case .halfSquares(true): isMasked ? masked : difference
      case .halfSquares(false): "½·\(isMasked ? masked : "(\(difference))")"
      case .meanAbsoluteError: "sign(\(isMasked ? masked : difference)) / M"
      }
    return "net.out.grad = \(right)"
  }
}

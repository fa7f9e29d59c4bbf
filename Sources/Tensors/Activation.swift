/// A function applied to each value after a convolution.
///
/// Each hands NaN on. The derivative is taken from the result a, as frameworks do, wherever it
/// follows from it; only arctan needs the pre-activation z.
package enum Activation: String, CaseIterable, Sendable {
  case linear
  case relu
  case leakyReLU = "leaky-relu"
  case elu
  case sigmoid
  case tanh
  case arctan

  /// The slope of leaky ReLU for z < 0.
  package static let leakySlope = 0.01

  /// Whether the derivative needs the pre-activation, not just the activation.
  package var needsPreactivation: Bool { self == .arctan }

  /// Whether the function has a corner at 0, where no derivative exists.
  package var hasKink: Bool { self == .relu || self == .leakyReLU }
}

/// What ReLU makes of a NaN: `keep` hands it on; `zero` hides it, as some GPU libraries did.
package enum ReLUNaN: String, CaseIterable, Sendable {
  case keep = "nan"
  case zero
}

extension Activation {
  /// a = act(z), element by element.
  ///
  ///     linear      z                     leaky-relu  z for z > 0, else 0.01·z
  ///     relu        max(z, 0)             elu         z for z > 0, else eᶻ − 1
  ///     sigmoid     1/(1 + e⁻ᶻ)           tanh, arctan
  @specialized(where Element == Float)
  @specialized(where Element == Double)
  package func forward<Element: Scalar>(
    _ z: FeatureMap<Element>, reluNaN: ReLUNaN = .keep
  ) -> FeatureMap<Element> {
    let slope = Element(Activation.leakySlope)
    switch self {
    case .linear: return z
    case .relu where reluNaN == .keep: return z.mapped { $0 < 0 ? 0 : $0 }
    case .relu: return z.mapped { $0 > 0 ? $0 : 0 }
    case .leakyReLU: return z.mapped { $0 < 0 ? slope * $0 : $0 }
    case .elu: return z.mapped { $0 < 0 ? Element.expm1($0) : $0 }
    case .sigmoid: return z.mapped { 1 / (1 + Element.exp(-$0)) }
    case .tanh: return z.mapped { Element.tanh($0) }
    case .arctan: return z.mapped { Element.atan($0) }
    }
  }

  /// dz = act′(z) · da, element by element.
  ///
  ///     linear   1                        leaky-relu  1 for a > 0, else 0.01
  ///     relu     1 for a > 0, else 0      elu         1 for a > 0, else a + 1
  ///     sigmoid  a·(1 − a)                tanh        1 − a²
  ///     arctan   1/(1 + z²)
  ///
  /// - Parameters:
  ///   - gradient: da, the gradient of the activation.
  ///   - activation: a, what the forward pass returned.
  ///   - preactivation: z; needed by arctan only.
  @specialized(where Element == Float)
  @specialized(where Element == Double)
  package func backward<Element: Scalar>(
    _ gradient: FeatureMap<Element>, activation: FeatureMap<Element>,
    preactivation: FeatureMap<Element>?
  ) -> FeatureMap<Element> {
    let slope = Element(Activation.leakySlope)
    switch self {
    case .linear:
      return gradient
    case .relu:
      return gradient.combined(with: activation) { da, a in a > 0 ? da : a.isNaN ? a : 0 }
    case .leakyReLU:
      return gradient.combined(with: activation) { da, a in a > 0 ? da : a.isNaN ? a : slope * da }
    case .elu:
      return gradient.combined(with: activation) { da, a in a > 0 ? da : da * (a + 1) }
    case .sigmoid:
      return gradient.combined(with: activation) { da, a in da * (a * (1 - a)) }
    case .tanh:
      return gradient.combined(with: activation) { da, a in da * (1 - a * a) }
    case .arctan:
      guard let preactivation else { preconditionFailure("arctan needs the pre-activation.") }
      return gradient.combined(with: preactivation) { da, z in da / (1 + z * z) }
    }
  }
}

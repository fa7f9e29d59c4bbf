import CKernels

/// A function applied to each value after a convolution.
///
/// Each passes NaN on; the functions stand below with their derivatives. The derivative is computed
/// from the result a, as frameworks do, wherever that is possible; only arctan needs the
/// pre-activation z.
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

  /// Whether the function or its derivative has a corner at 0, which a finite difference must not
  /// cross.
  package var hasKink: Bool { self == .relu || self == .leakyReLU || self == .elu }
}

/// The treatment of NaN by ReLU: `keep` passes it on; `zero` hides it, as some GPU libraries did.
package enum ReLUNaN: String, CaseIterable, Sendable, Codable {
  case keep = "nan"
  case zero
}

extension Activation {
  /// Computes a = act(z), element by element.
  @specialized(where Element == Float)
  @specialized(where Element == Double)
  package func forward<Element: Scalar>(
    _ z: FeatureMap<Element>, reluNaN: ReLUNaN = .keep
  ) -> FeatureMap<Element> {
    if let code = kernelCode(reluNaN), let map = z as? FeatureMap<Float>,
      let result = map.activated(code) as? FeatureMap<Element>
    {
      return result
    }
    return switch self {
    case .linear: z
    case .relu where reluNaN == .zero: z.mapped(HidingReLU.self)
    case .relu: z.mapped(ReLU.self)
    case .leakyReLU: z.mapped(LeakyReLU.self)
    case .elu: z.mapped(ELU.self)
    case .sigmoid: z.mapped(Sigmoid.self)
    case .tanh: z.mapped(HyperbolicTangent.self)
    case .arctan: z.mapped(Arctangent.self)
    }
  }

  /// The code of the vector kernel that computes it for Float; nil if there is nothing to compute.
  func kernelCode(_ reluNaN: ReLUNaN = .keep) -> Int32? {
    switch self {
    case .linear: nil
    case .relu: Int32(reluNaN == .zero ? ck_hiding_relu : ck_relu)
    case .leakyReLU: Int32(ck_leaky_relu)
    case .elu: Int32(ck_elu)
    case .sigmoid: Int32(ck_sigmoid)
    case .tanh: Int32(ck_tanh)
    case .arctan: Int32(ck_arctan)
    }
  }

  /// Computes dz = act′(z) · da, element by element.
  ///
  /// - Parameters:
  ///   - gradient: da, the gradient of the activation.
  ///   - activation: a, the result of the forward pass.
  ///   - preactivation: z; needed by arctan only.
  /// - Returns: dz, the gradient of the pre-activation.
  @specialized(where Element == Float)
  @specialized(where Element == Double)
  package func backward<Element: Scalar>(
    _ gradient: FeatureMap<Element>, activation: FeatureMap<Element>,
    preactivation: FeatureMap<Element>?
  ) -> FeatureMap<Element> {
    switch self {
    case .linear: gradient
    case .relu: gradient.combined(with: activation, Pullback<ReLU>.self)
    case .leakyReLU: gradient.combined(with: activation, Pullback<LeakyReLU>.self)
    case .elu: gradient.combined(with: activation, Pullback<ELU>.self)
    case .sigmoid: gradient.combined(with: activation, Pullback<Sigmoid>.self)
    case .tanh: gradient.combined(with: activation, Pullback<HyperbolicTangent>.self)
    case .arctan:
      if let preactivation {
        gradient.combined(with: preactivation, Pullback<Arctangent>.self)
      } else {
        preconditionFailure("arctan needs the pre-activation.")
      }
    }
  }
}

// MARK: - The functions and their derivatives

/// One activation function with its derivative under it.
private protocol ActivationFunction: UnaryFunction {
  /// Returns dz from da and the value `known`: the activation a, or z where the function says so.
  static func backward<Element: Scalar>(_ da: Element, _ known: Element) -> Element
}

/// The derivative of an activation as a function of (da, known).
private enum Pullback<Function: ActivationFunction>: BinaryFunction {
  static func apply<Element: Scalar>(_ da: Element, _ known: Element) -> Element {
    Function.backward(da, known)
  }
}

/// max(z, 0), which passes NaN on.
private enum ReLU: ActivationFunction {
  static func apply<Element: Scalar>(_ z: Element) -> Element { z < 0 ? 0 : z }
  static func backward<Element: Scalar>(_ da: Element, _ a: Element) -> Element {
    a <= 0 ? 0 : da
  }
}

/// max(z, 0), where NaN becomes 0; its derivative is that of ``ReLU``.
private enum HidingReLU: UnaryFunction {
  static func apply<Element: Scalar>(_ z: Element) -> Element { z > 0 ? z : 0 }
}

/// z for z > 0, else 0.01·z.
private enum LeakyReLU: ActivationFunction {
  static func apply<Element: Scalar>(_ z: Element) -> Element {
    z < 0 ? Element(Activation.leakySlope) * z : z
  }
  static func backward<Element: Scalar>(_ da: Element, _ a: Element) -> Element {
    a > 0 ? da : a.isNaN ? a : Element(Activation.leakySlope) * da
  }
}

/// z for z > 0, else eᶻ − 1; the derivative below 0 is eᶻ = a + 1.
private enum ELU: ActivationFunction {
  static func apply<Element: Scalar>(_ z: Element) -> Element { z < 0 ? Element.expm1(z) : z }
  static func backward<Element: Scalar>(_ da: Element, _ a: Element) -> Element {
    a > 0 ? da : da * (a + 1)
  }
}

/// 1/(1 + e⁻ᶻ), with derivative a·(1 − a).
private enum Sigmoid: ActivationFunction {
  static func apply<Element: Scalar>(_ z: Element) -> Element { 1 / (1 + Element.exp(-z)) }
  static func backward<Element: Scalar>(_ da: Element, _ a: Element) -> Element {
    da * (a * (1 - a))
  }
}

/// tanh z, with derivative 1 − a².
private enum HyperbolicTangent: ActivationFunction {
  static func apply<Element: Scalar>(_ z: Element) -> Element { Element.tanh(z) }
  static func backward<Element: Scalar>(_ da: Element, _ a: Element) -> Element {
    da * (1 - a * a)
  }
}

/// arctan z, with derivative 1/(1 + z²): the only one that is computed from z.
private enum Arctangent: ActivationFunction {
  static func apply<Element: Scalar>(_ z: Element) -> Element { Element.atan(z) }
  static func backward<Element: Scalar>(_ da: Element, _ z: Element) -> Element {
    da / (1 + z * z)
  }
}

extension FeatureMap<Float> {
  /// Computes act(z) by the vector kernel `code`.
  fileprivate func activated(_ code: Int32) -> FeatureMap {
    let kernels = InstructionSet.kernels
    let source = resolved.scalars
    let values = MapMemory<Float>(source.count) { output in
      withExtendedLifetime(source) {
        parallelRanges(source.count) { range in
          kernels.activate(
            code, source.start + range.lowerBound, output + range.lowerBound, range.count)
        }
      }
    }
    return FeatureMap(shape: shape, scalars: values)
  }
}

package import Tensors

/// a = act(z), element by element: z̄ = act′(z) · ā.
///
/// The functions and their derivatives stand in ``Activation``. A derivative is computed from the
/// result a wherever it follows from it, as in frameworks; arctan's needs z.
package struct Activate: Operation {
  package let function: Activation
  /// Whether ReLU hands a NaN on or makes 0 of it.
  package let reluNaN: ReLUNaN

  package init(_ function: Activation, reluNaN: ReLUNaN = .keep) {
    (self.function, self.reluNaN) = (function, reluNaN)
  }

  package var word: String { function.rawValue }
  package var tangentRule: TangentRule { .elementwise }

  package func resultShape(_ operands: [Shape]) -> Shape { operands[0] }

  package func forward<Element: Scalar>(_ operands: [Value<Element>]) -> Value<Element> {
    .map(function.forward(operands[0].map, reluNaN: reluNaN))
  }

  package func pullback<Element: Scalar>(
    _ gradient: Value<Element>, to index: Int, _ values: OperationValues<Element>
  ) -> Value<Element> {
    let known = function.needsPreactivation ? values.operands[0].map : values.result.map
    return .map(function.backward(gradient.map, activation: known, preactivation: known))
  }

  package var sharesResult: Bool { function == .linear }
  package func sharesGradient(to index: Int) -> Bool { function == .linear }

  /// The function of z in a layer, else its name around the operand's.
  package func formula(_ names: OperationNames) -> String {
    names.areLetters && names.operands[0].hasSuffix("z")
      ? function.formula : "\(function.rawValue)(\(names.operands[0]))"
  }

  package func pullbackFormula(
    _ gradient: String, to index: Int, _ names: OperationNames
  ) -> PullbackFormula {
    PullbackFormula(
      names.areLetters
        ? "\(function.derivativeFormula(of: names.result)) · \(gradient)"
        : "\(gradient) · \(function.rawValue)′(\(names.operands[0]))",
      reads: [function.needsPreactivation ? names.operands[0] : names.result])
  }

  package func terms(at place: [Int], _ grids: OperationGrids) -> TermList {
    let z = grids.operands[0].factor(place)
    return TermList(
      function.formula, note: "z = \(z.name) = \(Float(z.value))",
      [[.init("\(function.rawValue)(z)", function.value(z.value))]])
  }

  package func pullbackTerms(
    at place: [Int], to index: Int, _ gradient: NamedGrid, _ grids: OperationGrids
  ) -> TermList {
    let known = (function.needsPreactivation ? grids.operands[0] : grids.result).factor(place)
    // Typed numbers go by their names, values of a layer by letters.
    guard grids.result.letter != grids.result.name else {
      return TermList([
        [
          gradient.factor(place),
          .init("\(function.rawValue)′ from \(known.name)", function.derivative(known.value)),
        ]
      ])
    }
    let derivative = function.derivativeFormula(of: grids.result.letter)
    return TermList(
      "\(derivative) · \(gradient.letter)", note: "from \(known.name) = \(Float(known.value))",
      [[.init(derivative, function.derivative(known.value)), gradient.factor(place)]])
  }
}

extension Activation {
  /// The function of the pre-activation z, in letters.
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

  /// The derivative in letters, of the number that it is computed from: z, or the activation called `a`.
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

  /// Returns act(z) of one number.
  package func value(_ z: Double) -> Double { forward(FeatureMap(z)).number }

  /// Returns act′, from the number that it is computed from.
  package func derivative(_ known: Double) -> Double {
    backward(FeatureMap(1), activation: FeatureMap(known), preactivation: FeatureMap(known)).number
  }
}

extension FeatureMap<Double> {
  fileprivate init(_ number: Double) { self.init(shape: [1, 1, 1, 1], number: number) }

  fileprivate var number: Double { total() }
}

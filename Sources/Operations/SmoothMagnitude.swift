package import Tensors

/// v = √(x² + ε²), element by element: |x| with a rounded corner, as the Charbonnier loss has it.
///
///     x̄ = v̄ · x / v
///
/// Source: Charbonnier et al., "Two deterministic half-quadratic regularization algorithms for computed
/// imaging" (1994).
package struct SmoothMagnitude: Operation {
  /// ε, above 0.
  package let epsilon: Double

  package init(epsilon: Double) { self.epsilon = epsilon }

  package var word: String { "smooth magnitude" }
  package var tangentRule: TangentRule { .elementwise }

  package func resultShape(_ operands: [Shape]) -> Shape { operands[0] }

  package func forward<Element: Scalar>(_ operands: [Value<Element>]) -> Value<Element> {
    .map(operands[0].map.smoothMagnitudes(epsilon))
  }

  package func pullback<Element: Scalar>(
    _ gradient: Value<Element>, to index: Int, _ values: OperationValues<Element>
  ) -> Value<Element> {
    .map(gradient.map.multiplied(by: values.operands[0].map.divided(by: values.result.map)))
  }

  package func formula(_ names: OperationNames) -> String {
    "√(\(names.operands[0])² + \(epsilon)²)"
  }

  package func pullbackFormula(
    _ gradient: String, to index: Int, _ names: OperationNames
  ) -> PullbackFormula {
    PullbackFormula(
      "\(gradient) · \(names.operands[0]) / \(names.result)",
      reads: [names.operands[0], names.result])
  }

  package func terms(at place: [Int], _ grids: OperationGrids) -> TermList {
    let x = grids.operands[0].factor(place)
    return TermList([
      [.init("√(\(x.name)² + ε²)", (x.value * x.value + epsilon * epsilon).squareRoot())]
    ])
  }

  package func pullbackTerms(
    at place: [Int], to index: Int, _ gradient: NamedGrid, _ grids: OperationGrids
  ) -> TermList {
    TermList([
      [
        gradient.factor(place), grids.operands[0].factor(place),
        .inverse(of: grids.result.factor(place)),
      ]
    ])
  }
}

package import Tensors

/// v = x − y, element by element: x̄ = v̄, ȳ = −v̄.
package struct Difference: Operation {
  package init() {}

  package var word: String { "subtract" }
  package var tangentRule: TangentRule { .linear }

  package func resultShape(_ operands: [Shape]) throws(OperationError) -> Shape {
    try commonShape(operands)
  }

  package func forward<Element: Scalar>(_ operands: [Value<Element>]) -> Value<Element> {
    .map(operands[0].map.subtracting(operands[1].map))
  }

  package func pullback<Element: Scalar>(
    _ gradient: Value<Element>, to index: Int, _ values: OperationValues<Element>
  ) -> Value<Element> { index == 0 ? gradient : .map(gradient.map.negated()) }

  package func sharesGradient(to index: Int) -> Bool { index == 0 }

  package func formula(_ names: OperationNames) -> String {
    "\(names.operands[0]) − \(names.operands[1])"
  }

  package func pullbackFormula(
    _ gradient: String, to index: Int, _ names: OperationNames
  ) -> PullbackFormula { PullbackFormula(index == 0 ? gradient : "−\(gradient)") }

  package func terms(at place: [Int], _ grids: OperationGrids) -> TermList {
    TermList([
      [grids.operands[0].factor(place)], [.minusOne, grids.operands[1].factor(place)],
    ])
  }

  package func pullbackTerms(
    at place: [Int], to index: Int, _ gradient: NamedGrid, _ grids: OperationGrids
  ) -> TermList {
    TermList([index == 0 ? [gradient.factor(place)] : [.minusOne, gradient.factor(place)]])
  }
}

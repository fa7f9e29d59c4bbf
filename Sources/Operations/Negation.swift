package import Tensors

/// v = −x, element by element: x̄ = −v̄.
package struct Negation: Operation {
  package init() {}

  package var word: String { "negate" }
  package var tangentRule: TangentRule { .linear }

  package func resultShape(_ operands: [Shape]) -> Shape { operands[0] }

  package func forward<Element: Scalar>(_ operands: [Value<Element>]) -> Value<Element> {
    .map(operands[0].map.negated())
  }

  package func pullback<Element: Scalar>(
    _ gradient: Value<Element>, to index: Int, _ values: OperationValues<Element>
  ) -> Value<Element> { .map(gradient.map.negated()) }

  package func formula(_ names: OperationNames) -> String { "−\(names.operands[0])" }

  package func pullbackFormula(
    _ gradient: String, to index: Int, _ names: OperationNames
  ) -> PullbackFormula { PullbackFormula("−\(gradient)") }

  package func terms(at place: [Int], _ grids: OperationGrids) -> TermList {
    TermList([[.minusOne, grids.operands[0].factor(place)]])
  }

  package func pullbackTerms(
    at place: [Int], to index: Int, _ gradient: NamedGrid, _ grids: OperationGrids
  ) -> TermList { TermList([[.minusOne, gradient.factor(place)]]) }
}

package import Tensors

/// v = x · y, element by element: x̄ = v̄ · y, ȳ = v̄ · x.
package struct Product: Operation {
  package init() {}

  package var word: String { "multiply" }
  package var tangentRule: TangentRule { .elementwise }

  package func resultShape(_ operands: [Shape]) throws(OperationError) -> Shape {
    try commonShape(operands)
  }

  package func forward<Element: Scalar>(_ operands: [Value<Element>]) -> Value<Element> {
    .map(operands[0].map.multiplied(by: operands[1].map))
  }

  package func pullback<Element: Scalar>(
    _ gradient: Value<Element>, to index: Int, _ values: OperationValues<Element>
  ) -> Value<Element> { .map(gradient.map.multiplied(by: values.operands[1 - index].map)) }

  package func formula(_ names: OperationNames) -> String {
    "\(names.operands[0]) · \(names.operands[1])"
  }

  package func pullbackFormula(
    _ gradient: String, to index: Int, _ names: OperationNames
  ) -> PullbackFormula {
    let other = names.operands[1 - index]
    return PullbackFormula("\(gradient) · \(other)", reads: [other])
  }

  package func terms(at place: [Int], _ grids: OperationGrids) -> TermList {
    TermList([grids.operands.map { $0.factor(place) }])
  }

  package func pullbackTerms(
    at place: [Int], to index: Int, _ gradient: NamedGrid, _ grids: OperationGrids
  ) -> TermList {
    TermList([[gradient.factor(place), grids.operands[1 - index].factor(place)]])
  }
}

package import Tensors

/// v = x / y, element by element: x̄ = v̄ / y, ȳ = −v̄ · v / y.
package struct Quotient: Operation {
  package init() {}

  package var word: String { "divide" }
  package var tangentRule: TangentRule { .elementwise }

  package func resultShape(_ operands: [Shape]) throws(OperationError) -> Shape {
    try commonShape(operands)
  }

  package func forward<Element: Scalar>(_ operands: [Value<Element>]) -> Value<Element> {
    .map(operands[0].map.divided(by: operands[1].map))
  }

  package func pullback<Element: Scalar>(
    _ gradient: Value<Element>, to index: Int, _ values: OperationValues<Element>
  ) -> Value<Element> {
    let bottom = values.operands[1].map
    return .map(
      index == 0
        ? gradient.map.divided(by: bottom)
        : gradient.map.multiplied(by: values.result.map).divided(by: bottom).negated())
  }

  package func formula(_ names: OperationNames) -> String {
    "\(names.operands[0]) / \(names.operands[1])"
  }

  package func pullbackFormula(
    _ gradient: String, to index: Int, _ names: OperationNames
  ) -> PullbackFormula {
    let bottom = names.operands[1]
    return index == 0
      ? PullbackFormula("\(gradient) / \(bottom)", reads: [bottom])
      : PullbackFormula(
        "−\(gradient) · \(names.result) / \(bottom)", reads: [names.result, bottom])
  }

  package func terms(at place: [Int], _ grids: OperationGrids) -> TermList {
    TermList([[grids.operands[0].factor(place), .inverse(of: grids.operands[1].factor(place))]])
  }

  package func pullbackTerms(
    at place: [Int], to index: Int, _ gradient: NamedGrid, _ grids: OperationGrids
  ) -> TermList {
    let (incoming, inverse) = (
      gradient.factor(place), Explanation.Factor.inverse(of: grids.operands[1].factor(place))
    )
    return TermList([
      index == 0
        ? [incoming, inverse] : [.minusOne, incoming, grids.result.factor(place), inverse]
    ])
  }
}

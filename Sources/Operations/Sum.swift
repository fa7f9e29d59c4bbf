package import Tensors

/// v = x + y + …, element by element; all operands get the gradient of v as it is.
package struct Sum: Operation {
  package init() {}

  package var word: String { "add" }
  package var tangentRule: TangentRule { .linear }

  package func resultShape(_ operands: [Shape]) throws(OperationError) -> Shape {
    try commonShape(operands)
  }

  package func forward<Element: Scalar>(_ operands: [Value<Element>]) -> Value<Element> {
    operands.dropFirst().reduce(operands[0]) { $0.adding($1) }
  }

  package func pullback<Element: Scalar>(
    _ gradient: Value<Element>, to index: Int, _ values: OperationValues<Element>
  ) -> Value<Element> { gradient }

  package func sharesGradient(to index: Int) -> Bool { true }

  package func formula(_ names: OperationNames) -> String {
    names.operands.joined(separator: " + ")
  }

  package func pullbackFormula(
    _ gradient: String, to index: Int, _ names: OperationNames
  ) -> PullbackFormula { PullbackFormula(gradient) }

  package func terms(at place: [Int], _ grids: OperationGrids) -> TermList {
    TermList(grids.operands.map { [$0.factor(place)] })
  }

  package func pullbackTerms(
    at place: [Int], to index: Int, _ gradient: NamedGrid, _ grids: OperationGrids
  ) -> TermList { TermList([[gradient.factor(place)]]) }
}

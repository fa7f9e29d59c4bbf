package import Tensors

/// v = w₁·u₁ + w₂·u₂ + … of single numbers, such as the losses of a mix: ūᵢ = wᵢ·v̄.
package struct WeightedSum: Operation {
  private let weights: [Double]

  package init(_ weights: [Double]) { self.weights = weights }

  package var word: String { "weighted sum" }
  package var tangentRule: TangentRule { .linear }

  package func resultShape(_ operands: [Shape]) -> Shape { [] }

  package func forward<Element: Scalar>(_ operands: [Value<Element>]) -> Value<Element> {
    .number(zip(weights, operands).reduce(0) { $0 + $1.0 * $1.1.number })
  }

  package func pullback<Element: Scalar>(
    _ gradient: Value<Element>, to index: Int, _ values: OperationValues<Element>
  ) -> Value<Element> { .number(weights[index] * gradient.number) }

  package func formula(_ names: OperationNames) -> String {
    zip(weights, names.operands).map { "\($0)·\($1)" }.joined(separator: " + ")
  }

  package func pullbackFormula(
    _ gradient: String, to index: Int, _ names: OperationNames
  ) -> PullbackFormula { PullbackFormula("\(weights[index])·\(gradient)") }

  package func terms(at place: [Int], _ grids: OperationGrids) -> TermList {
    TermList(
      zip(weights, grids.operands).map { weight, operand in
        [.init("\(weight)", weight), operand.factor(place)]
      })
  }

  package func pullbackTerms(
    at place: [Int], to index: Int, _ gradient: NamedGrid, _ grids: OperationGrids
  ) -> TermList {
    TermList([[.init("\(weights[index])", weights[index]), gradient.factor(place)]])
  }
}

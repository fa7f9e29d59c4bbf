package import Tensors

/// y = x, and no gradient goes back: x̄ = 0.
///
/// Where x has no other reader with a pullback, x̄ is 0 and told so; where another value gives x its gradient
/// in place of this one, nothing arrives by this way.
package struct Cut: Operation {
  /// Whether x has no other gradient, so that it is 0.
  package let isZero: Bool

  package init(isZero: Bool) { self.isZero = isZero }

  package var word: String { "cut" }
  package var tangentRule: TangentRule { .linear }
  package var endsGradient: Bool { true }
  package var sharesResult: Bool { true }
  package func hasPullback(to index: Int) -> Bool { isZero }

  package func resultShape(_ operands: [Shape]) -> Shape { operands[0] }

  package func forward<Element: Scalar>(_ operands: [Value<Element>]) -> Value<Element> {
    operands[0]
  }

  package func pullback<Element: Scalar>(
    _ gradient: Value<Element>, to index: Int, _ values: OperationValues<Element>
  ) -> Value<Element> { .map(FeatureMap(shape: values.operands[0].shape, number: 0)) }

  package func formula(_ names: OperationNames) -> String { names.operands[0] }

  package func pullbackFormula(
    _ gradient: String, to index: Int, _ names: OperationNames
  ) -> PullbackFormula { PullbackFormula("0") }

  package func terms(at place: [Int], _ grids: OperationGrids) -> TermList {
    TermList([[grids.operands[0].factor(place)]])
  }

  package func pullbackTerms(
    at place: [Int], to index: Int, _ gradient: NamedGrid, _ grids: OperationGrids
  ) -> TermList { TermList("0", []) }
}

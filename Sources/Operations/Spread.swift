package import Tensors

/// v[i] = x for every place i of a shape, where x is a single number: x̄ = Σ v̄.
package struct Spread: Operation {
  /// The shape of the result.
  package let shape: Shape

  package init(to shape: Shape) { self.shape = shape }

  package var word: String { "spread" }
  package var tangentRule: TangentRule { .linear }

  package func resultShape(_ operands: [Shape]) -> Shape { shape }

  package func forward<Element: Scalar>(_ operands: [Value<Element>]) -> Value<Element> {
    .map(FeatureMap(shape: shape.asImage, number: operands[0].map.total()))
  }

  package func pullback<Element: Scalar>(
    _ gradient: Value<Element>, to index: Int, _ values: OperationValues<Element>
  ) -> Value<Element> {
    .map(FeatureMap(shape: values.operands[0].shape, number: gradient.map.total()))
  }

  package func formula(_ names: OperationNames) -> String { "\(names.operands[0]) at every place" }

  package func pullbackFormula(
    _ gradient: String, to index: Int, _ names: OperationNames
  ) -> PullbackFormula { PullbackFormula("Σ \(gradient)") }

  package func terms(at place: [Int], _ grids: OperationGrids) -> TermList {
    TermList([[grids.operands[0].factor(place)]])
  }

  package func pullbackTerms(
    at place: [Int], to index: Int, _ gradient: NamedGrid, _ grids: OperationGrids
  ) -> TermList { TermList(gradient.places.map { [gradient.factor($0)] }) }
}

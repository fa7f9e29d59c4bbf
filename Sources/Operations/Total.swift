package import Tensors

/// v = Σ x, or the mean v = Σ x / n, a single number: x̄[i] = v̄, or v̄ / n, at every place i.
package struct Total: Operation {
  /// n; nil for a plain sum.
  private let divisor: Int?

  /// The sum of all elements.
  package init() { divisor = nil }

  /// The sum of all elements divided by their number, `count`.
  package init(meanOf count: Int) { divisor = count }

  package var word: String { divisor == nil ? "sum" : "mean" }
  package var tangentRule: TangentRule { .linear }

  package func resultShape(_ operands: [Shape]) -> Shape { [] }

  package func forward<Element: Scalar>(_ operands: [Value<Element>]) -> Value<Element> {
    .map(FeatureMap(shape: [1, 1, 1, 1], number: operands[0].map.total() * share))
  }

  package func pullback<Element: Scalar>(
    _ gradient: Value<Element>, to index: Int, _ values: OperationValues<Element>
  ) -> Value<Element> {
    .map(FeatureMap(shape: values.operands[0].shape, number: gradient.map.total() * share))
  }

  /// The factor of each element: 1, or 1/n.
  private var share: Double { divisor.map { 1 / Double($0) } ?? 1 }

  /// ` / n`, or nothing.
  private var division: String { divisor.map { " / \($0)" } ?? "" }

  package func formula(_ names: OperationNames) -> String { "Σ \(names.operands[0])\(division)" }

  package func pullbackFormula(
    _ gradient: String, to index: Int, _ names: OperationNames
  ) -> PullbackFormula { PullbackFormula("\(gradient)\(division) at every place") }

  package func terms(at place: [Int], _ grids: OperationGrids) -> TermList {
    let x = grids.operands[0]
    return TermList(x.places.map { [x.factor($0)] + shares })
  }

  package func pullbackTerms(
    at place: [Int], to index: Int, _ gradient: NamedGrid, _ grids: OperationGrids
  ) -> TermList { TermList([[gradient.factor(place)] + shares]) }

  private var shares: [Explanation.Factor] { divisor.map { [.init("1/\($0)", share)] } ?? [] }
}

package import Tensors

/// v = Σ x² / d or v = Σ |x| / d, a single number: the losses, when they are computed step by step.
///
///     squares      x̄ = 2·x · v̄ / d
///     magnitudes   x̄ = sign(x) · v̄ / d, with sign(0) = 0
package struct SumOfPowers: Operation {
  /// Which power of |x| is summed.
  package enum Power: Sendable {
    case squares
    case magnitudes
  }

  private let power: Power
  /// d, the constant that the sum is divided by.
  private let divisor: Double

  package init(_ power: Power, dividedBy divisor: Double) {
    (self.power, self.divisor) = (power, divisor)
  }

  package var word: String { power == .squares ? "sum of squares" : "sum of magnitudes" }
  package var tangentRule: TangentRule { .scalar }

  package func resultShape(_ operands: [Shape]) -> Shape { [] }

  package func forward<Element: Scalar>(_ operands: [Value<Element>]) -> Value<Element> {
    let x = operands[0].map
    return .number((power == .squares ? x.sumOfSquares() : x.sumOfMagnitudes()) / divisor)
  }

  package func pullback<Element: Scalar>(
    _ gradient: Value<Element>, to index: Int, _ values: OperationValues<Element>
  ) -> Value<Element> {
    let (x, share) = (values.operands[0].map, gradient.number / divisor)
    return .map(power == .squares ? x.scaled(by: 2 * share) : x.signs().scaled(by: share))
  }

  package func formula(_ names: OperationNames) -> String {
    (power == .squares ? "Σ \(names.operands[0])²" : "Σ |\(names.operands[0])|") + " / \(divisor)"
  }

  package func pullbackFormula(
    _ gradient: String, to index: Int, _ names: OperationNames
  ) -> PullbackFormula {
    let x = names.operands[0]
    return PullbackFormula(
      "\(power == .squares ? "2·\(x)" : "sign(\(x))") · \(gradient) / \(divisor)", reads: [x])
  }

  package func terms(at place: [Int], _ grids: OperationGrids) -> TermList {
    let (x, share) = (grids.operands[0], Explanation.Factor("1/\(divisor)", 1 / divisor))
    return TermList(
      x.places.map { place in
        let factor = x.factor(place)
        return power == .squares
          ? [factor, factor, share] : [.init("|\(factor.name)|", abs(factor.value)), share]
      })
  }

  package func pullbackTerms(
    at place: [Int], to index: Int, _ gradient: NamedGrid, _ grids: OperationGrids
  ) -> TermList {
    let x = grids.operands[0].factor(place)
    let derivative: Explanation.Factor =
      power == .squares
      ? .init("2·\(x.name)", 2 * x.value)
      : .init("sign(\(x.name))", x.value > 0 ? 1 : x.value < 0 ? -1 : 0)
    return TermList([
      [derivative, gradient.factor(place), .init("1/\(divisor)", 1 / divisor)]
    ])
  }
}

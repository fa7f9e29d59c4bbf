package import Tensors

/// v is x with sides f times as large.
///
///     nearest    v[n,c,Y,X] = x[n,c,⌊Y/f⌋,⌊X/f⌋]                  x̄ = Σ v̄ over each f×f
///     bilinear   v[n,c,Y,X] = Σ a[Y,y]·a[X,x]·x[n,c,y,x]          x̄ = Σ a[Y,y]·a[X,x]·v̄[n,c,Y,X]
///
/// The weights a are those of ``BilinearTap``: centers of pixels lie at halves, as in PyTorch with
/// `align_corners=False`.
package struct Upsample: Operation {
  package enum Rule: String, Sendable, CaseIterable {
    case nearest
    case bilinear
  }

  package let rule: Rule
  /// f.
  package let factor: Int

  package init(_ rule: Rule, factor: Int) {
    precondition(factor > 0, "An image has pixels.")
    (self.rule, self.factor) = (rule, factor)
  }

  package var word: String { "\(rule.rawValue) up" }
  package var tangentRule: TangentRule { .linear }

  package func resultShape(_ operands: [Shape]) -> Shape {
    let image = operands[0].asImage
    return operands[0].withSides(image.height * factor, image.width * factor)
  }

  package func forward<Element: Scalar>(_ operands: [Value<Element>]) -> Value<Element> {
    let x = operands[0].map
    return .map(rule == .nearest ? x.repeated(factor) : x.interpolated(factor))
  }

  package func pullback<Element: Scalar>(
    _ gradient: Value<Element>, to index: Int, _ values: OperationValues<Element>
  ) -> Value<Element> {
    let g = gradient.map
    return .map(rule == .nearest ? g.summedOverSquares(factor) : g.uninterpolated(factor))
  }

  private var square: String { "\(factor)×\(factor)" }

  package func formula(_ names: OperationNames) -> String {
    "\(names.operands[0]) \(rule == .nearest ? "repeated" : "interpolated") \(square)"
  }

  package func pullbackFormula(
    _ gradient: String, to index: Int, _ names: OperationNames
  ) -> PullbackFormula {
    PullbackFormula(
      rule == .nearest
        ? "Σ \(gradient) over \(square)" : "Σ weight of interpolation \(square) · \(gradient)")
  }

  package func terms(at place: [Int], _ grids: OperationGrids) -> TermList {
    let x = grids.operands[0]
    let (n, c) = (place[0], place[1])
    guard rule == .bilinear else {
      return TermList([[x.factor([n, c, place[2] / factor, place[3] / factor])]])
    }
    let rows = sources(place[2], x.shape.height)
    let columns = sources(place[3], x.shape.width)
    return TermList(
      rows.flatMap { y in
        columns.map { column in
          weights(y.weight, column.weight) + [x.factor([n, c, y.row, column.row])]
        }
      })
  }

  package func pullbackTerms(
    at place: [Int], to index: Int, _ gradient: NamedGrid, _ grids: OperationGrids
  ) -> TermList {
    let (n, c) = (place[0], place[1])
    let rows = readers(place[2], gradient.shape.height / factor)
    let columns = readers(place[3], gradient.shape.width / factor)
    return TermList(
      rows.flatMap { y in
        columns.map { x in
          (rule == .bilinear ? weights(y.weight, x.weight) : [])
            + [gradient.factor([n, c, y.row, x.row])]
        }
      })
  }

  package func pullbackPlaces(at place: [Int], of gradient: Shape, to operand: Shape) -> [[Int]]? {
    guard rule == .nearest else { return nil }
    return readers(place[2], operand.height).flatMap { y in
      readers(place[3], operand.width).map { x in [place[0], place[1], y.row, x.row] }
    }
  }

  /// The rows or columns of x that one of v reads.
  private func sources(_ row: Int, _ count: Int) -> [(row: Int, weight: Double)] {
    let tap = BilinearTap(row, of: count, factor: factor)
    return tap.first == tap.second
      ? [(tap.first, tap.firstWeight + tap.secondWeight)]
      : [(tap.first, tap.firstWeight), (tap.second, tap.secondWeight)]
  }

  /// The rows or columns of v that read one of x.
  private func readers(_ row: Int, _ count: Int) -> [(row: Int, weight: Double)] {
    rule == .nearest
      ? (row * factor..<(row + 1) * factor).map { ($0, 1) }
      : BilinearTap.readers(of: row, of: count, factor: factor)
  }

  private func weights(_ y: Double, _ x: Double) -> [Explanation.Factor] {
    [.init("\(Float(y))", y), .init("\(Float(x))", x)]
  }
}

package import Tensors
package import Tomography

/// p = A·μ(x), μ = μ_w·(1 + x/1000): the line integrals of an image in HU along the rays of a scan.
///
///     p[v,d] = Σ μ(x[r,c]) · length(v,d,r,c)
///     x̄[r,c] = μ_w/1000 · Σ p̄[v,d] · length(v,d,r,c)         0 where x is below −1000 HU, as air
///
/// The image is [rows, columns], the result [views, detectors]; a length is in mm.
package struct Projection: Operation {
  package let scan: SliceScan

  package init(_ scan: SliceScan) { self.scan = scan }

  package var word: String { "project" }
  package var tangentRule: TangentRule { .linear }

  package func resultShape(_ operands: [Shape]) throws(OperationError) -> Shape {
    let (image, grid) = (operands[0].asImage, scan.grid)
    guard image.count == image.planeCount, image.height == grid.rows, image.width == grid.columns
    else {
      throw OperationError(
        "\(operands[0]) is projected as an image of \(grid.rows)×\(grid.columns)",
        hint: "take one slice, for example clean[0]")
    }
    return [scan.scan.views, scan.scan.detectors]
  }

  package func forward<Element: Scalar>(_ operands: [Value<Element>]) -> Value<Element> {
    .plane(
      scan.project(operands[0].map.tensor.scalars), scan.scan.views, scan.scan.detectors)
  }

  package func pullback<Element: Scalar>(
    _ gradient: Value<Element>, to index: Int, _ values: OperationValues<Element>
  ) -> Value<Element> {
    .plane(
      scan.projectAdjoint(
        gradient.map.tensor.scalars, at: values.operands[0].map.tensor.scalars),
      scan.grid.rows, scan.grid.columns)
  }

  package func formula(_ names: OperationNames) -> String { "project(\(names.operands[0]))" }

  package func pullbackFormula(
    _ gradient: String, to index: Int, _ names: OperationNames
  ) -> PullbackFormula {
    let x = names.operands[0]
    return PullbackFormula("μ′(\(x)) · projectᵀ(\(gradient))", reads: [x])
  }

  package func terms(at place: [Int], _ grids: OperationGrids) -> TermList {
    let (x, attenuation) = (grids.operands[0], scan.attenuation)
    let crossings = scan.projector.terms(ofView: place[2], element: place[3])
    func factors(_ i: Int) -> [Explanation.Factor] {
      let crossing = crossings[i]
      let pixel = [0, 0, crossing.row, crossing.column]
      return [
        .init("μ(\(x.place(pixel)))", attenuation.attenuation(of: x.value(pixel))),
        .init("length", crossing.factor),
      ]
    }
    return TermList(
      "Σ μ · length", count: crossings.count,
      product: { factors($0).reduce(1) { $0 * $1.value } },
      term: { ([crossings[$0].row, crossings[$0].column], factors($0)) })
  }

  package func pullbackTerms(
    at place: [Int], to index: Int, _ gradient: NamedGrid, _ grids: OperationGrids
  ) -> TermList {
    guard grids.operands[0].value(place) > -1000 else { return TermList([]) }
    let slope = Explanation.Factor("μ_w/1000", scan.attenuation.perUnit)
    let rays = scan.projector.terms(ofRow: place[2], column: place[3])
    func factors(_ i: Int) -> [Explanation.Factor] {
      [
        gradient.factor([0, 0, rays[i].row, rays[i].column]), .init("length", rays[i].factor),
        slope,
      ]
    }
    return TermList(
      "Σ \(gradient.letter) · length · μ_w/1000", count: rays.count,
      product: { factors($0).reduce(1) { $0 * $1.value } },
      term: { ([rays[$0].row, rays[$0].column], factors($0)) })
  }
}

extension Value {
  /// A map of one plane.
  static func plane(_ scalars: [Element], _ rows: Int, _ columns: Int) -> Value {
    .map(FeatureMap(Tensor(shape: [1, 1, rows, columns], scalars: scalars)))
  }
}

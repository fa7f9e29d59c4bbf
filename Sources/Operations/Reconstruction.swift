package import Tensors
package import Tomography

/// x = 1000·(R·p/μ_w − 1): the image in HU of line integrals, by filtered back-projection.
///
///     x[r,c] = −1000 + 1000/μ_w · Σ over views of weight(v,r,c) · q[v, u(v,r,c)],    q the filtered p
///     p̄[v,d] = 1000/μ_w · Σ over elements e of filter(e − d) · s[v,e]
///
/// where s[v,e] collects weight·x̄ of the pixels that the view sees at element e. The operand is
/// [views, detectors], the result [rows, columns]; what not every view sees is air.
package struct Reconstruction: Operation {
  package let scan: SliceScan

  package init(_ scan: SliceScan) { self.scan = scan }

  package var word: String { "reconstruct" }
  package var tangentRule: TangentRule { .linear }

  package func resultShape(_ operands: [Shape]) throws(OperationError) -> Shape {
    let (rays, geometry) = (operands[0].asImage, scan.scan)
    guard rays.count == rays.planeCount, rays.height == geometry.views,
      rays.width == geometry.detectors
    else {
      throw OperationError(
        "\(operands[0]) is no sinogram of \(geometry.views) views and \(geometry.detectors) "
          + "detector elements",
        hint: "take what 'project' gave")
    }
    return [scan.grid.rows, scan.grid.columns]
  }

  package func forward<Element: Scalar>(_ operands: [Value<Element>]) -> Value<Element> {
    .plane(
      scan.reconstruct(operands[0].map.tensor.scalars), scan.grid.rows, scan.grid.columns)
  }

  package func pullback<Element: Scalar>(
    _ gradient: Value<Element>, to index: Int, _ values: OperationValues<Element>
  ) -> Value<Element> {
    .plane(
      scan.reconstructAdjoint(gradient.map.tensor.scalars), scan.scan.views, scan.scan.detectors)
  }

  package func formula(_ names: OperationNames) -> String { "reconstruct(\(names.operands[0]))" }

  package func pullbackFormula(
    _ gradient: String, to index: Int, _ names: OperationNames
  ) -> PullbackFormula { PullbackFormula("reconstructᵀ(\(gradient))") }

  /// 1000/μ_w.
  private var unit: Explanation.Factor { .init("1000/μ_w", 1 / scan.attenuation.perUnit) }

  package func terms(at place: [Int], _ grids: OperationGrids) -> TermList {
    let views = scan.inverse.terms(
      ofRow: place[2], column: place[3], grids.operands[0].tensor.scalars)
    func factors(_ i: Int) -> [Explanation.Factor] {
      let at = (views[i].place * 100).rounded() / 100
      return [
        .init("filtered[\(views[i].view),\(at)]", views[i].value),
        .init("weight", views[i].weight), unit,
      ]
    }
    let air = Explanation.Factor("air", -1000)
    return TermList(
      "Σ filtered · weight · 1000/μ_w − 1000", count: views.count + 1,
      product: { $0 == 0 ? air.value : factors($0 - 1).reduce(1) { $0 * $1.value } },
      term: { $0 == 0 ? ([], [air]) : ([views[$0 - 1].view], factors($0 - 1)) })
  }

  package func pullbackTerms(
    at place: [Int], to index: Int, _ gradient: NamedGrid, _ grids: OperationGrids
  ) -> TermList {
    let elements = scan.inverse.adjointTerms(
      ofView: place[2], element: place[3], gradient.tensor.scalars)
    func factors(_ i: Int) -> [Explanation.Factor] {
      [
        .init("Σ weight·\(gradient.letter) at element \(elements[i].element)", elements[i].value),
        .init("filter", elements[i].factor), unit,
      ]
    }
    return TermList(
      "Σ filter · (Σ weight · \(gradient.letter)) · 1000/μ_w", count: elements.count,
      product: { factors($0).reduce(1) { $0 * $1.value } },
      term: { ([elements[$0].element], factors($0)) })
  }
}

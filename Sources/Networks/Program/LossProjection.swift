// The loss Σ(A·(output − target))²/R in letters and in terms. R is the number of rays of all images.

import Operations
import Tensors

extension Loss {
  func projectionFormula(isMasked: Bool) -> String {
    "Σ project(\(isMasked ? "mask·(net.out − target)" : "net.out − target"))² / R"
  }

  func projectionPullbackFormula(isMasked: Bool) -> String {
    let error = isMasked ? "mask·(net.out − target)" : "net.out − target"
    return "\(isMasked ? "mask·" : "")2·projectᵀ(project(\(error))) / R"
  }

  /// A term for each ray: the square of its line integral.
  func projectionTerms(_ projection: ProjectedErrors, _ grids: OperationGrids) -> TermList {
    let sinogram = projectedErrors(projection, grids)
    let share = 1 / Double(max(1, sinogram.shape.count))
    return TermList(
      "", count: sinogram.shape.count,
      product: { i in Double(sinogram.scalars[i]) * Double(sinogram.scalars[i]) * share },
      term: { i in
        let error = Explanation.Factor("line integral", Double(sinogram.scalars[i]))
        return (sinogram.shape.position(of: i), [error, error, .init("1/R", share)])
      })
  }

  /// A term for each ray that counts the pixel.
  func projectionPullbackTerms(
    _ projection: ProjectedErrors, at place: [Int], _ grids: OperationGrids
  ) -> TermList {
    let shape = grids.operands[0].tensor.shape
    let sinogram = projectedErrors(projection, grids)
    let rays = projection.rays(throughRow: place[2], column: place[3], of: shape)
    let share = Explanation.Factor("2/R", 2 / Double(max(1, sinogram.shape.count)))
    let mask = maskFactor(grids, shape.offset(of: place))
    func factors(_ i: Int) -> [Explanation.Factor] {
      let at = sinogram.shape.offset(of: [place[0], 0, rays[i].view, rays[i].number])
      return mask + [
        .init("line integral", Double(sinogram.scalars[at])), .init("length", rays[i].length),
        share,
      ]
    }
    return TermList(
      "", count: rays.count, product: { factors($0).reduce(1) { $0 * $1.value } },
      term: { ([place[0], 0, rays[$0].view, rays[$0].number], factors($0)) })
  }

  private func projectedErrors(
    _ projection: ProjectedErrors, _ grids: OperationGrids
  ) -> Tensor<Float> {
    let (output, target) = (grids.operands[0].tensor, grids.operands[1].tensor)
    let mask = grids.operands.dropFirst(2).first?.tensor.scalars
    return projection.sinogram(
      Tensor(
        shape: output.shape,
        scalars: output.scalars.indices.map {
          (output.scalars[$0] - target.scalars[$0]) * (mask?[$0] ?? 1)
        }))
  }
}

// The loss Σ(1 − SSIM)/P in letters and in terms. P is the number of windows whose middle counts.

import Operations
import Tensors

extension Loss {
  func dissimilarityFormula(isMasked: Bool) -> String {
    "Σ \(isMasked ? "mask·" : "")(1 − SSIM(net.out, target)) / P"
  }

  func dissimilarityPullbackFormula(isMasked: Bool) -> String {
    "−Σ \(isMasked ? "mask·" : "")w·∂SSIM/∂net.out / P over the windows that hold the pixel"
  }

  /// A term for each window: how much its images differ.
  func dissimilarityTerms(_ similarity: StructuralSimilarity, _ grids: OperationGrids) -> TermList {
    let (output, target) = (grids.operands[0].tensor, grids.operands[1].tensor)
    let mask = grids.operands.dropFirst(2).first?.tensor
    let (shape, r) = (output.shape, StructuralSimilarity.radius)
    let (rows, columns) = (max(0, shape.height - 2 * r), max(0, shape.width - 2 * r))
    let map = (0..<shape.batch).flatMap {
      similarity.interiorMap(output.image($0), target.image($0))
    }
    let share = 1 / Double(max(1, windows(shape, mask)))
    func offset(_ i: Int) -> Int {
      let pixel = i % (rows * columns)
      return i / (rows * columns) * shape.planeCount + (pixel / columns + r) * shape.width
        + pixel % columns + r
    }
    return TermList(
      "", count: map.count,
      product: { i in
        (mask.map { Double($0.scalars[offset(i)]) } ?? 1) * (1 - map[i]) * share
      },
      term: { i in
        (
          shape.position(of: offset(i)),
          maskFactor(grids, offset(i)) + [.init("1 − SSIM", 1 - map[i]), .init("1/P", share)]
        )
      })
  }

  /// A term for each window that holds the pixel.
  func dissimilarityPullbackTerms(
    _ similarity: StructuralSimilarity, at place: [Int], _ grids: OperationGrids
  ) -> TermList {
    let (output, target) = (grids.operands[0].tensor, grids.operands[1].tensor)
    let mask = grids.operands.dropFirst(2).first?.tensor
    let shape = output.shape
    let share = -1 / Double(max(1, windows(shape, mask)))
    let shares = similarity.shares(
      output, target, image: place[0], row: place[2], column: place[3])
    func factors(_ i: Int) -> [Explanation.Factor] {
      let middle = shape.offset(of: [place[0], 0, shares[i].row, shares[i].column])
      return maskFactor(grids, middle) + [
        .init("w", shares[i].weight), .init("∂SSIM/∂net.out", shares[i].derivative),
        .init("−1/P", share),
      ]
    }
    return TermList(
      "", count: shares.count, product: { factors($0).reduce(1) { $0 * $1.value } },
      term: { i in ([place[0], 0, shares[i].row, shares[i].column], factors(i)) })
  }

  private func windows(_ shape: Shape, _ mask: Tensor<Float>?) -> Int {
    StructuralSimilarity.windows(shape, mask: mask?.doubles().scalars)
  }
}

extension Tensor {
  /// The numbers of a tensor in Double in this element type.
  init(_ doubles: Tensor<Double>) {
    guard let result = (doubles as? Tensor) ?? (doubles.floats() as? Tensor) else {
      preconditionFailure("Numbers are Float or Double.")
    }
    self = result
  }
}

// The loss Σm²/M in letters and in terms: m is the mean of output − target over the pixels of an image whose
// targets lie in one interval, M the number of pixels that count.

import Operations
import Tensors

extension Loss {
  func biasFormula(isMasked: Bool) -> String {
    "Σ \(isMasked ? "mask·" : "")(mean of net.out − target over similar targets)² / M"
  }

  func biasPullbackFormula(isMasked: Bool) -> String {
    "\(isMasked ? "mask·" : "")2·(mean of net.out − target over similar targets) / M"
  }

  /// A term for each pixel: its difference times the mean of its interval; together they are the squares of
  /// the means.
  func biasTerms(_ bias: ConditionalBias, _ grids: OperationGrids, _ count: Double) -> TermList {
    let (output, target) = (grids.operands[0].tensor, grids.operands[1].tensor)
    let mask = grids.operands.dropFirst(2).first?.tensor
    let means = bias.means(output.doubles(), target.doubles(), mask: mask?.doubles().scalars)
    func factors(_ i: Int) -> [Explanation.Factor] {
      maskFactor(grids, i) + [
        .init("net.out − target", Double(output.scalars[i]) - Double(target.scalars[i])),
        .init("mean over similar targets", means.scalars[i]), .init("1/M", 1 / count),
      ]
    }
    return TermList(
      "", count: output.shape.count, product: { factors($0).reduce(1) { $0 * $1.value } },
      term: { (output.shape.position(of: $0), factors($0)) })
  }

  /// A term for each pixel of the same interval.
  func biasPullbackTerms(
    _ bias: ConditionalBias, at place: [Int], _ grids: OperationGrids, _ count: Double
  ) -> TermList {
    let (output, target) = (grids.operands[0].tensor, grids.operands[1].tensor)
    let offset = output.shape.offset(of: place)
    let like = bias.pixels(
      like: offset, of: target, mask: grids.operands.dropFirst(2).first?.tensor.scalars)
    let share = 1 / Double(max(1, like.count))
    let shares: [Explanation.Factor] = [
      .init("1/pixels with similar targets", share), .init("2/M", 2 / count),
    ]
    func factors(_ i: Int) -> [Explanation.Factor] {
      let error = Double(output.scalars[like[i]]) - Double(target.scalars[like[i]])
      return maskFactor(grids, offset) + [.init("net.out − target", error)] + shares
    }
    return TermList(
      "", count: like.count, product: { factors($0).reduce(1) { $0 * $1.value } },
      term: { (output.shape.position(of: like[$0]), factors($0)) })
  }
}

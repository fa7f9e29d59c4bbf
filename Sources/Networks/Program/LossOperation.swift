package import Operations
package import Tensors

/// A loss as the last operation of a pass: of the network's output, the target and, if there is one, the
/// mask.
///
/// The equations stand at ``Loss``. M is the number of pixels that count. A mask is 1 where a pixel
/// counts and 0 elsewhere; it multiplies the difference.
extension Loss: Operation {
  package var word: String { "loss" }

  package func resultShape(_ operands: [Shape]) -> Shape { [] }

  package func forward<Element: Scalar>(_ operands: [Value<Element>]) -> Value<Element> {
    .number(evaluate(operands).value)
  }

  package func pullback<Element: Scalar>(
    _ gradient: Value<Element>, to index: Int, _ values: OperationValues<Element>
  ) -> Value<Element> {
    precondition(index == 0, "A loss has a gradient of the output alone.")
    let own = evaluate(values.operands).gradient
    return .map(gradient.number == 1 ? own : own.scaled(by: gradient.number))
  }

  /// Returns the loss of output, target and, if there is one, mask, and its gradient by the output.
  func evaluate<Element: Scalar>(
    _ operands: [Value<Element>]
  ) -> (value: Double, gradient: FeatureMap<Element>) {
    evaluate(
      operands[0].map, target: operands[1].map, mask: operands.count > 2 ? operands[2].map : nil)
  }

  package func parts(operands: Int, pixels: Double) -> [OperationPart]? {
    let hasMask = operands > 2
    let difference = [OperationPart(Difference(), [.operand(0), .operand(1)])]
    let masked = hasMask ? [OperationPart(Product(), [.part(0), .operand(2)])] : []
    let sum =
      switch self {
      case .meanSquaredError: SumOfPowers(.squares, dividedBy: pixels)
      case .halfSquares: SumOfPowers(.squares, dividedBy: 4)
      case .meanAbsoluteError: SumOfPowers(.magnitudes, dividedBy: pixels)
      }
    return difference + masked + [OperationPart(sum, [.part(hasMask ? 1 : 0)])]
  }

  /// The number of pixels that count in a mask, at least 1; `all` without one.
  package static func counted<Element: Scalar>(
    _ mask: FeatureMap<Element>?, of all: Shape
  ) -> Double { mask.map { max(1, $0.sumOfMagnitudes()) } ?? Double(all.count) }

  // MARK: - In letters

  package func formula(_ names: OperationNames) -> String {
    let isMasked = names.operands.count > 2
    let error = isMasked ? "mask·(net.out − target)" : "(net.out − target)"
    return switch self {
    case .meanSquaredError: "Σ \(isMasked ? "(\(error))" : error)² / M"
    case .halfSquares: "Σ (½·\(error))²"
    case .meanAbsoluteError: "Σ |\(isMasked ? error : "net.out − target")| / M"
    }
  }

  package func pullbackFormula(
    _ gradient: String, to index: Int, _ names: OperationNames
  ) -> PullbackFormula {
    let isMasked = names.operands.count > 2
    let (difference, masked) = ("net.out − target", "mask·(net.out − target)")
    let right =
      switch self {
      case .meanSquaredError: "2·\(isMasked ? masked : "(\(difference))") / M"
      case .halfSquares(true): isMasked ? masked : difference
      case .halfSquares(false): "½·\(isMasked ? masked : "(\(difference))")"
      case .meanAbsoluteError: "sign(\(isMasked ? masked : difference)) / M"
      }
    return PullbackFormula(right, reads: [names.operands[0]])
  }

  // MARK: - One element

  package func terms(at place: [Int], _ grids: OperationGrids) -> TermList {
    let (output, target) = (grids.operands[0].tensor, grids.operands[1].tensor)
    let count = counted(grids)
    func part(_ error: Double) -> Double {
      switch self {
      case .meanSquaredError: error * error / count
      case .halfSquares: error * error / 4
      case .meanAbsoluteError: abs(error) / count
      }
    }
    let errors = zip(output.scalars, target.scalars).map { Double($0) - Double($1) }
    let mask = grids.operands.dropFirst(2).first?.tensor
    return TermList(
      "", count: errors.count,
      product: { i in part(errors[i]) * (mask.map { Double($0.scalars[i]) } ?? 1) },
      term: { i in
        (
          output.shape.position(of: i),
          maskFactor(grids, i)
            + (self == .meanAbsoluteError
              ? [.init("|net.out − target|", abs(errors[i])), .init("1/M", 1 / count)]
              : [
                .init("net.out − target", errors[i]), .init("net.out − target", errors[i]),
                self == .meanSquaredError ? .init("1/M", 1 / count) : .init("¼", 0.25),
              ])
        )
      })
  }

  package func pullbackTerms(
    at place: [Int], to index: Int, _ gradient: NamedGrid, _ grids: OperationGrids
  ) -> TermList {
    let (output, target) = (grids.operands[0].tensor, grids.operands[1].tensor)
    let offset = output.shape.offset(of: place)
    let error = Double(output.scalars[offset]) - Double(target.scalars[offset])
    let factor: Explanation.Factor =
      switch self {
      case .meanSquaredError: .init("2/M", 2 / counted(grids))
      case .halfSquares(let declared): .init(declared ? "1" : "½", declared ? 1 : 0.5)
      case .meanAbsoluteError: .init("1/M", 1 / counted(grids))
      }
    let first: Explanation.Factor =
      self == .meanAbsoluteError
      ? .init("sign(net.out − target)", error > 0 ? 1 : error < 0 ? -1 : 0)
      : .init("net.out − target", error)
    return TermList([maskFactor(grids, offset) + [first, factor]])
  }

  /// The mask's number at a pixel as a factor; empty if all pixels count.
  private func maskFactor(_ grids: OperationGrids, _ offset: Int) -> [Explanation.Factor] {
    grids.operands.dropFirst(2).map { .init("mask", Double($0.tensor.scalars[offset])) }
  }

  private func counted(_ grids: OperationGrids) -> Double {
    guard let mask = grids.operands.dropFirst(2).first?.tensor else {
      return Double(grids.operands[1].shape.count)
    }
    return max(1, mask.scalars.reduce(0) { $0 + Double($1) })
  }
}

package import Operations
package import Tensors

/// A loss as the last operation of a pass: of the network's output, the target and, if there is one, the
/// mask.
///
/// The equations stand at ``Loss``. M is the number of pixels that count. A mask is 1 where a pixel
/// counts and 0 elsewhere; it multiplies the difference.
extension Loss: Operation {
  package var word: String { "loss" }
  package var tangentRule: TangentRule { .scalar }

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
    let difference = OperationPart(Difference(), [.operand(0), .operand(1)])
    let masked = hasMask ? [OperationPart(Product(), [.part(0), .operand(2)])] : []
    func errors(_ sum: SumOfPowers) -> [OperationPart] {
      [difference] + masked + [OperationPart(sum, [.part(hasMask ? 1 : 0)])]
    }
    switch self {
    case .meanSquaredError: return errors(SumOfPowers(.squares, dividedBy: pixels))
    case .halfSquares: return errors(SumOfPowers(.squares, dividedBy: 4))
    case .meanAbsoluteError: return errors(SumOfPowers(.magnitudes, dividedBy: pixels))
    case .charbonnier(let epsilon):
      let size = [difference, OperationPart(SmoothMagnitude(epsilon: epsilon), [.part(0)])]
      let counted = hasMask ? [OperationPart(Product(), [.part(1), .operand(2)])] : []
      return size + counted + [
        OperationPart(
          SumOfPowers(.magnitudes, dividedBy: pixels), [.part(hasMask ? 2 : 1)])
      ]
    case .dissimilarity, .sinogram, .bias: return nil
    case .mix(let losses): return parts(of: losses, operands: operands, pixels: pixels)
    }
  }

  /// The number of pixels that count in a mask, at least 1; `all` without one.
  package static func counted<Element: Scalar>(
    _ mask: FeatureMap<Element>?, of all: Shape
  ) -> Double { mask.map { max(1, $0.sumOfMagnitudes()) } ?? Double(all.count) }

  // MARK: - In letters

  package func formula(_ names: OperationNames) -> String {
    let isMasked = names.operands.count > 2
    let error = isMasked ? "mask·(net.out − target)" : "(net.out − target)"
    let text =
      switch self {
      case .meanSquaredError: "Σ \(isMasked ? "(\(error))" : error)² / M"
      case .halfSquares: "Σ (½·\(error))²"
      case .meanAbsoluteError: "Σ |\(isMasked ? error : "net.out − target")| / M"
      case .charbonnier(let ε): "Σ \(isMasked ? "mask·" : "")\(Self.smoothError(ε)) / M"
      case .dissimilarity: dissimilarityFormula(isMasked: isMasked)
      case .sinogram: projectionFormula(isMasked: isMasked)
      case .bias: biasFormula(isMasked: isMasked)
      case .mix(let losses):
        losses.map { "\($0.weight)·(\($0.loss.formula(names)))" }.joined(separator: " + ")
      }
    return told(text, names)
  }

  /// The letters of the network's loss with the name of what another compares with the target.
  private func told(_ text: String, _ names: OperationNames) -> String {
    text.replacing("net.out", with: names.operands[0])
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
      case .charbonnier(let ε):
        "\(isMasked ? masked : "(\(difference))") / \(Self.smoothError(ε)) / M"
      case .dissimilarity: dissimilarityPullbackFormula(isMasked: isMasked)
      case .sinogram: projectionPullbackFormula(isMasked: isMasked)
      case .bias: biasPullbackFormula(isMasked: isMasked)
      case .mix(let losses):
        losses.map { "\($0.weight)·(\($0.loss.pullbackFormula(gradient, to: index, names).text))" }
          .joined(separator: " + ")
      }
    return PullbackFormula(told(right, names), reads: [names.operands[0]])
  }

  private static func smoothError(_ epsilon: Double) -> String {
    "√((net.out − target)² + \(epsilon)²)"
  }

  // MARK: - One element

  package func terms(at place: [Int], _ grids: OperationGrids) -> TermList {
    switch self {
    case .dissimilarity(let range):
      return dissimilarityTerms(StructuralSimilarity(range: range), grids)
    case .sinogram(let views): return projectionTerms(ProjectedErrors(views: views), grids)
    case .bias(let width):
      return biasTerms(ConditionalBias(width: width), grids, counted(grids))
    case .mix(let losses): return weightedTerms(losses) { $0.terms(at: place, grids) }
    default: break
    }
    let (output, target) = (grids.operands[0].tensor, grids.operands[1].tensor)
    let count = counted(grids)
    let errors = zip(output.scalars, target.scalars).map { Double($0) - Double($1) }
    let mask = grids.operands.dropFirst(2).first?.tensor
    func factors(_ error: Double) -> [Explanation.Factor] {
      let difference = Explanation.Factor("net.out − target", error)
      return switch self {
      case .halfSquares: [difference, difference, .init("¼", 0.25)]
      case .meanAbsoluteError: [.init("|net.out − target|", abs(error)), .init("1/M", 1 / count)]
      case .charbonnier(let ε): [Self.smoothFactor(error, ε), .init("1/M", 1 / count)]
      default: [difference, difference, .init("1/M", 1 / count)]
      }
    }
    return TermList(
      "", count: errors.count,
      product: { i in
        // The factors' own product, without their names, which a term alone needs.
        value(of: errors[i], count) * (mask.map { Double($0.scalars[i]) } ?? 1)
      },
      term: { i in (output.shape.position(of: i), maskFactor(grids, i) + factors(errors[i])) })
  }

  /// Returns the share of one difference in the loss.
  private func value(of error: Double, _ count: Double) -> Double {
    switch self {
    case .halfSquares: error * error / 4
    case .meanAbsoluteError: abs(error) / count
    case .charbonnier(let ε): (error * error + ε * ε).squareRoot() / count
    default: error * error / count
    }
  }

  /// √((net.out − target)² + ε²) of one pixel.
  private static func smoothFactor(_ error: Double, _ ε: Double) -> Explanation.Factor {
    .init("√((net.out − target)² + ε²)", (error * error + ε * ε).squareRoot())
  }

  package func pullbackTerms(
    at place: [Int], to index: Int, _ gradient: NamedGrid, _ grids: OperationGrids
  ) -> TermList {
    switch self {
    case .dissimilarity(let range):
      return dissimilarityPullbackTerms(StructuralSimilarity(range: range), at: place, grids)
    case .sinogram(let views):
      return projectionPullbackTerms(ProjectedErrors(views: views), at: place, grids)
    case .bias(let width):
      return biasPullbackTerms(ConditionalBias(width: width), at: place, grids, counted(grids))
    case .mix(let losses):
      return weightedTerms(losses) { $0.pullbackTerms(at: place, to: index, gradient, grids) }
    default: break
    }
    let (output, target) = (grids.operands[0].tensor, grids.operands[1].tensor)
    let offset = output.shape.offset(of: place)
    let error = Double(output.scalars[offset]) - Double(target.scalars[offset])
    let difference = Explanation.Factor("net.out − target", error)
    let factors: [Explanation.Factor] =
      switch self {
      case .halfSquares(let declared):
        [difference, .init(declared ? "1" : "½", declared ? 1 : 0.5)]
      case .meanAbsoluteError:
        [
          .init("sign(net.out − target)", error > 0 ? 1 : error < 0 ? -1 : 0),
          .init("1/M", 1 / counted(grids)),
        ]
      case .charbonnier(let ε):
        [
          difference, .inverse(of: Self.smoothFactor(error, ε)), .init("1/M", 1 / counted(grids)),
        ]
      default: [difference, .init("2/M", 2 / counted(grids))]
      }
    return TermList([maskFactor(grids, offset) + factors])
  }

  /// The mask's number at a pixel as a factor; empty if all pixels count.
  func maskFactor(_ grids: OperationGrids, _ offset: Int) -> [Explanation.Factor] {
    grids.operands.dropFirst(2).map { .init("mask", Double($0.tensor.scalars[offset])) }
  }

  private func counted(_ grids: OperationGrids) -> Double {
    guard let mask = grids.operands.dropFirst(2).first?.tensor else {
      return Double(grids.operands[1].shape.count)
    }
    return max(1, mask.scalars.reduce(0) { $0 + Double($1) })
  }
}

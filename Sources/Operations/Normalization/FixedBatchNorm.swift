package import Tensors

/// Batch normalization when a network is used: mean and variance are the running ones, and constant.
///
///     n = weight · (x − μ) / √(σ² + ε) + bias
///     x̄ = weight · n̄ / √(σ² + ε),    weight̄ = Σ n̄ · (x − μ) / √(σ² + ε),    bias̄ = Σ n̄
///
/// The operands are x, weight, bias, μ and σ², all but x `[C]`. μ and σ² have no pullback.
package struct FixedBatchNorm: ChannelNorm {
  /// ε.
  package let epsilon: Double

  package init(epsilon: Double = 1e-5) { self.epsilon = epsilon }

  package var word: String { "batch norm" }
  package var tangentRule: TangentRule { .parts }

  package func resultShape(_ operands: [Shape]) throws(OperationError) -> Shape {
    try BatchNorm.checkNumbers(operands)
    return operands[0]
  }

  package func forward<Element: Scalar>(_ operands: [Value<Element>]) -> Value<Element> {
    .map(
      normalization(operands, weight: operands[1].tensor).forward(
        operands[0].map, bias: operands[2].tensor))
  }

  package func pullback<Element: Scalar>(
    _ gradient: Value<Element>, to index: Int, _ values: OperationValues<Element>
  ) -> Value<Element> {
    precondition(hasPullback(to: index), "Running statistics are constant.")
    let (g, operands) = (gradient.map, values.operands)
    switch index {
    case 0:
      return .map(
        Normalization.constantInputGradient(
          g, weight: operands[1].tensor, variances: operands[4].tensor, epsilon: epsilon))
    case 1:
      // The gradient of the weight reads no weight.
      let ones = Tensor<Element>(shape: [g.shape.channels], repeating: 1)
      let found = normalization(operands, weight: ones).backward(
        g, operands[0].map, wantsInput: false)
      return .tensor(found.weight)
    default: return .tensor(Normalization.biasGradient(g))
    }
  }

  package func hasPullback(to index: Int) -> Bool { index < 3 }

  package func parts(operands: Int, pixels: Double) -> [OperationPart]? {
    [
      OperationPart(Center(.batch), [.operand(0), .operand(3)]),
      OperationPart(InverseRoot(epsilon: epsilon), [.operand(4)]),
      OperationPart(ScaleChannels(), [.part(0), .part(1)]),
      OperationPart(ScaleChannels(), [.part(2), .operand(1), .operand(2)]),
    ]
  }

  package func normalization<Element: Scalar>(
    _ operands: [Value<Element>], weight: Tensor<Element>
  ) -> Normalization<Element> {
    Normalization(
      ChannelMoments(means: operands[3].tensor, variances: operands[4].tensor), weight: weight,
      epsilon: epsilon)
  }

  // MARK: - In letters

  package func formula(_ names: OperationNames) -> String {
    let (x, weight, bias) = (names.operands[0], names.operands[1], names.operands[2])
    let (mean, variance) = (names.operands[3], names.operands[4])
    return "\(weight) · (\(x) − \(mean)) / √(\(variance) + ε) + \(bias)"
  }

  package func pullbackFormula(
    _ gradient: String, to index: Int, _ names: OperationNames
  ) -> PullbackFormula {
    let (x, weight) = (names.operands[0], names.operands[1])
    let (mean, variance) = (names.operands[3], names.operands[4])
    let root = "√(\(variance) + ε)"
    return switch index {
    case 0: PullbackFormula("\(weight) · \(gradient) / \(root)", reads: [weight, variance])
    case 1:
      PullbackFormula("Σ \(gradient) · (\(x) − \(mean)) / \(root)", reads: [x, mean, variance])
    default: PullbackFormula("Σ \(gradient)")
    }
  }

  // MARK: - One element

  package func terms(at place: [Int], _ grids: OperationGrids) -> TermList {
    normTerms(grids).terms(at: place, grids)
  }

  package func pullbackTerms(
    at place: [Int], to index: Int, _ gradient: NamedGrid, _ grids: OperationGrids
  ) -> TermList {
    switch index {
    case 0:
      normTerms(grids).constantInputGradient(at: place, gradient, weight: grids.operands[1])
    case 1: normTerms(grids).weightGradient(at: place, gradient)
    default: .biasGradient(place, gradient)
    }
  }

  private func normTerms(_ grids: OperationGrids) -> NormTerms {
    let moments = ChannelMoments(
      means: grids.operands[3].tensor, variances: grids.operands[4].tensor)
    return NormTerms(grids.operands[0], moments, epsilon: epsilon)
  }
}

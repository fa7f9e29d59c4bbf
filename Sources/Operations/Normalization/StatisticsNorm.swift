package import Tensors

/// An operation that gives each channel of x, its first operand, another mean and another variance.
///
/// Weight and bias are the second and the third operand.
package protocol ChannelNorm: Operation {
  /// Returns the arithmetic with the statistics that the operands have, and with a weight of `[C]`.
  func normalization<Element: Scalar>(
    _ operands: [Value<Element>], weight: Tensor<Element>
  ) -> Normalization<Element>
}

/// An operation that normalizes x by mean and variance of its own numbers.
///
///     n = weight · (x − μ) / √(σ² + ε) + bias
///
/// μ and σ² (divided by m, not m − 1) are those of all numbers that share them; weight and bias belong to
/// a channel. With u = (x − μ) / √(σ² + ε), g = weight · n̄ and means over what shares μ:
///
///     x̄       = (g − mean g − u · mean(g · u)) / √(σ² + ε)
///     weight̄  = Σ n̄ · u        bias̄ = Σ n̄
///
/// The operands are x, weight and bias, `[C]` each.
package protocol StatisticsNorm: ChannelNorm {
  /// The numbers that share a mean and a variance: those of a channel, or of a group of channels of one image.
  var sharing: ChannelSharing { get }
  /// ε.
  var epsilon: Double { get }
}

extension StatisticsNorm {
  package var tangentRule: TangentRule { .parts }

  package func forward<Element: Scalar>(_ operands: [Value<Element>]) -> Value<Element> {
    .map(
      normalization(operands, weight: operands[1].tensor).forward(
        operands[0].map, bias: operands[2].tensor))
  }

  package func pullback<Element: Scalar>(
    _ gradient: Value<Element>, to index: Int, _ values: OperationValues<Element>
  ) -> Value<Element> { pullbacks(gradient, to: [index], values)[0] }

  package func pullbacks<Element: Scalar>(
    _ gradient: Value<Element>, to indices: [Int], _ values: OperationValues<Element>
  ) -> [Value<Element>] {
    let g = gradient.map
    if indices == [2] { return [.tensor(Normalization.biasGradient(g))] }
    let x = values.operands[0].map
    let wantsInput = indices.contains(0)
    // The gradient of the weight alone reads no weight.
    let weight =
      wantsInput
      ? values.operands[1].tensor : Tensor<Element>(shape: [x.shape.channels], repeating: 1)
    let found = normalization(values.operands, weight: weight).backward(
      g, x, wantsInput: wantsInput)
    return indices.map { index in
      switch index {
      case 0: found.input.map { .map($0) } ?? gradient
      case 1: .tensor(found.weight)
      default: .tensor(found.bias)
      }
    }
  }

  /// The elementary operations: mean, centered, variance, inverse root, normalized, scaled and shifted.
  package func parts(operands: Int, pixels: Double) -> [OperationPart]? {
    [
      OperationPart(ChannelMean(sharing), [.operand(0)]),
      OperationPart(Center(sharing), [.operand(0), .part(0)]),
      OperationPart(ChannelMean(sharing, ofSquares: true), [.part(1)]),
      OperationPart(InverseRoot(epsilon: epsilon), [.part(2)]),
      OperationPart(ScaleChannels(sharing), [.part(1), .part(3)]),
      OperationPart(ScaleChannels(), [.part(4), .operand(1), .operand(2)]),
    ]
  }

  package func normalization<Element: Scalar>(
    _ operands: [Value<Element>], weight: Tensor<Element>
  ) -> Normalization<Element> {
    Normalization(ChannelMoments(of: operands[0].map, sharing), weight: weight, epsilon: epsilon)
  }

  // MARK: - In letters

  package func formula(_ names: OperationNames) -> String {
    let (x, weight, bias) = (names.operands[0], names.operands[1], names.operands[2])
    return "\(weight) · (\(x) − μ) / √(σ² + ε) + \(bias)"
  }

  package func pullbackFormula(
    _ gradient: String, to index: Int, _ names: OperationNames
  ) -> PullbackFormula {
    let (x, weight) = (names.operands[0], names.operands[1])
    let u = "u = (\(x) − μ) / √(σ² + ε)"
    return switch index {
    case 0:
      PullbackFormula(
        "(g − mean g − u · mean(g · u)) / √(σ² + ε), g = \(weight) · \(gradient), \(u)",
        reads: [x, weight])
    case 1: PullbackFormula("Σ \(gradient) · u, \(u)", reads: [x])
    default: PullbackFormula("Σ \(gradient)")
    }
  }

  // MARK: - One element

  package func terms(at place: [Int], _ grids: OperationGrids) -> TermList {
    NormTerms(self, grids.operands[0]).terms(at: place, grids)
  }

  package func pullbackTerms(
    at place: [Int], to index: Int, _ gradient: NamedGrid, _ grids: OperationGrids
  ) -> TermList {
    let terms = NormTerms(self, grids.operands[0])
    return switch index {
    case 0: terms.inputGradient(at: place, gradient, weight: grids.operands[1])
    case 1: terms.weightGradient(at: place, gradient)
    default: .biasGradient(place, gradient)
    }
  }
}

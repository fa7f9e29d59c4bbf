import Tensors

/// The arithmetic behind one number of a normalization, and of its gradients.
struct NormTerms {
  private let x: NamedGrid
  private let sharing: ChannelSharing
  private let epsilon: Double
  private let moments: ChannelMoments

  /// The terms of a normalization by the statistics of `x`.
  init(_ norm: some StatisticsNorm, _ x: NamedGrid) {
    self.init(
      x, ChannelMoments(of: FeatureMap(x.tensor), norm.sharing), epsilon: norm.epsilon)
  }

  /// The terms of a normalization of `x` by `moments`.
  init(_ x: NamedGrid, _ moments: ChannelMoments, epsilon: Double) {
    (self.x, self.epsilon, self.moments) = (x, epsilon, moments)
    sharing = moments.sharing
  }

  /// n = weight · (x − μ) · 1/√(σ² + ε) + bias.
  func terms(at place: [Int], _ grids: OperationGrids) -> TermList {
    let (weight, bias) = (grids.operands[1], grids.operands[2])
    let at = mean(of: place)
    return TermList(
      "", note: "μ = \(Float(moments.means[at])), σ² = \(Float(moments.variances[at]))",
      [
        [weight.factor([place[1]]), centered(place), root(place)],
        [bias.factor([place[1]])],
      ])
  }

  /// x̄ = g/√(σ² + ε) − mean g/√(σ² + ε) − u · mean(g · u)/√(σ² + ε) with g = weight · n̄.
  func inputGradient(at place: [Int], _ gradient: NamedGrid, weight: NamedGrid) -> TermList {
    let numbers = SharedNumbers(sharing, x.shape, at: mean(of: place))
    let m = Double(numbers.count)
    func g(_ place: [Int]) -> Double { gradient.value(place) * weight.value([place[1]]) }
    func u(_ place: [Int]) -> Double { centered(place).value * root(place).value }
    let own = root(place)
    return TermList([
      [weight.factor([place[1]]), gradient.factor(place), own],
      [.minusOne, .init("mean g", numbers.sum(g) / m), own],
      [
        .minusOne, .init("u", u(place)),
        .init("mean(g · u)", numbers.sum { g($0) * u($0) } / m), own,
      ],
    ])
  }

  /// x̄ = weight · n̄ · 1/√(σ² + ε), where μ and σ² are constant.
  func constantInputGradient(
    at place: [Int], _ gradient: NamedGrid, weight: NamedGrid
  ) -> TermList {
    TermList([[weight.factor([place[1]]), gradient.factor(place), root(place)]])
  }

  /// weight̄ = Σ n̄ · (x − μ) · 1/√(σ² + ε).
  func weightGradient(at place: [Int], _ gradient: NamedGrid) -> TermList {
    SharedNumbers(.batch, x.shape, at: place[0]).terms(
      { gradient.value($0) * centered($0).value * root($0).value },
      { [gradient.factor($0), centered($0), root($0)] })
  }

  /// The place of the mean of the number at `place`.
  private func mean(of place: [Int]) -> Int { sharing.place(place[0], place[1], of: x.shape) }

  private func centered(_ place: [Int]) -> Explanation.Factor {
    let value = x.factor(place)
    return .init("(\(value.name) − μ)", value.value - moments.means[mean(of: place)])
  }

  private func root(_ place: [Int]) -> Explanation.Factor {
    .init("1/√(σ² + ε)", 1 / (moments.variances[mean(of: place)] + epsilon).squareRoot())
  }
}

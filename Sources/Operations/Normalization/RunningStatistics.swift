package import Tensors

/// v = (1 − p) · running + p · μ: the running mean of a batch normalization after one more batch.
///
/// μ is the mean of each channel of the batch, p the momentum, as in PyTorch. The operands are the running
/// mean, `[C]`, and x. Neither has a pullback: the running mean is no part of the loss.
package struct RunningMean: RunningStatistic {
  package let momentum: Double

  package init(momentum: Double = 0.1) { self.momentum = momentum }

  package var word: String { "running mean" }
  package var letter: String { "μ" }

  package func statistics(_ moments: ChannelMoments) -> [Double] { moments.means }
}

/// v = (1 − p) · running + p · σ² · m/(m − 1): the running variance of a batch normalization after one more
/// batch.
///
/// σ² is the variance of each channel of the batch divided by m, p the momentum; as in PyTorch, running
/// variances are those divided by m − 1. The operands are the running variance, `[C]`, and x, without
/// pullbacks.
package struct RunningVariance: RunningStatistic {
  package let momentum: Double

  package init(momentum: Double = 0.1) { self.momentum = momentum }

  package var word: String { "running variance" }
  package var letter: String { "σ²·m/(m − 1)" }

  package func statistics(_ moments: ChannelMoments) -> [Double] { moments.unbiasedVariances }
}

/// An average of a statistic of batches in which each batch counts less than the one after it.
package protocol RunningStatistic: Operation {
  /// p, the weight of the last batch.
  var momentum: Double { get }
  /// The statistic in formulas.
  var letter: String { get }

  /// Returns the statistic of each channel.
  func statistics(_ moments: ChannelMoments) -> [Double]
}

extension RunningStatistic {
  package var tangentRule: TangentRule { .elementwise }
  package func resultShape(_ operands: [Shape]) throws(OperationError) -> Shape {
    try BatchNorm.checkNumbers([operands[1], operands[0]])
    return operands[0]
  }

  package func forward<Element: Scalar>(_ operands: [Value<Element>]) -> Value<Element> {
    let found = statistics(ChannelMoments(of: operands[1].map, .batch))
    return .tensor(operands[0].tensor.moved(towards: found, by: momentum))
  }

  package func hasPullback(to index: Int) -> Bool { false }

  package func pullback<Element: Scalar>(
    _ gradient: Value<Element>, to index: Int, _ values: OperationValues<Element>
  ) -> Value<Element> { preconditionFailure("Running statistics are no part of the loss.") }

  package func formula(_ names: OperationNames) -> String {
    let of = "\(letter) of \(names.operands[1])"
    return "\(Float(1 - momentum)) · \(names.operands[0]) + \(Float(momentum)) · \(of)"
  }

  package func pullbackFormula(
    _ gradient: String, to index: Int, _ names: OperationNames
  ) -> PullbackFormula { PullbackFormula("0") }

  package func terms(at place: [Int], _ grids: OperationGrids) -> TermList {
    let found = statistics(ChannelMoments(of: FeatureMap(grids.operands[1].tensor), .batch))
    return TermList([
      [.init("\(Float(1 - momentum))", 1 - momentum), grids.operands[0].factor(place)],
      [.init("\(Float(momentum))", momentum), .init(letter, found[place[0]])],
    ])
  }

  package func pullbackTerms(
    at place: [Int], to index: Int, _ gradient: NamedGrid, _ grids: OperationGrids
  ) -> TermList { TermList([]) }
}

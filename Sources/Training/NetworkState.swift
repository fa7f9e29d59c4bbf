package import Networks
package import Tensors

extension Network<Float> {
  /// Returns the network with another state.
  package func with(state: [Tensor<Float>]) -> Network {
    var network = self
    network.state = state
    return network
  }
}

/// The states of a network that a training gives: after its last update, at its best, averaged.
package enum TrainedWeights: String, CaseIterable, Codable, Sendable {
  /// Those after the last update, with which training goes on.
  case last
  /// Those with the lowest validation loss.
  case best
  /// The exponential average over updates.
  case average
}

/// The state of a network after the epoch with the lowest validation loss so far.
package struct BestState: Sendable {
  /// The validation loss.
  package let loss: Double
  /// The numbers of the update and of the epoch behind which it was taken.
  package let step: Int, epoch: Int
  /// As ``Network/state``.
  package let state: [Tensor<Float>]

  package init(loss: Double, step: Int, epoch: Int, state: [Tensor<Float>]) {
    (self.loss, self.step, self.epoch, self.state) = (loss, step, epoch, state)
  }
}

/// The states that a training keeps beside that after its last update.
package struct KeptStates: Sendable {
  /// The best one; nil before any epoch was judged, or if none is judged.
  package private(set) var best: BestState?
  /// The exponential average; nil if none is kept.
  package private(set) var average: [Tensor<Float>]?
  /// The last validation loss; nil before any.
  package private(set) var lastLoss: Double?
  /// The number of judged epochs since the best one.
  package private(set) var epochsSinceBest = 0

  package init() {}

  /// States from a file.
  package init(
    best: BestState?, average: [Tensor<Float>]?, lastLoss: Double?, epochsSinceBest: Int
  ) {
    (self.best, self.average) = (best, average)
    (self.lastLoss, self.epochsSinceBest) = (lastLoss, epochsSinceBest)
  }

  /// Takes the state after an epoch if its loss is the lowest so far; a NaN is never better.
  mutating func judge(_ network: Network<Float>, loss: Double, step: Int, epoch: Int) {
    lastLoss = loss
    if loss.isFinite, best.map({ loss < $0.loss }) ?? true {
      best = BestState(loss: loss, step: step, epoch: epoch, state: network.state)
      epochsSinceBest = 0
    } else {
      epochsSinceBest += 1
    }
  }

  /// Counts epochs without a better one anew.
  mutating func beginPatience() { epochsSinceBest = 0 }

  /// Adds the state after an update to the average; the first one is the average itself.
  ///
  ///     average ← average + (1 − decay)·(weights − average)
  ///
  /// Running statistics, which are no parameters, are taken as they are. Source: Polyak and Juditsky, "Acceleration of stochastic
  /// approximation by averaging" (1992), in the form of `torch.optim.swa_utils.AveragedModel` with
  /// `get_ema_multi_avg_fn`.
  mutating func average(_ network: Network<Float>, decay: Double) {
    guard let former = average else {
      average = network.state
      return
    }
    let (take, parameters) = (Float(1 - decay), network.parameters.count)
    average = zip(former, network.state).enumerated().map { index, pair in
      guard index < parameters else { return pair.1 }
      return Tensor(
        shape: pair.0.shape,
        scalars: zip(pair.0.scalars, pair.1.scalars).map { $0 + take * ($1 - $0) })
    }
  }
}

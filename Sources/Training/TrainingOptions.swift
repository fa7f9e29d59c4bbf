package import Networks

/// What a `train` line says.
package struct TrainingOptions: Hashable, Sendable, Codable {
  package var epochs = 10
  /// Exactly this many updates, whatever the epochs.
  package var steps: Int?
  /// What the optimizer's schedule spans; none for the updates of this run.
  package var horizon: Horizon?
  package var batch = 4
  /// The side of the random patches; none for whole slices.
  package var patch: Int?
  package var shuffles = true
  /// Whether a NaN or an infinity stops the training before it harms the weights.
  package var stopsOnNonFinite = true
  package var seed: UInt64 = 1
  /// In seconds.
  package var timeLimit: Double?

  package init() {}

  /// How many batches an epoch of so many slices has.
  package func batches(of slices: Int) -> Int { (slices + batch - 1) / batch }
}

/// How long a schedule of the learning rate is.
package enum Horizon: Hashable, Sendable, Codable {
  case updates(Int)
  case epochs(Int)
}

/// Why a training ended.
package enum StopReason: String, Sendable {
  /// All that was asked for is done.
  case finished
  /// Somebody pressed Ctrl-C.
  case interrupt
  /// The time was over.
  case time
  /// A breakpoint was hit; the step is not made yet.
  case breakpoint
  /// A NaN or an infinity arose; the step is not made.
  case nonFinite = "non-finite"
}

/// A NaN or an infinity that stopped a training; the weights are those before the step.
package struct NonFiniteError: Error, Hashable, Sendable, Codable {
  /// The number of the update that was not made, from 1.
  package let step: Int
  /// The first tensor in the order of computation that is not finite, such as `b2.conv1.z`;
  /// `target` for a clean slice.
  package let tensor: String
  /// The slice of the stack that brought it, when the data did.
  package let slice: Int?

  package init(step: Int, tensor: String, slice: Int? = nil) {
    (self.step, self.tensor, self.slice) = (step, tensor, slice)
  }
}

/// How a training stands after a step.
package struct TrainingProgress: Sendable {
  /// The network after the step.
  package let network: Network<Float>
  /// Updates made in this run, and how many were asked for.
  package let step: Int, steps: Int
  package let epoch: Int, epochs: Int
  /// The loss of the batch, and how much it weighs in a mean over batches.
  package let loss: Double, weight: Double
  /// The learning rate of the step.
  package let learningRate: Double
  /// Slices (or patches) trained so far in this run.
  package let slices: Int
  /// Since this run began.
  package let seconds: Double
}

/// What a training did.
package struct TrainingReport: Sendable {
  /// Updates made, and asked for.
  package let steps: Int, asked: Int
  /// Epochs completed or begun.
  package let epochs: Int
  /// The mean loss of the last epoch, over its batches of this run; NaN without any.
  ///
  /// Where the loss is a mean over pixels, so is this, however short the last batch; where it is a
  /// sum, the mean over batches, in which each pixel counts the same, too.
  package let loss: Double
  /// The learning rate of the last update; none if there was no update.
  package let learningRate: Double?
  /// How many updates had their gradients clipped.
  package let clipped: Int
  package let slices: Int
  package let seconds: Double
  package let reason: StopReason
  /// The NaN or the infinity that ended it.
  package let failure: NonFiniteError?
}

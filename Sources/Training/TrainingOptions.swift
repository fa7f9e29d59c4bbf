package import Networks

/// The options of a `train` line.
package struct TrainingOptions: Hashable, Sendable, Codable {
  package var epochs = 10
  /// The exact number of updates, in place of epochs; nil for whole epochs.
  package var steps: Int?
  /// The updates or epochs that the optimizer's schedule spans; nil for the updates of this run.
  package var horizon: Horizon?
  package var batch = 4
  /// The side of the random patches; nil for whole slices.
  package var patch: Int?
  package var shuffles = true
  /// Whether a NaN or an infinity stops the training before it harms the weights.
  package var stopsOnNonFinite = true
  package var seed: UInt64 = 1
  /// The time limit in seconds; nil for none.
  package var timeLimit: Double?
  /// Whether the training ends with the weights of the lowest validation loss.
  package var keepsBest = false
  /// The number of epochs without a lower validation loss that ends the training; nil for none.
  package var patience: Int?
  package var augmentation = Augmentation()
  /// The number of batches whose gradients make one update.
  package var accumulation = 1
  /// The decay of an average of the weights, below 1; nil if none is kept.
  package var averageDecay: Double?
  package var target = TrainingTarget.clean

  package init() {}

  /// The number of slices of one update.
  package var slicesOfUpdate: Int { batch * accumulation }

  /// The number of updates in an epoch of so many slices.
  package func batches(of slices: Int) -> Int { (slices + slicesOfUpdate - 1) / slicesOfUpdate }

  /// Whether the loss of the validation slices is taken after each epoch.
  package var judgesEpochs: Bool { keepsBest || patience != nil }
}

extension TrainingOptions {
  /// Decodes options; those of earlier versions have no newer ones.
  package init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init()
    epochs = try values.decode(Int.self, forKey: .epochs)
    steps = try values.decodeIfPresent(Int.self, forKey: .steps)
    horizon = try values.decodeIfPresent(Horizon.self, forKey: .horizon)
    batch = try values.decode(Int.self, forKey: .batch)
    patch = try values.decodeIfPresent(Int.self, forKey: .patch)
    shuffles = try values.decode(Bool.self, forKey: .shuffles)
    stopsOnNonFinite = try values.decode(Bool.self, forKey: .stopsOnNonFinite)
    seed = try values.decode(UInt64.self, forKey: .seed)
    timeLimit = try values.decodeIfPresent(Double.self, forKey: .timeLimit)
    keepsBest = try values.decodeIfPresent(Bool.self, forKey: .keepsBest) ?? false
    patience = try values.decodeIfPresent(Int.self, forKey: .patience)
    augmentation =
      try values.decodeIfPresent(Augmentation.self, forKey: .augmentation) ?? Augmentation()
    accumulation = try values.decodeIfPresent(Int.self, forKey: .accumulation) ?? 1
    averageDecay = try values.decodeIfPresent(Double.self, forKey: .averageDecay)
    target = try values.decodeIfPresent(TrainingTarget.self, forKey: .target) ?? .clean
  }
}

/// The length of a schedule of the learning rate.
package enum Horizon: Hashable, Sendable, Codable {
  case updates(Int)
  case epochs(Int)
}

/// The reason why a training ended.
package enum StopReason: String, Sendable {
  /// All updates that were asked for are made.
  case finished
  /// A person pressed Ctrl-C.
  case interrupt
  /// The time limit was reached.
  case time
  /// Too many epochs passed without a lower validation loss.
  case patience
  /// A breakpoint was hit before the step, which is not made.
  case breakpoint
  /// A NaN or an infinity arose in the step, which is not made.
  case nonFinite = "non-finite"
}

/// A NaN or an infinity that stopped a training; the weights are those before the step.
package struct NonFiniteError: Error, Hashable, Sendable, Codable {
  /// The number of the update that was not made, from 1.
  package let step: Int
  /// The first tensor in the order of computation that is not finite, such as `b2.conv1.z`;
  /// `target` for a clean slice.
  package let tensor: String
  /// The index of the slice that held it, when the data did; else nil.
  package let slice: Int?

  package init(step: Int, tensor: String, slice: Int? = nil) {
    (self.step, self.tensor, self.slice) = (step, tensor, slice)
  }
}

/// The state of a training after a step.
package struct TrainingProgress: Sendable {
  /// The network after the step.
  package let network: Network<Float>
  /// The number of updates made in this run, and of those asked for.
  package let step: Int, steps: Int
  package let epoch: Int, epochs: Int
  /// The loss of the batch, and its weight in a mean over batches.
  package let loss: Double, weight: Double
  /// The learning rate of the step.
  package let learningRate: Double
  /// The validation loss after the step, which ended an epoch; nil if none was taken.
  package let validationLoss: Double?
  /// The number of slices (or patches) trained so far in this run.
  package let slices: Int
  /// The time since this run began, in seconds.
  package let seconds: Double
}

/// The result of a training run.
package struct TrainingReport: Sendable {
  /// The number of updates made, and of those asked for.
  package let steps: Int, asked: Int
  /// The number of epochs completed or begun.
  package let epochs: Int
  /// The mean loss of the last epoch, over its batches of this run; NaN without any.
  ///
  /// If the loss is a mean over pixels, so is this, however short the last batch; if it is a sum,
  /// this is the mean over batches, in which each pixel counts the same, too.
  package let loss: Double
  /// The learning rate of the last update; nil if there was no update.
  package let learningRate: Double?
  /// The number of updates whose gradients were clipped.
  package let clipped: Int
  package let slices: Int
  package let seconds: Double
  package let reason: StopReason
  /// The best state of the training so far, of this run or before; nil if no epoch was judged.
  package let best: BestState?
  /// The NaN or the infinity that ended the training; nil for none.
  package let failure: NonFiniteError?
}

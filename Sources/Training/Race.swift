package import GradientFlows
package import Networks
import Tensors

/// A contestant of a race: a network's lines, an optimizer, a flow and what it is trained towards.
package struct Contestant: Sendable {
  package let name: String
  /// The network whose layers are built anew, with weights from each seed.
  package let network: Network<Float>
  package let initializer: Initializer
  package let optimizer: OptimizerSetting
  /// The flow; its random numbers, if any, come from the seed of each run.
  package let flow: any GradientFlow
  package let target: TargetImages

  package init(
    name: String, network: Network<Float>, initializer: Initializer, optimizer: OptimizerSetting,
    flow: any GradientFlow, target: TargetImages = .clean
  ) {
    (self.name, self.network, self.initializer) = (name, network, initializer)
    (self.optimizer, self.flow, self.target) = (optimizer, flow, target)
  }
}

/// The result of one contestant with one seed.
package struct RaceRun: Sendable {
  /// The mean PSNR of the watched slices at each of ``Race/judgedSteps``, in dB.
  package var curve: [Double] = []
  /// The mean figures of all judged slices at the end; nil if a NaN or an infinity stopped the run.
  package var figures: FiguresOfMerit?
  /// The reason why it did not finish; nil if it did.
  package var failure: NonFiniteError?
  package var steps = 0
}

/// Trains contestants from the same weights, on the same batches with the same noise.
///
/// With seed s, weights come from the streams `init/…` of s and batches from those of order and
/// patches; layers that two contestants have in common begin with the same numbers.
package struct Race: Sendable {
  package let data: TrainingData
  package let trainingSlices: [Int]
  /// The slices judged at the end; the first of them are watched during the run.
  package let judgedSlices: [Int]
  package let loss: Loss
  /// Noise added to the gradients, if any; its numbers come from the seed of each run.
  package let gradientNoise: GradientNoise?
  package let options: TrainingOptions

  package init(
    data: TrainingData, trainingSlices: [Int], judgedSlices: [Int], loss: Loss,
    gradientNoise: GradientNoise?, options: TrainingOptions
  ) {
    (self.data, self.trainingSlices, self.judgedSlices) = (data, trainingSlices, judgedSlices)
    (self.loss, self.gradientNoise, self.options) = (loss, gradientNoise, options)
  }

  /// The number of updates in one run.
  package var steps: Int {
    options.steps ?? options.batches(of: trainingSlices.count) * options.epochs
  }

  /// The numbers of updates after which the watched slices are judged: some twenty, and the last.
  package var judgedSteps: [Int] {
    let interval = max(1, steps / 20)
    return Array(stride(from: interval, to: steps, by: interval)) + [steps]
  }

  /// Trains one contestant with one seed.
  ///
  /// - Parameters:
  ///   - contestant: The contestant.
  ///   - seed: The seed of weights, order and patches.
  ///   - shouldStop: Called often, from several threads; once it returns true, the run ends at
  ///     once.
  /// - Returns: The result, or nil when `shouldStop` ended the run.
  /// - Throws: `NetworkError` when the layers do not fit together.
  package func run(
    _ contestant: Contestant, seed: UInt64, shouldStop: @escaping @Sendable () -> Bool
  ) throws(NetworkError) -> RaceRun? {
    try abandonable(when: shouldStop) { () throws(NetworkError) in
      try run(contestant, seed: seed, stoppingWhen: shouldStop)
    }
  }

  private func run(
    _ contestant: Contestant, seed: UInt64, stoppingWhen shouldStop: () -> Bool
  ) throws(NetworkError) -> RaceRun {
    let network = try contestant.network.rebuilt(contestant.initializer, seed: seed)
    var trainer = Trainer(network, optimizer: contestant.optimizer)
    var options = options
    options.seed = seed
    var gradientNoise = gradientNoise
    gradientNoise?.seed = seed
    let watched = Judge(data, slices: Array(judgedSlices.prefix(4)))
    let places = Set(judgedSteps)
    let flow = contestant.flow.seeded(seed)
    var run = RaceRun()
    let report = trainer.train(
      on: data.with(contestant.target), slices: trainingSlices, loss: loss, flow: flow,
      noise: gradientNoise,
      options: options, clock: { 0 }
    ) { progress in
      if places.contains(progress.step) {
        run.curve.append(watched.figures(of: progress.network).psnr)
      }
      return shouldStop() ? .interrupt : nil
    }
    (run.steps, run.failure) = (report.steps, report.failure)
    guard report.failure == nil else { return run }
    run.figures = Judge(data, slices: judgedSlices).figures(of: trainer.network)
    return run
  }
}

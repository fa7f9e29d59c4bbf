package import GradientFlows
package import Networks
import Tensors

/// A network in training: its weights, what the optimizer remembers, and where in the data it is.
package struct Trainer: Sendable {
  package private(set) var network: Network<Float>
  package let optimizer: any Optimizer
  /// What the optimizer remembers of each parameter, in the order of the network's parameters.
  package private(set) var states: [OptimizerState]
  /// Updates made since training began.
  package private(set) var step = 0
  /// Epochs begun since training began.
  package private(set) var epoch = 0
  /// The pass behind the last update: its weights before the update, and its batch.
  package private(set) var lastPass: TrainingPass<Float>?
  /// Where a NaN or an infinity first arose, in a training that was told to go on.
  package private(set) var firstNonFinite: NonFiniteError?
  /// The batches of the epoch that are still to come, when it was left in the middle.
  private var pending: [BatchPlan] = []

  package init(_ network: Network<Float>, optimizer: any Optimizer) {
    self.network = network
    self.optimizer = optimizer
    states = Array(repeating: OptimizerState(), count: network.parameters.count)
  }

  /// Whether an epoch was left in the middle.
  package var isWithinEpoch: Bool { !pending.isEmpty }

  /// Trains on the slices of `data`.
  ///
  /// Each step computes loss and gradients of one batch, makes sure that they and the updated
  /// weights are finite, and only then changes anything; so whoever stops a training, for whatever
  /// reason, keeps the state after the last whole step.
  ///
  /// - Parameters:
  ///   - data: The images.
  ///   - slices: The slices to train on.
  ///   - loss: What is made small.
  ///   - flow: How gradients travel.
  ///   - options: How long, in which order and in which pieces.
  ///   - resumes: Goes on in the middle of an epoch; otherwise a new one begins.
  ///   - clock: The seconds since this run began; only a time limit and the report look at it.
  ///   - shouldDrop: Asked when a step is computed; if so, the step is dropped and the training ends.
  ///   - afterStep: Called after each step; what it returns ends the training.
  /// - Returns: What was done.
  /// - Throws: `NonFiniteError` when a step gave a NaN or an infinity.
  package mutating func train(
    on data: TrainingData, slices: [Int], loss: Loss, flow: some GradientFlow,
    options: TrainingOptions, resumes: Bool = false, clock: () -> Double,
    shouldDrop: () -> Bool = { false },
    afterStep: (TrainingProgress) -> StopReason?
  ) throws(NonFiniteError) -> TrainingReport {
    if !resumes { pending = [] }
    let perEpoch = (slices.count + options.batch - 1) / options.batch
    let asked =
      options.steps ?? pending.count + perEpoch * (options.epochs - (isWithinEpoch ? 1 : 0))
    let firstEpoch = isWithinEpoch ? epoch - 1 : epoch
    let epochs = max(1, (asked + perEpoch - 1) / perEpoch)
    var (done, trained) = (0, 0)
    var (lossSum, lossCount) = (0.0, 0)
    var reason = StopReason.finished
    while done < asked {
      let begins = pending.isEmpty
      if begins {
        epoch += 1
        pending = data.batches(epoch: epoch, slices: slices, options: options)
      }
      let batch = data.batch(pending[0], step: step + 1, patch: options.patch)
      guard
        let value = try update(
          batch, pending[0], loss: loss, flow: flow, options: options, shouldDrop: shouldDrop)
      else {
        reason = .interrupt
        break
      }
      pending.removeFirst()
      done += 1
      if begins { (lossSum, lossCount) = (0, 0) }
      trained += batch.input.shape.batch
      lossSum += value
      lossCount += 1
      let progress = TrainingProgress(
        network: network, step: done, steps: asked, epoch: epoch - firstEpoch, epochs: epochs,
        loss: value,
        slices: trained, seconds: clock())
      if let stop = afterStep(progress) {
        reason = done < asked ? stop : .finished
        break
      }
      if let limit = options.timeLimit, clock() >= limit, done < asked {
        reason = .time
        break
      }
    }
    return TrainingReport(
      steps: done, epochs: epoch - firstEpoch, loss: lossSum / Double(max(1, lossCount)),
      slices: trained, seconds: clock(), reason: reason)
  }

  /// One update of all weights; returns the loss before it, or nothing when the step is dropped.
  private mutating func update(
    _ batch: Batch, _ plan: BatchPlan, loss: Loss, flow: some GradientFlow,
    options: TrainingOptions, shouldDrop: () -> Bool
  ) throws(NonFiniteError) -> Double? {
    let pass = TrainingPass(
      network: network, input: batch.input, target: batch.target, mask: batch.mask, loss: loss,
      epoch: max(0, epoch - 1))
    let result = pass.run(flow, retention: .training)
    let isWatching = options.stopsOnNonFinite || firstNonFinite == nil
    if isWatching, !result.isFinite() {
      try meet(origin(of: pass, batch, plan, flow), options)
    }
    let updates = zip(states, result.gradients.parameters).map { state, gradient in
      optimizer.update(gradient, state: state, step: step + 1)
    }
    let weights = zip(network.parameters, updates).map { weight, state in
      weight.adding(state.update)
    }
    if isWatching, let failure = firstNonFinite(in: updates, weights) {
      try meet(failure, options)
    }
    if shouldDrop() { return nil }
    lastPass = pass
    network.parameters = weights
    states = updates
    step += 1
    return result.loss
  }

  /// Stops at a NaN or an infinity, or notes the first and goes on.
  private mutating func meet(
    _ failure: NonFiniteError, _ options: TrainingOptions
  ) throws(NonFiniteError) {
    if options.stopsOnNonFinite { throw failure }
    firstNonFinite = firstNonFinite ?? failure
  }

  /// Where in the data or in the pass a NaN or an infinity first arose.
  private func origin(
    of pass: TrainingPass<Float>, _ batch: Batch, _ plan: BatchPlan, _ flow: some GradientFlow
  ) -> NonFiniteError {
    for (name, images) in [("net.in", batch.input), ("target", batch.target)] {
      if let index = plan.patches.indices.first(where: { !images.image($0).isFinite() }) {
        return NonFiniteError(step: step + 1, tensor: name, slice: plan.patches[index].slice)
      }
    }
    let origin = pass.run(flow, retention: .everything).firstNonFinite()
    return NonFiniteError(step: step + 1, tensor: origin ?? "net.out")
  }

  /// The first of the optimizer's tensors, or of the updated weights, that is not finite.
  private func firstNonFinite(
    in updates: [OptimizerState], _ weights: [Tensor<Float>]
  ) -> NonFiniteError? {
    for (index, name) in network.parameterNames.enumerated() {
      let tensors = [
        (".v", updates[index].v), (".m", updates[index].m), (".update", updates[index].update),
        ("", weights[index]),
      ]
      if let (suffix, _) = tensors.first(where: { $0.1.map { !$0.isFinite() } ?? false }) {
        return NonFiniteError(step: step + 1, tensor: name + suffix)
      }
    }
    return nil
  }
}

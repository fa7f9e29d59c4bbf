package import GradientFlows
package import Networks
import Tensors

/// A network in training: its weights, what the optimizer remembers, and where in the data it is.
package struct Trainer: Sendable {
  package private(set) var network: Network<Float>
  package let optimizer: OptimizerSetting
  /// What the optimizer remembers of each parameter, in the order of the network's parameters.
  package private(set) var states: [OptimizerState]
  /// Updates made since training began.
  package private(set) var step = 0
  /// Epochs begun since training began.
  package private(set) var epoch = 0
  /// The pass behind the last update: its weights before the update, and its batch.
  package private(set) var lastPass: TrainingPass<Float>?
  /// What the last update was made of.
  package private(set) var lastUpdate: LastUpdate?
  /// The pass of the step that a breakpoint holds back.
  package private(set) var heldPass: TrainingPass<Float>?
  /// Where the schedule of the learning rate stands.
  private(set) var span = ScheduleSpan(firstUpdate: 0, firstEpoch: 0, horizon: 1)
  /// Where a NaN or an infinity first arose, in a training that was told to go on.
  package private(set) var firstNonFinite: NonFiniteError?
  /// The batches of the epoch that are still to come, when it was left in the middle.
  private(set) var pending: [BatchPlan] = []

  package init(_ network: Network<Float>, optimizer: OptimizerSetting) {
    self.network = network
    self.optimizer = optimizer
    states = Array(repeating: OptimizerState(), count: network.parameters.count)
  }

  /// Takes a training up again that was kept in a file; it goes on with a new epoch.
  ///
  /// - Parameters:
  ///   - network: The network with its weights.
  ///   - optimizer: The setting that made them.
  ///   - states: What the optimizer remembers of each parameter.
  ///   - step: The updates made so far.
  ///   - epoch: The epochs begun so far.
  package init(
    _ network: Network<Float>, optimizer: OptimizerSetting, states: [OptimizerState], step: Int,
    epoch: Int
  ) {
    precondition(states.count == network.parameters.count, "One state for each parameter.")
    (self.network, self.optimizer, self.states) = (network, optimizer, states)
    (self.step, self.epoch) = (step, epoch)
  }

  /// Takes a training up again in the place where it was left.
  ///
  /// - Parameters:
  ///   - network: The network with its weights.
  ///   - optimizer: The setting that made them.
  ///   - states: What the optimizer remembers of each parameter.
  ///   - position: Where the training stood; it must fit the data.
  ///   - lastPass: The pass behind the last update.
  package init(
    _ network: Network<Float>, optimizer: OptimizerSetting, states: [OptimizerState],
    position: TrainingPosition, lastPass: TrainingPass<Float>?
  ) {
    self.init(
      network, optimizer: optimizer, states: states, step: position.step, epoch: position.epoch)
    (span, pending) = (position.span, position.pending)
    (firstNonFinite, self.lastPass) = (position.firstNonFinite, lastPass)
  }

  /// Drops what an epoch that was left in the middle had still to visit, and a step held back: the
  /// data are others now.
  package mutating func leaveEpoch() { (pending, heldPass) = ([], nil) }

  /// Whether an epoch was left in the middle.
  package var isWithinEpoch: Bool { !pending.isEmpty }

  /// The updates that the schedule of the learning rate still spans; negative beyond its end.
  package var scheduledUpdatesLeft: Int { span.firstUpdate + span.horizon - step }

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
  ///   - noise: What disturbs the gradients, if anything does.
  ///   - options: How long, in which order and in which pieces.
  ///   - resumes: Goes on in the middle of an epoch and of the schedule; otherwise both begin anew.
  ///   - clock: The seconds since this run began; only a time limit and the report look at it.
  ///   - shouldHold: Asked before each update, with its pass and the first NaN or infinity in it or
  ///     in the update; if so, the training ends before it, and going on computes the same step from the same weights and batch.
  ///   - shouldDrop: Asked when a step is computed; if so, the step is dropped and the training ends.
  ///   - afterStep: Called after each step; what it returns ends the training.
  /// - Returns: What was done.
  /// - Throws: `NonFiniteError` when the first step gives a NaN or an infinity; the report names that
  ///   of a later one.
  package mutating func train(
    on data: TrainingData, slices: [Int], loss: Loss, flow: some GradientFlow,
    noise: GradientNoise? = nil, options: TrainingOptions, resumes: Bool = false,
    clock: () -> Double,
    shouldHold: (TrainingPass<Float>, PassResult<Float>, NonFiniteError?) -> Bool = { _, _, _ in
      false
    },
    shouldDrop: () -> Bool = { false },
    afterStep: (TrainingProgress) -> StopReason?
  ) throws(NonFiniteError) -> TrainingReport {
    if !resumes { pending = [] }
    heldPass = nil
    let perEpoch = (slices.count + options.batch - 1) / options.batch
    let asked =
      options.steps ?? pending.count + perEpoch * (options.epochs - (isWithinEpoch ? 1 : 0))
    if !resumes {
      let horizon =
        switch options.horizon {
        case .updates(let updates): updates
        case .epochs(let epochs): perEpoch * epochs
        case nil: asked
        }
      span = ScheduleSpan(firstUpdate: step, firstEpoch: epoch, horizon: horizon)
    }
    let firstEpoch = isWithinEpoch ? epoch - 1 : epoch
    let epochs = max(1, (asked + perEpoch - 1) / perEpoch)
    var (done, trained, clipped) = (0, 0, 0)
    var rate: Double?
    var (lossSum, lossCount) = (0.0, 0)
    var reason = StopReason.finished
    var failure: NonFiniteError?
    while done < asked {
      let begins = pending.isEmpty
      if begins {
        epoch += 1
        pending = data.batches(epoch: epoch, slices: slices, options: options)
      }
      let batch = data.batch(pending[0], step: step + 1, patch: options.patch)
      let rule = optimizer.rule(
        update: step - span.firstUpdate, epoch: epoch - 1 - span.firstEpoch, horizon: span.horizon)
      let made: (loss: Double, isClipped: Bool)?
      do throws(NonFiniteError) {
        made = try update(
          batch, pending[0], loss: loss, flow: flow, noise: noise, rule: rule, options: options,
          shouldHold: shouldHold, shouldDrop: shouldDrop)
      } catch {
        guard done > 0 else { throw error }
        (made, failure) = (nil, error)
      }
      guard let made else {
        reason = failure != nil ? .nonFinite : heldPass == nil ? .interrupt : .breakpoint
        // An epoch without a step has not begun, as in a run of the steps that were made.
        if begins, heldPass == nil { (epoch, pending) = (epoch - 1, []) }
        break
      }
      pending.removeFirst()
      done += 1
      if begins { (lossSum, lossCount) = (0, 0) }
      trained += batch.input.shape.batch
      lossSum += made.loss
      lossCount += 1
      clipped += made.isClipped ? 1 : 0
      rate = rule.learningRate
      let progress = TrainingProgress(
        network: network, step: done, steps: asked, epoch: epoch - firstEpoch, epochs: epochs,
        loss: made.loss, learningRate: rule.learningRate, slices: trained, seconds: clock())
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
      steps: done, asked: asked, epochs: epoch - firstEpoch, loss: lossSum / Double(lossCount),
      learningRate: rate, clipped: clipped, slices: trained, seconds: clock(), reason: reason,
      failure: failure)
  }

  /// One update of all weights; returns the loss before it and whether the gradients were clipped,
  /// or nothing when the step is held or dropped.
  private mutating func update(
    _ batch: Batch, _ plan: BatchPlan, loss: Loss, flow: some GradientFlow, noise: GradientNoise?,
    rule: any Optimizer, options: TrainingOptions,
    shouldHold: (TrainingPass<Float>, PassResult<Float>, NonFiniteError?) -> Bool,
    shouldDrop: () -> Bool
  ) throws(NonFiniteError) -> (loss: Double, isClipped: Bool)? {
    let pass = TrainingPass(
      network: network, input: batch.input, target: batch.target, mask: batch.mask, loss: loss,
      epoch: max(0, epoch - 1))
    let result = pass.run(flow, retention: .training)
    let isWatching = options.stopsOnNonFinite || firstNonFinite == nil
    var failure = isWatching && !result.isFinite() ? origin(of: pass, batch, plan, flow) : nil
    var gradients = result.gradients.parameters
    let isClipped = optimizer.clipping?.clip(&gradients) ?? false
    // Noise comes after clipping, which would weaken it.
    noise?.apply(to: &gradients, names: network.parameterNames, step: step + 1)
    let updates = zip(states, gradients).map { state, gradient in
      rule.update(gradient, state: state, step: step + 1)
    }
    let weights = zip(network.parameters, updates).map { weight, state in
      weight.adding(state.update)
    }
    if isWatching, failure == nil { failure = firstNonFinite(in: updates, weights) }
    if shouldHold(pass, result, failure) {
      heldPass = pass
      return nil
    }
    if let failure { try meet(failure, options) }
    if shouldDrop() { return nil }
    lastPass = pass
    lastUpdate = LastUpdate(
      rule: rule, before: states, computed: result.gradients.parameters, gradients: gradients,
      clipping: optimizer.clipping, noise: noise, flow: flow.line, step: step + 1)
    network.parameters = weights
    states = updates
    step += 1
    return (result.loss, isClipped)
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
    for (index, (update, weight)) in zip(updates, weights).enumerated() {
      let tensors = [(".v", update.v), (".m", update.m), (".update", update.update), ("", weight)]
      if let (suffix, _) = tensors.first(where: { $0.1.map { !$0.isFinite() } ?? false }) {
        return NonFiniteError(step: step + 1, tensor: network.parameterNames[index] + suffix)
      }
    }
    return nil
  }
}

/// The updates that a schedule of the learning rate spans.
struct ScheduleSpan: Hashable, Sendable, Codable {
  /// The updates and epochs that were made before it began.
  let firstUpdate: Int, firstEpoch: Int
  let horizon: Int
}

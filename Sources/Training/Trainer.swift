package import GradientFlows
package import Networks
import Tensors

/// A training: the network, the optimizer's state, and the position in the data.
package struct Trainer: Sendable {
  package private(set) var network: Network<Float>
  package var optimizer: OptimizerSetting
  /// The optimizer's state for each parameter, in the order of the network's parameters.
  package private(set) var states: [OptimizerState]
  /// The optimizer's state for each tensor that the gradient flow trains, by its name.
  package private(set) var flowStates: [String: OptimizerState] = [:]
  /// The number of updates since training began.
  package private(set) var step = 0
  /// The number of epochs begun since training began.
  package private(set) var epoch = 0
  /// The pass behind the last update: its weights before the update, and its batch; nil before any.
  package private(set) var lastPass: TrainingPass<Float>?
  /// The rule and inputs of the last update; nil before any.
  package private(set) var lastUpdate: LastUpdate?
  /// The pass of the step before which a breakpoint stopped; nil otherwise.
  package private(set) var heldPass: TrainingPass<Float>?
  /// The updates that the schedule of the learning rate spans.
  private(set) var span = ScheduleSpan(firstUpdate: 0, firstEpoch: 0, horizon: 1)
  /// The states of the network that are kept beside that after the last update.
  package private(set) var kept = KeptStates()
  /// The place where a NaN or an infinity first arose, in a training that goes on after it.
  package private(set) var firstNonFinite: NonFiniteError?
  /// The remaining batches of an epoch that was left in the middle.
  private(set) var pending: [BatchPlan] = []

  package init(_ network: Network<Float>, optimizer: OptimizerSetting) {
    self.network = network
    self.optimizer = optimizer
    states = Array(repeating: OptimizerState(), count: network.parameters.count)
  }

  /// Resumes a training from a file, with a new epoch.
  ///
  /// - Parameters:
  ///   - network: The network with its weights.
  ///   - optimizer: The setting of the optimizer.
  ///   - states: The optimizer's state for each parameter.
  ///   - step: The updates made so far.
  ///   - epoch: The epochs begun so far.
  ///   - flowStates: The optimizer's state for each tensor that the gradient flow trains.
  package init(
    _ network: Network<Float>, optimizer: OptimizerSetting, states: [OptimizerState], step: Int,
    epoch: Int, flowStates: [String: OptimizerState] = [:]
  ) {
    precondition(states.count == network.parameters.count, "One state for each parameter.")
    (self.network, self.optimizer, self.states) = (network, optimizer, states)
    (self.step, self.epoch, self.flowStates) = (step, epoch, flowStates)
  }

  /// Resumes a training at the position where it was left.
  ///
  /// - Parameters:
  ///   - network: The network with its weights.
  ///   - optimizer: The setting of the optimizer.
  ///   - states: The optimizer's state for each parameter.
  ///   - position: The position of the training; it must fit the data.
  ///   - kept: The states beside that of `network`.
  ///   - lastPass: The pass behind the last update.
  ///   - flowStates: The optimizer's state for each tensor that the gradient flow trains.
  package init(
    _ network: Network<Float>, optimizer: OptimizerSetting, states: [OptimizerState],
    position: TrainingPosition, kept: KeptStates, lastPass: TrainingPass<Float>?,
    flowStates: [String: OptimizerState] = [:]
  ) {
    self.init(
      network, optimizer: optimizer, states: states, step: position.step, epoch: position.epoch,
      flowStates: flowStates)
    (span, pending) = (position.span, position.pending)
    (firstNonFinite, self.lastPass) = (position.firstNonFinite, lastPass)
    self.kept = kept
  }

  /// Returns the network in one of the states that training gave it; nil where that is not kept.
  package func network(_ weights: TrainedWeights) -> Network<Float>? {
    switch weights {
    case .last: network
    case .best: kept.best.map { network.with(state: $0.state) }
    case .average: kept.average.map { network.with(state: $0) }
    }
  }

  /// Drops the remaining batches of an epoch and a step held back, since the data have changed.
  package mutating func leaveEpoch() { (pending, heldPass) = ([], nil) }

  /// Whether an epoch was left in the middle.
  package var isWithinEpoch: Bool { !pending.isEmpty }

  /// The number of updates that finish the epoch that was left; 0 if none was.
  package var updatesLeftInEpoch: Int { pending.count }

  /// The number of updates in a run, and the updates that the schedule of the learning rate spans.
  private func plan(
    _ options: TrainingOptions, slices: Int, resumes: Bool
  ) -> (updates: Int, span: ScheduleSpan) {
    let perEpoch = options.batches(of: slices)
    let left = resumes ? pending.count : 0
    let asked = options.steps ?? left + perEpoch * (options.epochs - (left > 0 ? 1 : 0))
    guard !resumes else { return (asked, span) }
    let horizon =
      switch options.horizon {
      case .updates(let updates): updates
      case .epochs(let epochs): perEpoch * epochs
      case nil: asked
      }
    return (asked, ScheduleSpan(firstUpdate: step, firstEpoch: epoch, horizon: horizon))
  }

  /// The learning rates of a run before it begins.
  ///
  /// - Parameters:
  ///   - options: As for ``train(on:slices:loss:flow:noise:options:resumes:clock:shouldHold:shouldDrop:afterStep:)``.
  ///   - slices: The number of training slices.
  ///   - resumes: Whether the schedule goes on.
  /// - Returns: Facts about the rates.
  package func rates(
    _ options: TrainingOptions, slices: Int, resumes: Bool
  ) -> RatesAhead {
    let (updates, span) = plan(options, slices: slices, resumes: resumes)
    let perEpoch = options.batches(of: slices)
    let left = resumes ? pending.count : 0
    func rate(_ index: Int) -> Double {
      let begun = index < left ? epoch - 1 : epoch + (index - left) / perEpoch
      return optimizer.rule(
        update: step + index - span.firstUpdate, epoch: begun - span.firstEpoch,
        horizon: span.horizon
      ).learningRate
    }
    // Three updates decide: a schedule that begins at 0 rises with the second update, and one that
    // falls to 0 ends there.
    let some = Set([0, 1, updates - 1].filter { (0..<updates).contains($0) })
    return RatesAhead(
      updates: updates, last: rate(max(0, updates - 1)),
      areZero: some.allSatisfy { rate($0) == 0 },
      scheduled: span.firstUpdate + span.horizon - step)
  }

  /// Trains on the slices of `data`.
  ///
  /// Each step computes loss and gradients of one batch, makes sure that they and the updated
  /// weights are finite, and only then changes anything; so a training that is stopped, for any
  /// reason, keeps the state after the last whole step.
  ///
  /// - Parameters:
  ///   - data: The images.
  ///   - slices: The slices to train on.
  ///   - validation: The slices whose loss is taken after each epoch, if the options ask for it.
  ///   - loss: The function to minimize.
  ///   - flow: The flow that computes gradients.
  ///   - noise: The noise added to gradients, if any.
  ///   - options: The number of epochs or updates, the order, and the batches.
  ///   - resumes: Whether to go on in the middle of an epoch and of the schedule; otherwise both
  ///     begin anew.
  ///   - clock: The seconds since this run began; only a time limit and the report use it.
  ///   - shouldHold: Called before each update, with its pass and the first NaN or infinity in it
  ///     or in the update; if it returns true, the training ends before the update, and going on
  ///     computes the same step from the same weights and batch.
  ///   - shouldDrop: Called while a step is computed, from several threads; once it returns true,
  ///     the step is dropped at once and the training ends.
  ///   - afterStep: Called after each step; a reason that it returns ends the training.
  /// - Returns: The report, with the NaN or the infinity that ended the training.
  package mutating func train(
    on data: TrainingData, slices: [Int], validation: [Int] = [], loss: Loss,
    flow: some GradientFlow, noise: GradientNoise? = nil, options: TrainingOptions,
    resumes: Bool = false, clock: () -> Double,
    shouldHold: (TrainingPass<Float>, PassResult<Float>, NonFiniteError?) -> Bool = { _, _, _ in
      false
    },
    shouldDrop: @escaping @Sendable () -> Bool = { false },
    afterStep: (TrainingProgress) -> StopReason?
  ) -> TrainingReport {
    heldPass = nil
    let perEpoch = options.batches(of: slices.count)
    let asked: Int
    (asked, span) = plan(options, slices: slices.count, resumes: resumes)
    if !resumes { (pending, kept) = ([], KeptStates()) }
    if isOutOfPatience(options) { kept.beginPatience() }
    let firstEpoch = isWithinEpoch ? epoch - 1 : epoch
    let epochs = max(1, (asked + perEpoch - 1) / perEpoch)
    var (done, trained, clipped) = (0, 0, 0)
    var rate: Double?
    var (lossSum, lossWeight) = (0.0, 0.0)
    var reason = StopReason.finished
    var failure: NonFiniteError?
    training: while done < asked {
      let begins = pending.isEmpty
      if begins {
        epoch += 1
        pending = data.batches(epoch: epoch, slices: slices, options: options)
      }
      let rule = optimizer.rule(
        update: step - span.firstUpdate, epoch: epoch - 1 - span.firstEpoch, horizon: span.horizon)
      let made: MadeStep
      switch update(
        on: data, pending[0], validation: pending.count == 1 ? validation : [], loss: loss,
        flow: flow, noise: noise, rule: rule, options: options, shouldHold: shouldHold,
        shouldDrop: shouldDrop)
      {
      case .made(let step): made = step
      case .ended(let cause, let error):
        (reason, failure) = (cause, error)
        // An epoch without a step counts as not begun, as in a run of exactly the steps made.
        if begins, cause != .breakpoint { (epoch, pending) = (epoch - 1, []) }
        break training
      }
      pending.removeFirst()
      done += 1
      if begins { (lossSum, lossWeight) = (0, 0) }
      trained += made.slices
      lossSum += made.loss * made.weight
      lossWeight += made.weight
      clipped += made.isClipped ? 1 : 0
      rate = rule.learningRate
      let progress = TrainingProgress(
        network: network, step: done, steps: asked, epoch: epoch - firstEpoch, epochs: epochs,
        loss: made.loss, weight: made.weight, learningRate: rule.learningRate,
        validationLoss: made.validationLoss, slices: trained, seconds: clock())
      if let stop = afterStep(progress) {
        reason = done < asked ? stop : .finished
        break
      }
      if made.validationLoss != nil, isOutOfPatience(options), done < asked {
        reason = .patience
        break
      }
      if let limit = options.timeLimit, clock() >= limit, done < asked {
        reason = .time
        break
      }
    }
    return TrainingReport(
      steps: done, asked: asked, epochs: epoch - firstEpoch, loss: lossSum / lossWeight,
      learningRate: rate, clipped: clipped, slices: trained, seconds: clock(), reason: reason,
      best: kept.best, failure: failure)
  }

  /// Whether as many epochs as the options allow have passed without a lower validation loss.
  private func isOutOfPatience(_ options: TrainingOptions) -> Bool {
    options.patience.map { kept.epochsSinceBest >= $0 } ?? false
  }

  /// One update of all weights, unless it is held, dropped or not finite.
  private mutating func update(
    on data: TrainingData, _ plan: BatchPlan, validation: [Int], loss: Loss,
    flow: some GradientFlow, noise: GradientNoise?, rule: any Optimizer, options: TrainingOptions,
    shouldHold: (TrainingPass<Float>, PassResult<Float>, NonFiniteError?) -> Bool,
    shouldDrop: @escaping @Sendable () -> Bool
  ) -> StepEnd {
    let former = self
    let isWatching = options.stopsOnNonFinite || firstNonFinite == nil
    let computed = abandonable(when: shouldDrop) {
      former.computeStep(
        data.batch(
          plan, drawing: former.step + 1, patch: options.patch,
          for: NetworkInTraining(former.network, share: former.span.share(ofUpdate: former.step))),
        plan, loss: loss,
        flow: flow, noise: noise, rule: rule, options: options, isWatching: isWatching)
    }
    guard let computed else { return .ended(.interrupt, nil) }
    if shouldHold(computed.pass, computed.result, computed.failure) {
      heldPass = computed.pass
      return .ended(.breakpoint, nil)
    }
    if let failure = computed.failure {
      if options.stopsOnNonFinite { return .ended(.nonFinite, failure) }
      firstNonFinite = firstNonFinite ?? failure
    }
    var made = computed.made
    var next = network
    next.state = computed.weights + computed.result.buffers
    next.flowState = computed.flow?.state
    if options.judgesEpochs, !validation.isEmpty {
      // A part of the step: with it, the loss of its epoch is dropped, too.
      let judged = abandonable(when: shouldDrop) { [next] in
        data.validationLoss(of: next, slices: validation, loss)
      }
      guard let judged else { return .ended(.interrupt, nil) }
      made.validationLoss = judged
    }
    if shouldDrop() { return .ended(.interrupt, nil) }
    lastPass = computed.pass
    lastUpdate = LastUpdate(
      rule: rule, weights: network.parameters, before: states,
      computed: computed.result.parameterGradients,
      gradients: computed.gradients, clipping: optimizer.clipping, noise: noise, flow: flow.line,
      step: step + 1)
    network = next
    states = computed.states
    flowStates = computed.flow?.optimizerStates ?? [:]
    step += 1
    if let decay = options.averageDecay { kept.average(network, decay: decay) }
    if let loss = made.validationLoss {
      kept.judge(network, loss: loss, step: step, epoch: epoch - span.firstEpoch)
    }
    return .made(made)
  }

  /// Computes the next update without changing anything.
  private func computeStep(
    _ batch: Batch, _ plan: BatchPlan, loss: Loss, flow: some GradientFlow, noise: GradientNoise?,
    rule: any Optimizer, options: TrainingOptions, isWatching: Bool
  ) -> ComputedStep {
    var pass = TrainingPass(
      network: network, input: batch.input, target: batch.target, mask: batch.mask, loss: loss,
      epoch: max(0, epoch - 1), step: step)
    // Patches were refused before unless they fit.
    if options.patch == nil { pass = pass.padded() }
    let result = pass.run(flow, inPartsOf: options.batch)
    var failure = isWatching && !result.isFinite() ? origin(of: pass, batch, plan, flow) : nil
    var gradients = result.parameterGradients
    let isClipped = optimizer.clipping?.clip(&gradients) ?? false
    // Noise comes after clipping, which would weaken it.
    noise?.apply(to: &gradients, names: network.parameterNames, step: step + 1)
    let parameters = network.parameters
    let updates = parallelMap(parameters.count) { index in
      rule.update(gradients[index], of: parameters[index], state: states[index], step: step + 1)
    }
    let weights = parallelMap(parameters.count) { parameters[$0].adding(updates[$0].update) }
    if isWatching, failure == nil { failure = firstNonFinite(in: updates, weights) }
    let flowUpdate = FlowUpdate(
      flow, of: network, result, parameterGradients: gradients, states: flowStates, rule: rule,
      step: step)
    return ComputedStep(
      pass: pass, result: result, failure: failure, gradients: gradients, states: updates,
      weights: weights, flow: flowUpdate,
      made: MadeStep(
        loss: result.loss, weight: batch.weight(in: loss), slices: plan.patches.count,
        isClipped: isClipped))
  }

  /// The first place in the data or in the pass where a NaN or an infinity arose.
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
    // Squares overflow first.
    let kept = OptimizerState.keptNames.reversed() + [OptimizerState.updateName]
    let suffixes = parallelMap(updates.count) { index in
      let tensors =
        kept.map { (".\($0)", updates[index][$0]) } + [("", weights[index])]
      return tensors.first { $0.1.map { !$0.isFinite() } ?? false }?.0
    }
    for case (let index, let suffix?) in suffixes.enumerated() {
      return NonFiniteError(step: step + 1, tensor: network.parameterNames[index] + suffix)
    }
    return nil
  }
}

/// The learning rates of the updates that a training is about to make.
package struct RatesAhead: Hashable, Sendable {
  package let updates: Int
  /// The learning rate of the last of them.
  package let last: Double
  /// Whether all rates are 0, so that no weight changes.
  package let areZero: Bool
  /// The number of updates that the schedule still spans; 0 or less when it has ended.
  package let scheduled: Int
}

/// A computed step that has not been applied yet.
private struct ComputedStep {
  let pass: TrainingPass<Float>
  let result: PassResult<Float>
  /// The first NaN or infinity in it; nil for none.
  let failure: NonFiniteError?
  /// The gradients after clipping and noise.
  let gradients: [Tensor<Float>]
  let states: [OptimizerState]
  let weights: [Tensor<Float>]
  /// The update of the flow's own tensors; nil if it trains none.
  let flow: FlowUpdate?
  let made: MadeStep
}

/// The end of an update: made, or not.
private enum StepEnd {
  case made(MadeStep)
  /// The training ends before the update.
  case ended(StopReason, NonFiniteError?)
}

/// The facts that a step reports.
private struct MadeStep {
  /// The loss before the step, and its weight in a mean over batches.
  let loss: Double, weight: Double
  let slices: Int
  let isClipped: Bool
  /// The loss of the validation slices after the step; nil if none was taken.
  var validationLoss: Double?
}

/// The updates that a schedule of the learning rate spans.
struct ScheduleSpan: Hashable, Sendable, Codable {
  /// Returns the part of the span that is over before an update, from 0 to 1.
  func share(ofUpdate update: Int) -> Double {
    min(1, Double(max(0, update - firstUpdate)) / Double(max(1, horizon)))
  }

  /// The numbers of updates and epochs made before the schedule began.
  let firstUpdate: Int, firstEpoch: Int
  let horizon: Int
}

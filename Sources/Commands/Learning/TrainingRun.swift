import CT
import CommandLanguage
import GradientFlows
import Networks
import Tensors
import Training

extension Workspace {
  /// Trains the network in use and reports the result; a request to stop ends it after the step,
  /// and the weights so far are judged and kept.
  mutating func train(
    _ options: TrainingOptions, resumes: Bool, _ arguments: Arguments, _ context: CommandContext
  ) throws -> Outcome {
    context.interruption.dropsStep = true
    defer { context.interruption.dropsStep = false }
    return try Interruption.$ofCommand.withValue(nil) {
      try trainToEnd(options, resumes: resumes, arguments, context)
    }
  }

  private mutating func trainToEnd(
    _ options: TrainingOptions, resumes: Bool, _ arguments: Arguments, _ context: CommandContext
  ) throws -> Outcome {
    var options = options
    options.timeLimit = [try arguments.timeLimit("time"), settings.timeLimit]
      .compactMap(\.self).min()
    try network.requireTrainable()
    try flow.requireFit(network)
    stepper = nil
    guard
      let data = try abandonable(
        when: context.shouldStop, { try requireTrainingData(options.target, context) })
    else { throw CommandError.interrupted }
    let slices = trainingSlices(data.clean)
    try requireMemory(network, flow, options, data.clean, slices.count)
    try requireFittingLoss(options.patch ?? min(data.clean.height, data.clean.width))
    if options.judgesEpochs { try requireMemoryForSlice(data.noisy.image(0).shape) }
    var trainer = self.trainer ?? Trainer(network, optimizer: optimizer)
    let ahead = trainer.rates(options, slices: slices.count, resumes: resumes)
    let foreword =
      warnings(of: ahead)
      + (try warnings(ofTarget: options.target))
      + warnings(ofJudging: options, ahead.updates, trainer, resumes, slices.count)
    for warning in foreword { context.progress(ProgressUpdate(warning: warning)) }
    let work = TrainingWork(
      options: options, resumes: resumes, isJudged: try arguments.flag("judge"), data: data,
      slices: slices)
    let key = try trainingKey(work)
    if var known = try takePastTraining(work) ?? key.flatMap({ try takeTraining($0) }) {
      known.foreword = foreword
      return known
    }
    let (inputs, products) = (self, matrixProductCount)
    let recorder = try curveRecorder(options, resumes: resumes, data, slices.count, context)
    let (report, hit) = run(
      &trainer, options, resumes: resumes, data, slices, recorder, context)
    let isHeld = hit != nil
    if report.steps == 0, !isHeld {
      // Nothing has changed: the first step was dropped, or is not finite.
      if let failure = report.failure { throw commandError(failure) }
      try context.stopIfInterrupted()
    }
    take(trainer, options.keepsBest ? .best : .last)
    let before = resumes ? unfinished : nil
    unfinished = UnfinishedTraining(
      options: options, steps: max(0, max(before?.steps ?? 0, report.asked) - report.steps),
      isCut: report.reason.isCut || before?.isCut == true)
    let (label, watched) = watchedSlices(data.clean)
    let psnr =
      work.isJudged ? try finalFigures(watched, data.clean, context)?.psnr : nil
    if let psnr { recorder.finish(psnr: psnr) }
    keep(recorder)
    var outcome = describe(report, options, arguments, "\(label) psnr", psnr)
    outcome.foreword = foreword
    outcome.remarks += paddingRemark(data.noisy.shape)
    if options.target == .neighbor, options.patch == nil {
      outcome.remarks += paddingRemark(
        height: data.clean.height / 2, width: data.clean.width / 2, named: "halves of slices")
    }
    outcome.curves = recorder.curve.resultCurves(loss)
    outcome.hasTrained = true
    if let failure = report.failure {
      throw commandError(failure, keeping: outcome, of: arguments.line)
    }
    if let hit, let held = trainer.heldPass {
      return stop(at: hit, update: trainer.step + 1, held, after: outcome)
    }
    if report.reason == .finished, context.interruption.isRequested {
      outcome.wasInterrupted = true
    }
    guard report.reason == .finished, psnr != nil || !work.isJudged else { return outcome }
    if let key { keepTraining(key, &outcome) }
    remember(
      work, on: inputs, outcome, usedBLAS: products != matrixProductCount)
    return outcome
  }

  /// Makes the updates; returns the report, and the breakpoint that stopped before the next one, if
  /// any.
  private mutating func run(
    _ trainer: inout Trainer, _ options: TrainingOptions, resumes: Bool, _ data: TrainingData,
    _ slices: [Int], _ recorder: CurveRecorder, _ context: CommandContext
  ) -> (TrainingReport, BreakpointHit?) {
    let start = ContinuousClock.now
    let watch = { (ContinuousClock.now - start) / .seconds(1) }
    let (label, watched) = watchedSlices(data.clean)
    let meter = ProgressMeter(
      context, label: "\(label) psnr", showsRate: optimizer.schedule != .constant,
      Judge(data, slices: Array(watched.prefix(2))))
    var made = 0
    // The step at which a breakpoint stopped is made without checking again.
    var isReleased = resumes && trainer.heldPass != nil
    let (flow, updates) = (flow, trainer.step)
    var hit: BreakpointHit?
    var steps = makeStepLog()
    defer { tracing?.steps = steps }
    let interruption = context.interruption
    let report = trainer.train(
      on: data, slices: slices, validation: split?.slices(.validation) ?? [], loss: loss,
      flow: flow, noise: gradientNoise, options: options, resumes: resumes, clock: watch,
      shouldHold: { pass, result, failure in
        defer { isReleased = false }
        guard !breakpoints.isEmpty, !isReleased else { return false }
        let view = TrainingView(pass, result, flow: flow) { [self] in knownFlow($0) }
        hit = breakpointHit(view, update: updates + made + 1, failure)
        return hit != nil
      },
      shouldDrop: { interruption.requests > 1 }
    ) { progress in
      made = progress.step
      steps?.add(progress)
      recorder.add(progress)
      meter.show(progress)
      return interruption.isRequested ? .interrupt : nil
    }
    return (report, hit)
  }

  /// The figures of the watched slices after a training; nil when a person who stopped it would
  /// have to wait for them.
  private mutating func finalFigures(
    _ watched: [Int], _ clean: ImageStack, _ context: CommandContext
  ) throws -> FiguresOfMerit? {
    let (start, interruption) = (ContinuousClock.now, context.interruption)
    let isLate: @Sendable () -> Bool = {
      interruption.isRequested && ContinuousClock.now - start > .milliseconds(150)
    }
    var images: [Tensor<Float>] = []
    for (count, slice) in watched.enumerated() {
      context.progress(ProgressUpdate("judge slice \(count + 1)/\(watched.count)"))
      guard let image = try denoisedSlice(slice, unless: isLate) else { return nil }
      images.append(image)
    }
    return abandonable(when: isLate) {
      FiguresOfMerit(meanOf: clean.slices(watched).figures(of: Tensor(joining: images)))
    }
  }

  /// A warning that no epoch will end, so that none can be judged.
  private func warnings(
    ofJudging options: TrainingOptions, _ updates: Int, _ trainer: Trainer, _ resumes: Bool,
    _ slices: Int
  ) -> [String] {
    let left = resumes ? trainer.updatesLeftInEpoch : 0
    let needed = left > 0 ? left : options.batches(of: slices)
    guard options.judgesEpochs, updates < needed, !resumes || trainer.kept.best == nil else {
      return []
    }
    return [
      "no epoch ends within \(updates) \(updates == 1 ? "update" : "updates"), so no validation loss is "
        + "taken: the last weights stay; an epoch has \(options.batches(of: slices)) updates"
    ]
  }

  /// Warnings about learning rates in the updates ahead.
  private func warnings(of rates: RatesAhead) -> [String] {
    let cure = "'train' begins the schedule anew, 'optimizer lr=' and other keys change it"
    let last = NumberFormat.significant(3).string(rates.last)
    let updates = rates.updates == 1 ? "1 update" : "all \(rates.updates) updates"
    if rates.areZero {
      return [
        "the learning rate is 0 in \(updates): no weight will change; "
          + (optimizer.schedule == .constant ? "'optimizer lr=' changes it" : cure)
      ]
    }
    guard optimizer.schedule != .constant, rates.scheduled < rates.updates else { return [] }
    return [
      rates.scheduled <= 0
        ? "the schedule of the learning rate has ended: its last rate, \(last), stays; \(cure)"
        : "the schedule of the learning rate ends after \(rates.scheduled) of \(updates): then its "
          + "last rate, \(last), stays"
    ]
  }
}

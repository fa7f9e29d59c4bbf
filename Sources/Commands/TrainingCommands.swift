import CommandLanguage
import Foundation
import GradientFlows
import Networks
import Tensors
import Training

extension Command<Workspace> {
  /// Keeps epochs × batches within an integer.
  private static let mostUpdates = 1_000_000_000
  private static let timeLimit = Parameter.key(
    "time", .duration, "stop after the step that passes this time", default: .absent("no limit"))

  static let train = Command(
    CommandSpec(
      "train", family: .learning,
      summary: "Train the network on the training slices.",
      details: """
        An epoch visits each training slice once (with patch=, one random patch of each); a short \
        last batch is kept. steps= makes exactly that many updates. Ctrl-C stops after the current \
        step and keeps everything, a second one drops the step; 'continue' goes on. A NaN or an infinity stops the training \
        before it harms the weights and is named; nan=keep goes on. A schedule of the optimizer \
        begins with each 'train' and spans its updates; with both steps= and epochs=, it spans the \
        epochs.
        """,
      parameters: [
        .key("epochs", .integer(1...mostUpdates), "visits of each slice", default: .value("10")),
        .key(
          "steps", .integer(1...mostUpdates), "exactly this many updates",
          default: .absent("all epochs")),
        .key(
          "horizon", .integer(1...mostUpdates), "updates that the optimizer's schedule spans",
          default: .absent("all updates of the line")),
        .key("batch", .integer(1...4096), "slices of one update", default: .value("4")),
        .key(
          "patch", .integer(1...4096), "side of the random squares",
          default: .absent("whole slices")),
        .key("shuffle", .yesNo, "a new order in each epoch", default: .value("yes")),
        .key(
          "nan", .choice(["stop", "keep"]), "what a NaN or infinity does", default: .value("stop")),
        .key(
          "seed", .integer(), "replaces the session's seed for order and patches",
          default: .absent("the session's seed")),
        timeLimit,
      ],
      examples: [
        CommandExample("train epochs=2", after: setup),
        CommandExample("train steps=3 batch=2 patch=16", after: setup),
      ], seeAlso: ["continue", "evaluate", "optimizer adam"], trains: true)
  ) { arguments, workspace, context in
    var options = TrainingOptions()
    options.epochs = try arguments.integer("epochs")
    options.steps = arguments.integerIfGiven("steps")
    if let updates = arguments.integerIfGiven("horizon") {
      options.horizon = .updates(updates)
    } else if arguments.has("epochs") {
      options.horizon = .epochs(options.epochs)
    }
    options.batch = try arguments.integer("batch")
    options.patch = arguments.integerIfGiven("patch")
    options.shuffles = try arguments.flag("shuffle")
    options.stopsOnNonFinite = try arguments.choice("nan") == "stop"
    options.seed = workspace.seed(arguments)
    try workspace.requireFittingPatch(options, try workspace.requireClean(), arguments)
    return try workspace.train(options, resumes: false, arguments, context)
  }

  static let `continue` = Command(
    CommandSpec(
      "continue", family: .learning,
      summary: "Go on with a training that was stopped, or train longer.",
      details: """
        Without a number, makes the updates that were left when the training stopped; the result is \
        the same as if it had not been stopped. In an open pass, goes on to the next breakpoint; in \
        one that a training was stopped in, closes it and trains on. A schedule of the optimizer goes on, too; beyond its \
        end the last rate stays.
        """,
      parameters: [
        .key(
          "epochs", .integer(1...mostUpdates), "this many further epochs",
          default: .absent("what is left")),
        .key(
          "steps", .integer(1...mostUpdates), "this many further updates",
          default: .absent("what is left")),
        timeLimit,
      ],
      examples: [CommandExample("continue steps=2", after: setup + ["train steps=1"])],
      seeAlso: ["train"], trains: true)
  ) { arguments, workspace, context in
    if let outcome = workspace.continueWalk() { return outcome }
    guard let unfinished = workspace.unfinished, workspace.trainer != nil else {
      throw arguments.error(
        .state, "there is no training to continue", hint: "type 'train' to begin one")
    }
    var options = unfinished.options
    var isCut = false
    if let steps = arguments.integerIfGiven("steps") {
      options.steps = steps
    } else if let epochs = arguments.integerIfGiven("epochs") {
      options.steps = nil
      options.epochs = epochs
    } else if unfinished.steps > 0 {
      options.steps = unfinished.steps
      isCut = unfinished.isCut ?? false
    } else {
      throw arguments.error(
        .state, "the last training made all its updates",
        hint: "say how much further: continue epochs=10")
    }
    var outcome = try workspace.train(options, resumes: true, arguments, context)
    // A replay was not stopped, so that nothing is left of it: it is told how much that was.
    if isCut, outcome.recordedCommand == nil, let steps = options.steps {
      outcome.recordedCommand = workspace.recorded(arguments, options, steps: steps)
    }
    return outcome
  }

  private static let setup = [
    "phantom size=32 slices=2", "noise gaussian sigma=40HU", "block channels=2", "conv",
  ]
}

// MARK: - Training

extension Workspace {
  /// Trains; a wish to stop ends it after the step, and what was learned is judged and kept.
  fileprivate mutating func train(
    _ options: TrainingOptions, resumes: Bool, _ arguments: Arguments, _ context: CommandContext
  ) throws -> Outcome {
    try Interruption.$ofCommand.withValue(nil) {
      try trainToEnd(options, resumes: resumes, arguments, context)
    }
  }

  private mutating func trainToEnd(
    _ options: TrainingOptions, resumes: Bool, _ arguments: Arguments, _ context: CommandContext
  ) throws -> Outcome {
    var options = options
    options.timeLimit = [arguments.numberIfGiven("time")?.value, settings.timeLimit]
      .compactMap(\.self).min()
    try network.requireTrainable()
    try flow.requireFit(network)
    stepper = nil
    let data = try requireTrainingData()
    let slices = trainingSlices(data.clean)
    try requireMemory(network, flow, options, data.clean, slices.count)
    let key = try trainingKey(options, resumes: resumes, data, slices)
    if let key, let known = try takeTraining(key) { return known }

    var trainer = self.trainer ?? Trainer(network, optimizer: optimizer)
    let start = ContinuousClock.now
    let watch = { (ContinuousClock.now - start) / .seconds(1) }
    let (label, watched) = watchedSlices(data.clean)
    let few = Array(watched.prefix(2))
    let judged = data.clean.slices(few)
    let isScheduled = optimizer.schedule != .constant
    let meter = ProgressMeter(context, label: label, showsRate: isScheduled) { network in
      let denoiser = Denoiser(network, scale: data.scale)
      let images = few.map { denoiser.denoise(data.noisy.image($0)) }
      return FiguresOfMerit(meanOf: judged.figures(of: Tensor(joining: images))).psnr
    }
    let recorder = curveRecorder(options, resumes: resumes, data, slices.count)
    var made = 0
    // The step that a breakpoint held back is made without asking again.
    var isReleased = resumes && trainer.heldPass != nil
    let (flow, updates) = (flow, trainer.step)
    var hit: BreakpointHit?
    var steps = makeStepLog()
    defer { tracing?.steps = steps }
    let report: TrainingReport
    do throws(NonFiniteError) {
      report = try trainer.train(
        on: data, slices: slices, loss: loss, flow: flow, noise: gradientNoise, options: options,
        resumes: resumes, clock: watch,
        shouldHold: { pass, result, failure in
          defer { isReleased = false }
          guard !breakpoints.isEmpty, !isReleased else { return false }
          let view = TrainingView(pass, result, flow: flow) { [self] in knownFlow($0) }
          hit = breakpointHit(view, update: updates + made + 1, failure)
          return hit != nil
        },
        shouldDrop: { context.interruption.requests > 1 }
      ) { progress in
        made = progress.step
        steps?.add(progress)
        recorder.add(progress)
        meter.show(progress)
        return context.interruption.isRequested ? .interrupt : nil
      }
    } catch {
      throw commandError(error)
    }
    // The first step was dropped: nothing has changed.
    if report.steps == 0, hit == nil { try context.stopIfInterrupted() }
    take(trainer)
    let before = resumes ? unfinished : nil
    let isCut = report.reason.isCut || before?.isCut == true
    unfinished = UnfinishedTraining(
      options: options, steps: max(0, max(before?.steps ?? 0, report.asked) - made), isCut: isCut)
    let figures = FiguresOfMerit(
      meanOf: data.clean.slices(watched).figures(
        of: Tensor(joining: try watched.map { try denoisedSlice($0) })))
    recorder.finish(psnr: figures.psnr)
    keep(recorder)
    var outcome = try describe(report, options, arguments, "\(label) psnr", figures.psnr)
    outcome.curves = recorder.curve.resultCurves(loss)
    outcome.hasTrained = true
    if let failure = report.failure { throw Self.stopped(by: failure, after: outcome, arguments) }
    if let hit, let held = trainer.heldPass {
      return stop(at: hit, update: trainer.step + 1, held, after: outcome)
    }
    if isScheduled, trainer.scheduledUpdatesLeft < 0 {
      outcome.warn(
        "the schedule of the learning rate ended before this: its last rate stays; 'train' begins it "
          + "anew")
    }
    if let key, report.reason == .finished { keepTraining(key, &outcome) }
    return outcome
  }

  /// Throws when the patches are larger than the slices.
  func requireFittingPatch(
    _ options: TrainingOptions, _ clean: ImageStack, _ arguments: Arguments
  ) throws(CommandError) {
    guard let patch = options.patch, patch > min(clean.height, clean.width) else { return }
    throw arguments.error(
      at: "patch", .outOfRange,
      "patch=\(patch) is larger than the slices of \(clean.height)×\(clean.width)",
      hint: "at most \(min(clean.height, clean.width))")
  }

  /// Throws when a step of `network` under `flow` would need more memory than is allowed.
  func requireMemory(
    _ network: Network<Float>, _ flow: any GradientFlow, _ options: TrainingOptions,
    _ clean: ImageStack, _ slices: Int
  ) throws(CommandError) {
    let (height, width) = (options.patch ?? clean.height, options.patch ?? clean.width)
    let batch = min(options.batch, slices)
    let needed = flow.trainingBytes(of: network, batch: batch, height: height, width: width)
    guard needed > memoryLimit else { return }
    throw CommandError(
      .limit,
      "a step on \(batch) × \(height)×\(width) needs about \(needed >> 20) MiB, the limit is "
        + "\(memoryLimit >> 20) MiB",
      hint: batch > 1
        ? "batch=\(max(1, batch * (memoryLimit >> 10) / (needed >> 10))) or patch=64, or set limit.memory="
        : "patch=64, or set limit.memory=")
  }

  private func describe(
    _ report: TrainingReport, _ options: TrainingOptions, _ arguments: Arguments,
    _ judged: String, _ psnr: Double
  ) throws -> Outcome {
    var outcome = Outcome()
    let rate = Double(report.slices) / max(report.seconds, 1e-9)
    let speed = rate < 100 ? NumberFormat.significant(3).string(rate) : "\(Int(rate))"
    let seconds = NumberFormat.fixed(1).string(report.seconds)
    // A training that was stopped is recorded with its steps, and its line with it.
    let isCounted = options.steps != nil || report.reason != .finished
    let epochs = isCounted ? "" : "/\(max(report.epochs, options.epochs))"
    let steps = isCounted ? "  \(report.steps) \(report.steps == 1 ? "step" : "steps")" : ""
    if report.steps > 0 {
      outcome.say(
        """
        epoch \(report.epochs)\(epochs)\(steps)  \
        loss \(report.loss, significant: 4)\(rateAndClipping(report))  \(judged) \(psnr, digits: 2) dB  \
        \(volatile: "\(seconds) s, \(speed) \(options.patch == nil ? "slices" : "patches")/s")
        """)
    }
    outcome.result = [
      "steps": .integer(report.steps), "epochs": .integer(report.epochs),
      "loss": .number(report.loss), "psnr": .number(psnr),
      "lr": report.learningRate.map { .number($0) } ?? .null,
      "clipped": optimizer.clipping == nil ? .null : .integer(report.clipped),
      "stopped": report.reason == .finished ? .null : .string(report.reason.rawValue),
    ]
    if let cause = report.cause {
      outcome.recordedCommand =
        recorded(arguments, options, steps: report.steps) + "  # \(cause)"
      outcome.wasInterrupted = report.reason == .interrupt
      if report.failure == nil {
        outcome.remarks.append(
          "stopped after step \(report.steps) (\(cause)); all is kept, 'continue' goes on")
      }
    }
    return outcome
  }

  /// The error of a training that a NaN or an infinity stopped after some steps, which are kept.
  private static func stopped(
    by failure: NonFiniteError, after outcome: Outcome, _ arguments: Arguments
  ) -> CommandError {
    var error = commandError(failure)
    error.kept = KeptWork(outcome.recordedCommand ?? arguments.line, outcome)
    return error
  }

  /// What the line says of the last learning rate and of clipping, where they are not the same in
  /// every step: `  lr 0.0005  clipped 3 of 40`.
  private func rateAndClipping(_ report: TrainingReport) -> OutputLine {
    var words: OutputLine = ""
    if optimizer.schedule != .constant, let rate = report.learningRate {
      words = "\(words)  lr \(rate, significant: 3)"
    }
    if optimizer.clipping != nil {
      words = "\(words)  clipped \(report.clipped) of \(report.steps)"
    }
    return words
  }

  /// The command that repeats exactly the steps that were made.
  fileprivate func recorded(
    _ arguments: Arguments, _ options: TrainingOptions, steps: Int
  ) -> String {
    let kept = arguments.line.replacing(/\s+(steps|time)\s*=\s*\S+/.ignoresCase(), with: "")
      .replacing(/\s#.*$/, with: "")
    return "\(kept)\(horizonWords(arguments, options)) steps=\(steps)"
  }

  /// What keeps a schedule as long as it was when the line gets another number of steps.
  private func horizonWords(_ arguments: Arguments, _ options: TrainingOptions) -> String {
    guard optimizer.schedule != .constant, arguments.spec.parameter(named: "horizon") != nil,
      !arguments.has("horizon"), !arguments.has("epochs")
    else { return "" }
    return options.steps.map { " horizon=\($0)" } ?? " epochs=\(options.epochs)"
  }

  /// The slices that watch over training: validation, or some that train when there are none.
  func watchedSlices(_ clean: ImageStack) -> (label: String, slices: [Int]) {
    let validation = split?.slices(.validation) ?? []
    return validation.isEmpty
      ? ("training", Array(trainingSlices(clean).prefix(4))) : ("validation", validation)
  }
}

extension TrainingReport {
  /// Why the training ended before its time, in words for the record; nil where a replay of the same
  /// line ends there, too.
  fileprivate var cause: String? {
    switch reason {
    case .time: "time is over"
    case .interrupt: "stopped by hand"
    case .nonFinite: failure.map { "stopped by a non-finite \($0.tensor) in step \($0.step)" }
    case .finished, .breakpoint: nil
    }
  }
}

extension StopReason {
  /// Whether the run was cut short by something that the recorded line does not bring about again.
  fileprivate var isCut: Bool {
    switch self {
    case .time, .interrupt, .nonFinite: true
    case .finished, .breakpoint: false
    }
  }
}

/// Shows how a training stands, a few times a second at most.
///
/// Nothing here is recorded or changes the training, so it may look at the clock.
private final class ProgressMeter {
  private let context: CommandContext
  /// The PSNR of a network on a slice or two, in dB, and what it is called.
  private let judge: (Network<Float>) throws -> Double
  private let label: String
  private let showsRate: Bool
  private var shown = -1.0
  private var psnr: String?
  private var nextJudgement = 1.0
  private var losses = Trend()

  init(
    _ context: CommandContext, label: String, showsRate: Bool,
    judge: @escaping (Network<Float>) throws -> Double
  ) {
    self.context = context
    self.label = label
    self.showsRate = showsRate
    self.judge = judge
  }

  func show(_ progress: TrainingProgress) {
    losses.add(progress.loss)
    guard progress.seconds - shown > 0.2 || progress.step == progress.steps else { return }
    shown = progress.seconds
    judge(progress)
    func text(_ value: Double, _ digits: Int) -> String {
      NumberFormat.significant(digits).string(value)
    }
    let parts = [
      "epoch \(progress.epoch)/\(progress.epochs)  step \(progress.step)/\(progress.steps)",
      "loss \(text(progress.loss, 4))",
      showsRate ? "lr \(text(progress.learningRate, 3))" : nil,
    ]
    context.progress(
      ProgressUpdate(
        parts.compactMap(\.self).joined(separator: "  "),
        fraction: Double(progress.step) / Double(progress.steps), count: progress.step,
        things: "steps", trend: losses.values, note: psnr))
  }

  /// Judges the network now and then, so that it takes a twentieth of the time at most.
  private func judge(_ progress: TrainingProgress) {
    guard progress.seconds >= nextJudgement else { return }
    let start = ContinuousClock.now
    guard let value = try? judge(progress.network) else { return }
    psnr = "\(label) psnr \(NumberFormat.fixed(2).string(value)) dB"
    nextJudgement = progress.seconds + max(1, 20 * ((ContinuousClock.now - start) / .seconds(1)))
  }
}

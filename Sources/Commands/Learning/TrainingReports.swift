import CommandLanguage
import Networks
import Training

private let byHand = "stopped by hand"

extension TrainingReport {
  /// The reason why a training ended early, in a few words; nil if it did not, or waits at a
  /// breakpoint.
  fileprivate var cause: String? {
    switch reason {
    case .time: "time is over"
    case .interrupt: byHand
    case .nonFinite: failure.map { "stopped by a non-finite \($0.tensor) in step \($0.step)" }
    case .finished, .breakpoint, .patience: nil
    }
  }
}

extension StopReason {
  /// Whether the run was ended by something that does not happen again when the recorded line runs.
  var isCut: Bool {
    switch self {
    case .time, .interrupt, .nonFinite: true
    case .finished, .breakpoint, .patience: false
    }
  }
}

extension Workspace {
  /// The outcome of a training; `psnr` is nil when the slices were not judged.
  func describe(
    _ report: TrainingReport, _ options: TrainingOptions, _ arguments: Arguments,
    _ judged: String, _ psnr: Double?
  ) -> Outcome {
    var outcome = Outcome()
    let rate = Double(report.slices) / max(report.seconds, 1e-9)
    let speed = rate < 100 ? NumberFormat.significant(3).string(rate) : "\(Int(rate))"
    let seconds = NumberFormat.fixed(1).string(report.seconds)
    // For a training that was stopped, the line and the record give the steps.
    let isCounted = options.steps != nil || report.reason != .finished
    let epochs = isCounted ? "" : "/\(max(report.epochs, options.epochs))"
    let steps = isCounted ? "  \(report.steps, "step")" : ""
    let judgement: OutputLine = psnr.map { "  \(judged) \($0, digits: 2) dB" } ?? ""
    if report.steps > 0 {
      outcome.say(
        """
        epoch \(report.epochs)\(epochs)\(steps)  \
        loss \(report.loss, significant: 4)\(rateAndClipping(report))\(judgement)  \
        \(volatile: "\(seconds) s, \(speed) \(options.patch == nil ? "slices" : "patches")/s")
        """)
    }
    if options.judgesEpochs { say(report, options, &outcome) }
    outcome.result = [
      "steps": .integer(report.steps), "epochs": .integer(report.epochs),
      "loss": .number(report.loss), "psnr": psnr.map { .number($0) } ?? .null,
      "lr": report.learningRate.map { .number($0) } ?? .null,
      "clipped": optimizer.clipping == nil ? .null : .integer(report.clipped),
      "stopped": report.reason == .finished ? .null : .string(report.reason.rawValue),
      "best": options.judgesEpochs
        ? report.best.map {
          ["epoch": .integer($0.epoch), "step": .integer($0.step), "loss": .number($0.loss)]
        } ?? .null : .null,
    ]
    let isUnjudged = psnr == nil && (try? arguments.flag("judge")) == true
    if report.cause != nil || isUnjudged {
      outcome.recordedCommand =
        (report.cause == nil
          ? arguments.uncommentedLine : recorded(arguments, options, steps: report.steps))
        + (isUnjudged ? " judge=no" : "") + "  # \(report.cause ?? byHand)"
    }
    outcome.wasInterrupted = report.reason == .interrupt || isUnjudged
    if let cause = report.cause, report.failure == nil {
      outcome.remarks.append(
        "stopped after step \(report.steps) (\(cause)); all is kept, 'continue' goes on")
    }
    return outcome
  }

  /// Says which epoch was the best one, and why the training ended if patience did.
  private func say(
    _ report: TrainingReport, _ options: TrainingOptions, _ outcome: inout Outcome
  ) {
    guard let best = report.best else { return }
    let last: OutputLine =
      trainer?.kept.lastLoss.map { " · last \($0, significant: 4)" } ?? ""
    if report.reason == .patience, let patience = options.patience {
      outcome.say(
        OutputLine(
          "ends after \(patience) \(patience == 1 ? "epoch" : "epochs") without a better one"))
    }
    outcome.say(
      """
      \(options.keepsBest ? "keeps" : "best:") \(bestWords(best))\(last)
      """)
  }

  /// The last learning rate and the count of clipped steps, where there is a schedule or clipping:
  /// `  lr 0.0005  clipped 3 of 40`.
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
  func recorded(
    _ arguments: Arguments, _ options: TrainingOptions, steps: Int
  ) -> String {
    let kept = arguments.uncommentedLine
      .replacing(/\s+(steps|time)\s*=\s*\S+/.ignoresCase(), with: "")
    return "\(kept)\(horizonWords(arguments, options)) steps=\(steps)"
  }

  /// The argument that keeps the length of a schedule when the line gets another number of steps.
  private func horizonWords(_ arguments: Arguments, _ options: TrainingOptions) -> String {
    guard optimizer.schedule != .constant, arguments.spec.parameter(named: "horizon") != nil,
      !arguments.has("horizon"), !arguments.has("epochs")
    else { return "" }
    return options.steps.map { " horizon=\($0)" } ?? " epochs=\(options.epochs)"
  }
}

extension Arguments {
  /// The line as typed, without a comment behind it.
  fileprivate var uncommentedLine: String { line.replacing(/\s+#.*$/, with: "") }
}

import CommandLanguage
import Networks
import Tensors
import Training

/// Shows the progress of a training, a few times a second at most.
///
/// Nothing here is recorded or changes the training, so it may look at the clock.
final class ProgressMeter {
  private let context: CommandContext
  /// Judges the network on one or two slices; the label names their PSNR.
  private let judge: Judge
  private let label: String
  private let showsRate: Bool
  private var shown = -1.0
  private var psnr: String?
  private var nextJudgement = 1.0
  private var losses = Trend()

  init(_ context: CommandContext, label: String, showsRate: Bool, _ judge: Judge) {
    self.context = context
    self.label = label
    self.showsRate = showsRate
    self.judge = judge
  }

  func show(_ progress: TrainingProgress) {
    losses.add(progress.loss)
    guard progress.seconds - shown > 0.2 || progress.step == progress.steps else { return }
    shown = progress.seconds
    judgeSometimes(progress)
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

  /// Judges the network from time to time, for at most a twentieth of the training's time.
  private func judgeSometimes(_ progress: TrainingProgress) {
    guard progress.seconds >= nextJudgement else { return }
    let start = ContinuousClock.now
    let figures = abandonable(when: context.shouldStop) { judge.figures(of: progress.network) }
    guard let figures else { return }
    psnr = "\(label) \(NumberFormat.fixed(2).string(figures.psnr)) dB"
    nextJudgement = progress.seconds + max(1, 20 * ((ContinuousClock.now - start) / .seconds(1)))
  }
}

import CT
import CommandLanguage
import GradientFlows
import Networks
import Tensors
import Training

/// Records the curve and the film of a training, for `plot loss`, `plot psnr` and `save animation`.
final class CurveRecorder {
  private(set) var curve: TrainingCurve
  private(set) var film: TrainingFilm
  /// The fraction of an epoch that one step makes.
  private let part: Double
  /// Epochs between two judgements.
  private let interval: Int
  private let judge: (Network<Float>) -> FiguresOfMerit?
  private var epochsSinceJudgement = 0

  init(
    _ curve: TrainingCurve, _ film: TrainingFilm, part: Double, interval: Int,
    judge: @escaping (Network<Float>) -> FiguresOfMerit?
  ) {
    (self.curve, self.film, self.part) = (curve, film, part)
    (self.interval, self.judge) = (interval, judge)
  }

  /// Records a step, and judges the network at the end of some epochs.
  func add(_ progress: TrainingProgress) {
    curve.add(loss: progress.loss, weight: progress.weight, part: part)
    film.add(epochs: curve.epochs, progress.network)
    guard curve.isAtEpochEnd else { return }
    epochsSinceJudgement += 1
    // The judgement at the end is made by `finish`.
    guard epochsSinceJudgement >= interval, progress.step < progress.steps else { return }
    epochsSinceJudgement = 0
    if let figures = judge(progress.network) { curve.add(psnr: figures.psnr) }
  }

  /// Records the PSNR after the last step.
  func finish(psnr: Double) { curve.add(psnr: psnr) }
}

/// The curves of the last trainings of a session, in the order in which they were last trained.
struct TrainingCurves: Sendable, Codable {
  private(set) var all: [TrainingCurve] = []

  /// The number of trainings whose curves are kept.
  static let capacity = 32

  /// Whether the curves, which may come from a damaged file, are possible.
  var isConsistent: Bool {
    all.count <= Self.capacity && all.allSatisfy(\.isConsistent)
      && Set(all.map(\.number)).count == all.count
  }

  /// The number of the training that begins next.
  var nextNumber: Int { (all.map(\.number).max() ?? 0) + 1 }

  /// Stores a curve as the last, in place of its former state if there is one.
  mutating func keep(_ curve: TrainingCurve) {
    guard curve.steps > 0 else { return }
    all = all.filter { $0.number != curve.number }.suffix(Self.capacity - 1) + [curve]
  }

  /// The last training of a network.
  func last(of network: String) -> TrainingCurve? { all.last { $0.network == network } }
}

extension Workspace {
  /// Keeps the curve and the film of a training.
  mutating func keep(_ recorder: CurveRecorder) {
    curves.keep(recorder.curve)
    film = recorder.film
  }

  /// A recorder for the training that begins now; it goes on with the network's last curve, if any.
  func curveRecorder(
    _ options: TrainingOptions, resumes: Bool, _ data: TrainingData, _ sliceCount: Int,
    _ context: CommandContext
  ) throws(CommandError) -> CurveRecorder {
    let (label, watched) = watchedSlices(data.clean)
    let judge = Judge(data, slices: watched)
    let known = curves.last(of: networkName)
    var curve: TrainingCurve
    if let known, trainer != nil {
      curve = known
    } else {
      guard let noisy = abandonable(when: context.shouldStop, judge.noisyFigures) else {
        throw CommandError.interrupted
      }
      curve = TrainingCurve(
        number: curves.nextNumber, network: networkName,
        setting: "\(flow.name), \(optimizer.rule.word)",
        watched: label, noisyPSNR: noisy.psnr)
    }
    if !resumes { curve.beginEpoch() }
    let stepsPerEpoch = options.batches(of: sliceCount)
    // A stopped training is recorded with its steps and the epochs that it was to have, so that a replay
    // judges the network after the same ones.
    var epochs = options.steps.map { ($0 + stepsPerEpoch - 1) / stepsPerEpoch } ?? options.epochs
    if case .epochs(let planned)? = options.horizon { epochs = planned }
    let pixels = options.patch.map { $0 * $0 } ?? data.clean.height * data.clean.width
    let interval = TrainingCurve.judgingInterval(
      epochs: epochs, epochPixels: sliceCount * pixels,
      judgedPixels: watched.count * data.clean.height * data.clean.width,
      parameters: network.parameterCount)
    let knownFilm = film.flatMap { film in
      trainer.map { film.name == networkName && film.ends(with: $0.network) } ?? false ? film : nil
    }
    return CurveRecorder(
      curve, knownFilm ?? TrainingFilm(name: networkName, network, epochs: curve.epochs),
      part: 1 / Double(stepsPerEpoch),
      interval: interval
    ) { network in
      abandonable(when: context.shouldStop) { judge.figures(of: network) }
    }
  }
}

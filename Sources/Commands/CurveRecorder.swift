import GradientFlows
import Networks
import Tensors
import Training

/// Follows a training for `plot loss`, `plot psnr` and `save animation`.
final class CurveRecorder {
  private(set) var curve: TrainingCurve
  private(set) var film: TrainingFilm
  /// The part of an epoch that a step is.
  private let part: Double
  /// Epochs between two judgements.
  private let interval: Int
  private let judge: (Network<Float>) -> Double
  private var epochsSinceJudgement = 0

  init(
    _ curve: TrainingCurve, _ film: TrainingFilm, part: Double, interval: Int,
    judge: @escaping (Network<Float>) -> Double
  ) {
    (self.curve, self.film, self.part) = (curve, film, part)
    (self.interval, self.judge) = (interval, judge)
  }

  /// Notes a step, and judges the network at the end of some epochs.
  func add(_ progress: TrainingProgress) {
    curve.add(loss: progress.loss, part: part)
    film.add(epochs: curve.epochs, progress.network)
    guard curve.isAtEpochEnd else { return }
    epochsSinceJudgement += 1
    // `finish` brings the judgement of the end.
    guard epochsSinceJudgement >= interval, progress.step < progress.steps else { return }
    epochsSinceJudgement = 0
    curve.add(psnr: judge(progress.network))
  }

  /// Notes the PSNR after the last step.
  func finish(psnr: Double) { curve.add(psnr: psnr) }
}

/// The curves of the last trainings of a session, in the order in which they began.
struct TrainingCurves: Sendable, Codable {
  private(set) var all: [TrainingCurve] = []

  /// Of how many trainings the curves are kept.
  static let capacity = 32

  /// Whether the numbers can be those of curves, wherever they come from.
  var isConsistent: Bool {
    all.count <= Self.capacity && all.allSatisfy(\.isConsistent)
      && zip(all, all.dropFirst()).allSatisfy { $0.number < $1.number }
  }

  /// The number of the training that begins next.
  var nextNumber: Int { (all.last?.number ?? 0) + 1 }

  /// Keeps what has become of a curve, or a new one.
  mutating func keep(_ curve: TrainingCurve) {
    guard curve.steps > 0 else { return }
    if let index = all.firstIndex(where: { $0.number == curve.number }) {
      all[index] = curve
    } else {
      all = all.suffix(Self.capacity - 1) + [curve]
    }
  }
}

extension Workspace {
  /// Keeps what a training left to look at.
  mutating func keep(_ recorder: CurveRecorder) {
    curves.keep(recorder.curve)
    film = recorder.film
  }

  /// Follows the training that begins now, or goes on with the network's last one.
  func curveRecorder(
    _ options: TrainingOptions, resumes: Bool, _ data: TrainingData, _ sliceCount: Int
  ) -> CurveRecorder {
    let (label, watched) = watchedSlices(data.clean)
    let judged = data.clean.slices(watched)
    var curve =
      curves.all.last { trainer != nil && $0.network == networkName }
      ?? TrainingCurve(
        number: curves.nextNumber, network: networkName,
        setting: "\(flow.name), \(optimizer.line.split(separator: " ").dropFirst().first ?? "")",
        watched: label,
        noisyPSNR: FiguresOfMerit(meanOf: judged.figures(of: data.noisy.images(watched))).psnr)
    if !resumes { curve.beginEpoch() }
    let stepsPerEpoch = (sliceCount + options.batch - 1) / options.batch
    // A stopped training is recorded with its steps and the epochs that it was to have, so that a replay
    // judges the network after the same ones.
    var epochs = options.steps.map { ($0 + stepsPerEpoch - 1) / stepsPerEpoch } ?? options.epochs
    if case .epochs(let planned)? = options.horizon { epochs = planned }
    let pixels = options.patch.map { $0 * $0 } ?? data.clean.height * data.clean.width
    let interval = TrainingCurve.judgingInterval(
      epochs: epochs, epochPixels: sliceCount * pixels,
      judgedPixels: watched.count * data.clean.height * data.clean.width,
      parameters: network.parameterCount)
    let known = film.flatMap { film in
      trainer != nil && film.name == networkName && film.ends(with: network) ? film : nil
    }
    return CurveRecorder(
      curve, known ?? TrainingFilm(name: networkName, network, epochs: curve.epochs),
      part: 1 / Double(stepsPerEpoch),
      interval: interval
    ) { network in
      let denoiser = Denoiser(network, scale: data.scale)
      let images = watched.map { denoiser.denoise(data.noisy.image($0)) }
      return FiguresOfMerit(meanOf: judged.figures(of: Tensor(joining: images))).psnr
    }
  }
}

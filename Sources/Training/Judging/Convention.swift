package import CT
import Tensors

/// How values are prepared before figures of merit are computed.
///
/// PSNR and SSIM see values moved into `window`, RMSE and the mean error those moved into `errorLimits`.
package struct FigureRule: Hashable, Sendable {
  /// The range of PSNR and of the constants of SSIM.
  package let range: Double
  package var window: ClosedRange<Double>?
  package var errorLimits: ClosedRange<Double>?
  package var similarity = SimilarityWindow.gaussian
  /// The value that SSIM sees as 0; it depends on the level, other figures do not.
  package var level = 0.0
  /// Whether visual information fidelity takes the judged image for the reference, as
  /// ldct-benchmark does.
  package var swapsFidelity = false

  package init(range: Double) { self.range = range }

  func shown(_ image: Tensor<Float>) -> Tensor<Float> { image.clamped(to: window) }

  func shifted(_ image: Tensor<Float>) -> Tensor<Float> {
    guard level != 0 else { return image }
    return Tensor(shape: image.shape, scalars: image.scalars.map { $0 - Float(level) })
  }
}

/// A convention for figures of merit: the window and range that a publication uses.
package enum Convention: Hashable, Sendable {
  /// The full range, unclipped: 4096 for HU, else the range of the file's values.
  case full
  /// The given range, unclipped.
  case range(Double)
  /// The windows of ldct-benchmark, scaled to 0…1: SSIM of scikit-image with its defaults; RMSE and VIF
  /// of values moved into −1024…1900 HU. Source: arXiv 2401.04661.
  case chest, abdomen, head
  /// −160…240 HU, as the program of RED-CNN judges.
  case redcnn
  /// −1000…1000 HU, as the program of CoreDiff judges.
  case corediff

  /// The conventions by the names of the publications, which need HU.
  package static let published: [(name: String, convention: Convention)] = [
    ("ldct-chest", .chest), ("ldct-abdomen", .abdomen), ("ldct-head", .head), ("redcnn", .redcnn),
    ("corediff", .corediff),
  ]

  package func range(for unit: ValueUnit) -> Double { rule(for: unit).range }

  package func rule(for unit: ValueUnit) -> FigureRule {
    switch (self, unit) {
    case (.range(let range), _): return FigureRule(range: range)
    case (.full, .hounsfield): return FigureRule(range: 4096)
    case (.full, .stored(let range)): return FigureRule(range: range.upperBound - range.lowerBound)
    case (.chest, _): return Self.benchmark(center: -600, width: 1500)
    case (.abdomen, _): return Self.benchmark(center: 50, width: 400)
    case (.head, _): return Self.benchmark(center: 40, width: 80)
    case (.redcnn, _): return Self.clipped(-160...240, level: 0)
    case (.corediff, _): return Self.clipped(-1000...1000, level: -1000)
    }
  }

  /// The rule of ldct-benchmark: DICOM's linear window.
  private static func benchmark(center: Double, width: Double) -> FigureRule {
    let half = (width - 1) / 2
    var rule = FigureRule(range: width - 1)
    rule.window = center - 0.5 - half...center - 0.5 + half
    rule.errorLimits = -1024...1900
    rule.similarity = .uniform
    rule.level = center - 0.5 - half
    rule.swapsFidelity = true
    return rule
  }

  private static func clipped(_ limits: ClosedRange<Double>, level: Double) -> FigureRule {
    var rule = FigureRule(range: limits.upperBound - limits.lowerBound)
    (rule.window, rule.errorLimits) = (limits, limits)
    rule.similarity = .gaussianWithZeros
    rule.level = level
    return rule
  }
}

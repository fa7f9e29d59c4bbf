import CT
import CommandLanguage
import Tensors
import Training

/// A classical denoiser, which a network has to beat, as a command.
struct Baseline: Sendable {
  let name: String
  private let summary: String, details: String
  private let parameters: [Parameter]
  private let examples: [String]
  /// Makes the filter from the arguments of the line.
  let filter: @Sendable (Arguments) throws -> any ImageFilter

  private static let setup = ["phantom size=32 slices=2", "noise gaussian sigma=40HU"]
  private static let auto = ParameterKind.choice(["auto"])
  private static let noiseLevel = Parameter.key(
    "sigma", .either([.number(units: [.hounsfield], .positive), auto]),
    "standard deviation of the noise; auto estimates it for each slice", default: .value("auto"))

  static let median = Baseline(
    "median", "Judge a median filter: something a network has to beat.",
    """
    The median of the square of pixels about each pixel of the noisy slices; beyond the border \
    the image is mirrored. The result is called baseline. Without clean slices it is made and not \
    judged.
    """,
    [.key("size", .integer(1...31, odd: true), "side of the square, odd", default: .value("3"))],
    examples: ["baseline median size=3"]
  ) { MedianFilter(size: try $0.integer("size")) }

  static let gaussian = Baseline(
    "gaussian", "Judge a Gaussian filter.",
    "The mean about each pixel with Gaussian weights up to 4σ; beyond the border the edge repeats.",
    [
      .key(
        "sigma", .number(units: [.pixel], .above(0, upTo: 64)), "standard deviation in pixels",
        default: .value("1"))
    ],
    examples: ["baseline gaussian sigma=1"]
  ) { GaussianFilter(sigma: try $0.number("sigma").value) }

  static let bilateral = Baseline(
    "bilateral", "Judge a bilateral filter, which keeps edges.",
    """
    The mean about each pixel, weighted by a Gaussian of the distance and one of the difference \
    (Tomasi and Manduchi 1998). range=auto is three times the estimated noise.
    """,
    [
      .key(
        "sigma", .number(units: [.pixel], .above(0, upTo: 16)),
        "standard deviation of the distance, in pixels", default: .value("1.5")),
      .key(
        "range", .either([.number(units: [.hounsfield], .positive), auto]),
        "standard deviation of the difference", default: .value("auto")),
    ],
    examples: ["baseline bilateral", "baseline bilateral sigma=2 range=100HU"]
  ) {
    BilateralFilter(
      sigma: try $0.number("sigma").value, range: $0.numberIfGiven("range")?.value)
  }

  static let tv = Baseline(
    "tv", "Judge total variation: flat areas with sharp edges.",
    """
    The image u that minimizes ½Σ(u − noisy)² + weight·Σ|∇u|, by Chambolle's projections (2004), as \
    scikit-image's denoise_tv_chambolle. weight=auto is the estimated noise.
    """,
    [
      .key(
        "weight", .either([.number(units: [.hounsfield], .positive), auto]),
        "how much variation costs, in the data's unit", default: .value("auto"))
    ],
    examples: ["baseline tv weight=40"]
  ) { TotalVariation(weight: $0.numberIfGiven("weight")?.value) }

  static let nlm = Baseline(
    "nlm", "Judge non-local means: alike patches are averaged.",
    """
    Each pixel becomes the mean of the pixels about it, weighted by how alike their patches are \
    (Buades 2005), as scikit-image's denoise_nl_means in fast mode. h=auto is 0.8 times the \
    estimated noise; sigma= takes its part of the differences off.
    """,
    [
      .key(
        "h", .either([.number(units: [.hounsfield], .positive), auto]),
        "how different patches may be, in the data's unit", default: .value("auto")),
      .key(
        "sigma", .either([.number(units: [.hounsfield], .atLeast(0)), auto]),
        "standard deviation of the noise to take off", default: .value("0")),
      .key("size", .integer(3...15, odd: true), "side of a patch, odd", default: .value("7")),
      .key(
        "distance", .integer(1...32), "most rows or columns between two pixels",
        default: .value("11")),
    ],
    examples: ["baseline nlm h=32HU", "baseline nlm h=24HU sigma=40HU distance=5"]
  ) { arguments in
    let sigma = arguments.numberIfGiven("sigma")?.value
    return NonLocalMeans(
      size: try arguments.integer("size"), distance: try arguments.integer("distance"),
      strength: arguments.numberIfGiven("h").map { .absolute($0.value) } ?? .ofNoise(0.8),
      noise: sigma == 0 ? nil : sigma.map(NoiseLevel.known) ?? .estimated)
  }

  static let wavelet = Baseline(
    "wavelet", "Judge wavelet shrinkage: small details vanish.",
    """
    Details of the wavelet transform come closer to 0 by a threshold for each level and direction \
    (BayesShrink: Chang, Yu, Vetterli 2000), as scikit-image's denoise_wavelet.
    """,
    [
      .key(
        "kind", .choice(Wavelet.allCases.map(\.rawValue)), "the wavelet", default: .value("haar")),
      noiseLevel,
    ],
    examples: ["baseline wavelet", "baseline wavelet kind=db2 sigma=40HU"]
  ) { WaveletShrinkage(wavelet: try $0.choice("kind", as: Wavelet.self), noise: $0.noiseLevel) }

  static let bm3d = Baseline(
    "bm3d", "Judge BM3D, the strongest classical denoiser of white noise.",
    """
    Blocks of 8×8 pixels that look alike are stacked and shrunk together, first by a threshold, then \
    by the first result (Dabov, Foi, Katkovnik, Egiazarian 2007; Mäkinen, Azzari, Foi 2020). It takes \
    the noise for white; that of a reconstruction is not.
    """,
    [noiseLevel], examples: ["baseline bm3d sigma=40HU"]
  ) { BlockMatching(noise: $0.noiseLevel) }

  /// All, the simplest first.
  static let all = [median, gaussian, bilateral, tv, nlm, wavelet, bm3d]

  private init(
    _ name: String, _ summary: String, _ details: String, _ parameters: [Parameter],
    examples: [String], filter: @escaping @Sendable (Arguments) throws -> any ImageFilter
  ) {
    (self.name, self.summary, self.details) = (name, summary, details)
    (self.parameters, self.examples, self.filter) = (parameters, examples, filter)
  }

  /// The command that filters the noisy slices and judges them.
  var command: Command<Workspace> {
    Command(
      CommandSpec(
        "baseline \(name)", family: .learning, summary: summary, details: details,
        parameters: parameters + [
          Command<Workspace>.judgedSlices, Command<Workspace>.convention,
          Command<Workspace>.grouping,
        ],
        examples: examples.map { CommandExample($0, after: Self.setup) },
        seeAlso: ["evaluate", name == "median" ? "baseline bm3d" : "baseline median"],
        runsInPass: true)
    ) { arguments, workspace, context in
      try workspace.makeBaseline(try filter(arguments), arguments, context)
    }
  }
}

extension Arguments {
  /// The noise that `sigma=` gives, or that which is estimated.
  fileprivate var noiseLevel: NoiseLevel {
    numberIfGiven("sigma").map { .known($0.value) } ?? .estimated
  }
}

extension Workspace {
  /// Filters the noisy slices; judges them where there are clean ones.
  fileprivate mutating func makeBaseline(
    _ filter: any ImageFilter, _ arguments: Arguments, _ context: CommandContext
  ) throws -> Outcome {
    let slices = try judgedSlices(arguments)
    let noisy = try requireNoisy()
    let all = try requireSlices()
    if let key = arguments.unit(.hounsfield, among: ["sigma", "range", "weight", "h"]),
      all.unit != .hounsfield
    {
      throw arguments.error(
        at: key, .wrongUnit, "the data are not in HU", hint: "give \(key) without a unit")
    }
    if filter is BlockMatching, min(all.height, all.width) < BlockMatching.smallestSide {
      throw CommandError(
        .shape, "the slices are \(all.height)×\(all.width), and BM3D stacks blocks of 8×8 pixels",
        hint: "baseline median takes slices of any size")
    }
    try requireMemory(copies: 4, of: slices.count, all)
    var images: [Tensor<Float>] = []
    for (count, slice) in slices.enumerated() {
      context.progress(
        ProgressUpdate(
          "filter \(count + 1)/\(slices.count)", fraction: Double(count) / Double(slices.count),
          count: count, things: "slices"))
      images.append(try interruptible { filter.apply(to: noisy.image(slice)) })
    }
    try context.stopIfInterrupted()
    for (slice, image) in zip(slices, images) {
      baseline[slice] = BaselineSlice(image: image, filter: filter)
    }
    return clean == nil
      ? try describe("baseline", images, slices)
      : try judge(["baseline": images], slices, arguments, context)
  }
}

extension Arguments {
  /// The first of the keys whose number was typed with `unit`; nil if there is none.
  fileprivate func unit(_ unit: Unit, among keys: [String]) -> String? {
    keys.first { numberIfGiven($0)?.unit == unit }
  }
}

import CT
import CommandLanguage
import Tensors
import Training

/// The parameters that every noise has.
enum NoiseOptions {
  static let all = [
    Parameter.flag(
      "draw", ["fixed", "fresh"], "the same noise always, or new in each training batch",
      default: .value("fixed")),
    Parameter.key(
      "seed", .integer(), "replaces the session's seed", default: .absent("the session's seed")),
  ]
}

extension Command<Workspace> {
  static let noiseGaussian = Command(
    CommandSpec(
      "noise gaussian", family: .data,
      summary: "Add normal noise to the clean slices.",
      details: """
        noisy = clean + σ·n. Figures of merit always use the fixed draw; with fresh, each training \
        batch draws anew.
        """,
      parameters: [
        .key(
          "sigma", .number(units: [.hounsfield], .atLeast(0)),
          "standard deviation, in the data's unit",
          default: .absent("40 for HU")),
        .key(
          "fraction", .number(units: [.percent], .atLeast(0)),
          "standard deviation as a part of the maximum of all clean slices",
          default: .absent("sigma")),
      ] + NoiseOptions.all,
      examples: [
        CommandExample("noise gaussian sigma=40HU", after: ["phantom size=32 slices=2"]),
        CommandExample("noise gaussian fraction=0.3 fresh", after: ["phantom size=32 slices=2"]),
      ], seeAlso: ["noise uniform", "evaluate"], recipe: .noise)
  ) { arguments, workspace, context in
    let clean = try workspace.requireClean()
    if arguments.has("sigma"), arguments.has("fraction") {
      throw arguments.error(
        at: "fraction", .wrongValue, "sigma and fraction are both given", hint: "leave one out")
    }
    let deviation: Double
    if let fraction = arguments.numberIfGiven("fraction") {
      let maximum = clean.values.statistics(excluding: clean.mask).max
      guard maximum > 0 else {
        throw arguments.error(
          at: "fraction", .data, "the maximum of the clean slices is \(maximum)",
          hint: "give sigma= instead")
      }
      deviation = fraction.value * maximum
    } else if let sigma = arguments.numberIfGiven("sigma") {
      if sigma.unit == .hounsfield, clean.unit != .hounsfield {
        throw arguments.error(
          at: "sigma", .wrongUnit, "the data are not in HU", hint: "give sigma without a unit")
      }
      deviation = sigma.value
    } else if clean.unit == .hounsfield {
      deviation = 40
    } else {
      throw arguments.error(
        .missingArgument, "the data are not in HU, so sigma has no default",
        hint: "give sigma= or fraction=")
    }
    return try workspace.makeNoisy(
      GaussianNoise(deviation: deviation), clean, try workspace.noiseOptions(arguments), context)
  }

  static let noiseUniform = Command(
    CommandSpec(
      "noise uniform", family: .data,
      summary: "Multiply each pixel of the clean slices by a random gain.",
      details: """
        noisy = clean·u, u uniform in the range: the noise of the article's fourth part. It \
        multiplies the values as they are; in HU, water stays at 0.
        """,
      parameters: [
        .key("gain", .interval(), "the range of the gain", default: .value("0..2.5"))
      ] + NoiseOptions.all,
      examples: [CommandExample("noise uniform gain=0..2.5", after: ["phantom size=32 slices=2"])],
      seeAlso: ["noise gaussian"], recipe: .noise)
  ) { arguments, workspace, context in
    let clean = try workspace.requireClean()
    let gain = try arguments.interval("gain")
    return try workspace.makeNoisy(
      UniformNoise(gain: gain.lower...gain.upper), clean, try workspace.noiseOptions(arguments),
      context
    )
  }
}

extension Workspace {
  /// Whether training draws anew, and the seed.
  func noiseOptions(
    _ arguments: Arguments
  ) throws(CommandError) -> (isFresh: Bool, seed: UInt64) {
    (try arguments.choice("draw") == "fresh", seed(arguments))
  }

  /// The seed a command was given, or the session's.
  func seed(_ arguments: Arguments) -> UInt64 {
    arguments.integerIfGiven("seed").map { UInt64($0) } ?? settings.seed
  }

  fileprivate mutating func makeNoisy(
    _ kind: any NoiseKind, _ clean: ImageStack, _ options: (isFresh: Bool, seed: UInt64),
    _ context: CommandContext
  ) throws -> Outcome {
    try requireMemory(copies: 1, of: clean.count, clean)
    let noise = Noise(kind, isFresh: options.isFresh, seed: options.seed)
    let noisy = noise.apply(to: clean, shouldStop: context.shouldStop)
    let figures = clean.figures(of: noisy, shouldStop: context.shouldStop)
    try context.stopIfInterrupted()
    takeNoisy(noisy, of: clean, madeBy: noise)
    var outcome = describeNoisy(FiguresOfMerit(meanOf: figures), clean.unit)
    outcome.warnings += paddingWarnings(clean)
    return outcome
  }

  /// One line: `noisy  rmse 40.02 HU  psnr 40.20 dB  ssim 0.812  [full, range 4096]`.
  func describeNoisy(_ figures: FiguresOfMerit, _ unit: ValueUnit) -> Outcome {
    var outcome = Outcome()
    outcome.say(
      """
      noisy  rmse \(figures.rmse, digits: 2)\(unit.suffix)  psnr \(figures.psnr, digits: 2) dB  \
      ssim \(figures.ssim, digits: 3)  [\(Convention.full.label(for: unit))]\
      \(noise?.isFresh == true ? "  fresh in training" : "")
      """)
    outcome.result = ["noisy": figures.json]
    return outcome
  }
}

extension Convention {
  /// The convention as it is printed: `full, range 4096`.
  func label(for unit: ValueUnit) -> String {
    let range = NumberFormat.shortest.string(self.range(for: unit))
    switch self {
    case .full: return "full, range \(range)"
    case .range: return "range \(range)"
    default:
      let name = Self.published.first { $0.convention == self }?.name ?? ""
      return "\(name), range \(range)"
    }
  }
}

extension FiguresOfMerit {
  var json: JSONValue { .object(members) }
}

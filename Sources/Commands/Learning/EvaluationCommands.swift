import CT
import CommandLanguage
import Networks
import Tensors
import Training

extension Command<Workspace> {
  private static let on = Parameter.key(
    "on", .choice(["test", "train", "validation", "all"]), "the slices to judge",
    default: .absent("test; all without a split"))
  private static let convention = Parameter.key(
    "convention", .choice(["full", "range:N"]),
    "the range of PSNR and SSIM: full is unclipped, 4096 for HU, else the file's",
    default: .value("full"))
  private static let setup = ["phantom size=32 slices=2", "noise gaussian sigma=40HU"]
  private static let network = ["block channels=2", "conv"]

  static let evaluate = Command(
    CommandSpec(
      "evaluate", family: .learning,
      summary: "Judge the denoised slices beside the noisy ones.",
      details: """
        PSNR, SSIM (Wang 2004: Gaussian window of 11 pixels, σ 1.5) and RMSE, each the mean over \
        slices. The noisy slices are always those of the fixed draw. Slices that are padding only \
        are left out, which a warning says.
        """,
      parameters: [on, convention],
      examples: [
        CommandExample("evaluate", after: setup + network),
        CommandExample("evaluate on=all convention=range:2000", after: setup + network),
      ], seeAlso: ["baseline median", "train", "expect"], runsInPass: true)
  ) { arguments, workspace, context in
    let slices = try workspace.judgedSlices(arguments)
    try workspace.network.requireTrainable()
    let noisy = try workspace.requireNoisy()
    try workspace.requireMemory(copies: 4, of: slices.count, try workspace.requireJudge())
    let images = try workspace.denoise(slices, context)
    var outcome = try workspace.judge("denoised", images, slices, arguments, context)
    outcome.remarks += workspace.paddingRemark(noisy.shape)
    return outcome
  }

  static let denoise = Command(
    CommandSpec(
      "denoise", family: .learning,
      summary: "Apply the network to noisy slices; the result is called denoised.",
      details: """
        'denoised[3]' is computed when it is asked for, so this command is needed only to say when. \
        Noisy slices need no clean ones to be denoised.
        """,
      parameters: [
        .key(
          "on", .choice(["test", "train", "validation", "all"]), "the slices",
          default: .value("all"))
      ],
      examples: [CommandExample("denoise", after: setup + network)], seeAlso: ["evaluate", "view"],
      runsInPass: true)
  ) { arguments, workspace, context in
    let slices = try workspace.judgedSlices(arguments)
    try workspace.network.requireTrainable()
    let noisy = try workspace.requireNoisy()
    let images = try workspace.denoise(slices, context)
    var outcome = try workspace.describe("denoised", images, slices)
    outcome.remarks += workspace.paddingRemark(noisy.shape)
    return outcome
  }

  static let baselineMedian = Command(
    CommandSpec(
      "baseline median", family: .learning,
      summary: "Judge a median filter: something a network has to beat.",
      details: """
        The median of the square of pixels about each pixel of the noisy slices; beyond the border \
        the image is mirrored. The result is called baseline. Without clean slices it is made and not \
        judged.
        """,
      parameters: [
        .key("size", .integer(1...31, odd: true), "side of the square, odd", default: .value("3")),
        on, convention,
      ],
      examples: [CommandExample("baseline median size=3", after: setup)], seeAlso: ["evaluate"],
      runsInPass: true)
  ) { arguments, workspace, context in
    let slices = try workspace.judgedSlices(arguments)
    let size = try arguments.integer("size")
    let filter = MedianFilter(size: size)
    try workspace.requireMemory(copies: 4, of: slices.count, try workspace.requireSlices())
    let filtered = filter.apply(
      to: try workspace.requireNoisy().images(slices), shouldStop: context.shouldStop)
    try context.stopIfInterrupted()
    let images = slices.indices.map { filtered.image($0) }
    let outcome =
      workspace.clean == nil
      ? try workspace.describe("baseline", images, slices)
      : try workspace.judge("baseline", images, slices, arguments, context)
    for (slice, image) in zip(slices, images) {
      workspace.baseline[slice] = BaselineSlice(
        image: image, filter: "a median filter of \(size)×\(size) pixels")
    }
    return outcome
  }
}

extension Workspace {
  /// The slices as the network denoises them, from the store where they are known.
  fileprivate mutating func denoise(
    _ slices: [Int], _ context: CommandContext
  ) throws -> [Tensor<Float>] {
    try slices.enumerated().map { count, slice in
      try context.stopIfInterrupted()
      context.progress(
        ProgressUpdate(
          "denoise \(count + 1)/\(slices.count)", fraction: Double(count) / Double(slices.count),
          count: count, things: "slices"))
      guard let image = try denoisedSlice(slice, unless: context.shouldStop) else {
        throw CommandError.interrupted
      }
      return image
    }
  }

  /// One line: `denoised  4 slices  -1010.2…812.4 HU, mean -512.4`.
  fileprivate func describe(
    _ name: String, _ images: [Tensor<Float>], _ slices: [Int]
  ) throws(CommandError) -> Outcome {
    let all = try original(of: name).slices(slices)
    let unit = all.unit
    let statistics = Tensor(joining: images).statistics(excluding: all.mask)
    var outcome = Outcome(
      """
      \(name)  \(slices.count, "slice")  \
      \(statistics.min, digits: 1)…\(statistics.max, digits: 1)\(unit.suffix), \
      mean \(statistics.mean, digits: 1)
      """,
      result: [
        "slices": .list(slices) { .integer($0) }, "min": .number(statistics.min),
        "max": .number(statistics.max), "mean": .number(statistics.mean),
      ])
    if statistics.nanCount + statistics.infiniteCount > 0 {
      outcome.warn(
        "\(statistics.nanCount) NaN and \(statistics.infiniteCount) infinite values are left out of "
          + "these numbers")
    }
    return outcome
  }

  /// The slices that `on=` names.
  fileprivate func judgedSlices(_ arguments: Arguments) throws(CommandError) -> [Int] {
    let all = try requireSlices()
    let name = arguments.choiceIfGiven("on") ?? (split == nil ? "all" : "test")
    guard let share = Share(rawValue: name) else { return Array(0..<all.count) }
    guard let split else {
      if share != .validation { return Array(0..<all.count) }
      throw arguments.error(
        at: "on", .state, "without a split there are no \(name) slices", hint: "type 'split'")
    }
    let slices = split.slices(share)
    guard !slices.isEmpty else {
      throw arguments.error(
        at: arguments.has("on") ? "on" : "", .state, "the split has no \(name) slices",
        hint: "on=all, or another split")
    }
    return slices
  }

  /// The figures of noisy slices and of `images`, called `name`.
  fileprivate mutating func judge(
    _ name: String, _ images: [Tensor<Float>], _ slices: [Int], _ arguments: Arguments,
    _ context: CommandContext
  ) throws -> Outcome {
    let judge = try requireJudge()
    let convention: Convention
    let (word, number) = try arguments.taggedChoice("convention")
    if word == "range", let number {
      guard number > 0 else {
        throw arguments.error(
          at: "convention", .outOfRange, "the range must be above 0", hint: "for example range:2000"
        )
      }
      convention = .range(number)
    } else {
      convention = .full
    }
    func figures(
      of name: String, _ part: (Range<Int>) throws -> Tensor<Float>
    ) throws -> [FiguresOfMerit?] {
      var figures: [FiguresOfMerit?] = []
      // Slices are judged in groups of 8, so that progress can be shown in between.
      for start in stride(from: 0, to: slices.count, by: 8) {
        let group = start..<min(start + 8, slices.count)
        figures += judge.slices(Array(slices[group])).figures(
          of: try part(group), convention: convention, shouldStop: context.shouldStop)
        try context.stopIfInterrupted()
        context.progress(ProgressUpdate("judge \(name) \(group.upperBound)/\(slices.count)"))
      }
      return figures
    }
    let noisy = try requireNoisy()
    let ofNoisy = try figures(of: "noisy") { noisy.images(Array(slices[$0])) }
    let ofImages = try figures(of: name) { Tensor(joining: Array(images[$0])) }
    let (noisyFigures, figures) = (
      FiguresOfMerit(meanOf: ofNoisy), FiguresOfMerit(meanOf: ofImages)
    )
    self.figures["noisy"] = noisyFigures
    self.figures[name] = figures

    let unit = judge.unit == .hounsfield ? " HU" : ""
    func row(_ name: String, _ figures: FiguresOfMerit) -> [OutputLine] {
      [
        OutputLine(name), "\(figures.psnr, digits: 2)", "\(figures.ssim, digits: 4)",
        "\(figures.rmse, digits: 2)",
      ]
    }
    let label = convention.label(for: judge.unit)
    var outcome = Outcome()
    outcome.add(
      OutputTable(
        [.words(""), .numbers("psnr dB"), .numbers("ssim"), .numbers("rmse\(unit)")],
        rows: [row("noisy", noisyFigures), row(name, figures)]))
    let padding = judge.slices(slices).paddingOnly.count
    let count = slices.count - padding
    outcome.say("mean over \(count, "slice")  [\(label)]")
    outcome.result = .object([
      .init("noisy", noisyFigures.json), .init(name, figures.json),
      .init("convention", .string(label)), .init("slices", .integer(count)),
    ])
    outcome.warnings += paddingWarnings(judge, of: slices)
    outcome.warn(ofNumbersNotFiniteIn: "noisy", ofNoisy, slices)
    outcome.warn(ofNumbersNotFiniteIn: name, ofImages, slices)
    return outcome
  }
}

extension Outcome {
  /// Says which slices have a NaN or an infinity among the pixels that count.
  fileprivate mutating func warn(
    ofNumbersNotFiniteIn name: String, _ figures: [FiguresOfMerit?], _ slices: [Int]
  ) {
    let strange = zip(slices, figures).compactMap { slice, figures in
      figures.map { $0.rmse.isFinite } ?? true ? nil : slice
    }
    guard let words = Self.naming(strange) else { return }
    warn("\(name) holds NaN or infinite values in \(words): the means over slices say nothing")
  }

  /// `slice 3` or `slices 3, 5, 8`; nil without any.
  private static func naming(_ slices: [Int]) -> String? {
    guard !slices.isEmpty else { return nil }
    let few = slices.prefix(10).map(String.init).joined(separator: ", ")
    let rest = slices.count > 10 ? " and \(slices.count - 10) more" : ""
    return "\(slices.count == 1 ? "slice" : "slices") \(few)\(rest)"
  }
}

extension Workspace {
  /// The remark that slices of a shape are padded for the network; none where they fit as they are.
  func paddingRemark(_ shape: Shape) -> [String] {
    guard let size = network.fitting(height: shape.height, width: shape.width),
      size != (shape.height, shape.width)
    else { return [] }
    return [
      "slices of \(shape.height)×\(shape.width) do not fit the network: they are padded by reflection "
        + "to \(size.height)×\(size.width), and the output is cropped"
    ]
  }
}

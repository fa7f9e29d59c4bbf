import CT
import CommandLanguage
import Networks
import Tensors
import Training

extension Command<Workspace> {
  static let judgedSlices = Parameter.key(
    "on", .choice(["test", "train", "validation", "all"]), "the slices to judge",
    default: .absent("test; all without a split"))
  static let convention = Parameter.key(
    "convention",
    .choice(["full", "range:N"] + Convention.published.map(\.name) + ["all"]),
    "the range and clipping: full is unclipped, 4096 for HU, else the file's; a publication's; all",
    default: .value("full"))
  static let grouping = Parameter.key(
    "by", .choice(["all", "patient", "slice"]), "a row for each patient or slice, with the spread",
    default: .value("all"))
  private static let setup = ["phantom size=32 slices=2", "noise gaussian sigma=40HU"]
  private static let network = ["block channels=2", "conv"]

  static let evaluate = Command(
    CommandSpec(
      "evaluate", family: .learning,
      summary: "Judge the denoised slices beside the noisy ones.",
      details: """
        PSNR, SSIM (Wang 2004: Gaussian window of 11 pixels, σ 1.5) and RMSE, each the mean over \
        slices. The noisy slices are always those of the fixed draw. Slices that are padding only \
        are left out, which a warning says. With --json, the mean absolute error, visual information \
        fidelity, the PSNR of the mean square error, and the mean shift in HU, overall and by tissue, \
        too; a shift above 1 HU that noise does not explain is a warning. A baseline of the same slices \
        is judged beside.

        ldct-chest, ldct-abdomen, ldct-head clip to -600/1500, 50/400, 40/80 HU as ldct-benchmark \
        does, redcnn to -160..240 HU, corediff to -1000..1000 HU; all shows a row for each. by=patient \
        and by=slice show a row for each, and mean ± standard deviation.
        """,
      parameters: [judgedSlices, convention, grouping],
      examples: [
        CommandExample("evaluate", after: setup + network),
        CommandExample("evaluate on=all convention=range:2000", after: setup + network),
        CommandExample("evaluate convention=redcnn by=slice", after: setup + network),
      ], seeAlso: ["baseline median", "train", "expect"], runsInPass: true)
  ) { arguments, workspace, context in
    let slices = try workspace.judgedSlices(arguments)
    try workspace.network.requireTrainable()
    let noisy = try workspace.requireNoisy()
    try workspace.requireMemory(copies: 4, of: slices.count, try workspace.requireJudge())
    let images = try workspace.denoise(slices, context)
    let beside = slices.compactMap { workspace.baseline[$0]?.image }
    var outcome =
      beside.count == slices.count
      ? try workspace.judge(
        ["denoised": images, "baseline": beside], slices, arguments, context)
      : try workspace.judge(["denoised": images], slices, arguments, context)
    outcome.remarks += workspace.paddingRemark(noisy.shape)
    return outcome
  }

  static let denoise = Command(
    CommandSpec(
      "denoise", family: .learning,
      summary: "Apply the network to noisy slices, or to a whole study.",
      details: """
        The result is called denoised. 'denoised[3]' is computed when it is asked for, so this command \
        is needed only to say when. Noisy slices need no clean ones to be denoised.

        With a path and a folder, every CT series of the file or folder becomes derived DICOM in a \
        folder below OUT, slice by slice, by the network in use or the filter that with= names as \
        'baseline' takes it. Other files stay where they are, a file that cannot be read is named at \
        the end, and the same line goes on where it was stopped. Names, IDs and dates of the source \
        are left out unless identity=keep.
        """,
      parameters: [
        .word(
          "path", .path, "a study: a DICOM file, a folder or a DICOMDIR",
          default: .absent("the noisy slices of the session")),
        .word("out", .path, "the folder for the derived series", default: .absent("")),
        .key(
          "with", .text(placeholder: "FILTER"), "a classical denoiser for a study",
          default: .absent("the network in use")),
        .key(
          "hu", .interval(units: [.hounsfield]), "what becomes 0…1 in the network, for a study",
          default: .absent("the scale of the session, -1000..1000 without slices")),
        .key(
          "identity", .choice(["remove", "keep"]), "names, IDs, dates of a study's source",
          default: .value("remove")),
        .key(
          "on", .choice(["test", "train", "validation", "all"]), "the slices",
          default: .value("all")),
      ],
      examples: [
        CommandExample("denoise", after: setup + network),
        CommandExample(
          "denoise ct derived with=\"bm3d sigma=30HU\"",
          after: ["phantom size=32 slices=2 save=ct"]),
      ], seeAlso: ["evaluate", "view", "save dicom"], runsInPass: true)
  ) { arguments, workspace, context in
    if arguments.has("path") { return try workspace.denoiseStudy(arguments, context) }
    if let key = arguments.first(of: ["with", "hu", "identity"]) {
      throw arguments.error(
        at: key, .surplusArgument, "\(key)= belongs to a whole study",
        hint: key == "with"
          ? "'baseline \(try arguments.text(key))', or denoise PATH OUT" : "denoise PATH OUT")
    }
    let slices = try workspace.judgedSlices(arguments)
    try workspace.network.requireTrainable()
    let noisy = try workspace.requireNoisy()
    let images = try workspace.denoise(slices, context)
    var outcome = try workspace.describe("denoised", images, slices)
    outcome.remarks += workspace.paddingRemark(noisy.shape)
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
  func describe(
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
  func judgedSlices(_ arguments: Arguments) throws(CommandError) -> [Int] {
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
}

extension Workspace {
  /// The remark that slices of a shape are padded for the network; none where they fit as they are.
  func paddingRemark(_ shape: Shape) -> [String] {
    paddingRemark(height: shape.height, width: shape.width, named: "slices")
  }

  /// The remark that images of a size are padded for the network; none where they fit as they are.
  func paddingRemark(height: Int, width: Int, named name: String) -> [String] {
    guard let size = network.fitting(height: height, width: width), size != (height, width)
    else { return [] }
    return [
      "\(name) of \(height)×\(width) do not fit the network: they are padded by reflection "
        + "to \(size.height)×\(size.width), and the output is cropped"
    ]
  }
}

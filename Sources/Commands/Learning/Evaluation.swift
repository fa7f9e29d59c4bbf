import CT
import CommandLanguage
import Foundation
import Tensors
import Training

/// The figures of one stack of slices under one convention.
struct JudgedStack {
  let name: String
  /// PSNR, SSIM and RMSE by slice; nil for padding.
  let slices: [FiguresOfMerit?]
  /// The rest by slice.
  let further: [FurtherFigures?]

  var mean: FiguresOfMerit { FiguresOfMerit(meanOf: slices) }
  var furtherMean: FurtherFigures { FurtherFigures(of: further) }

  /// The part of some slices, by their places.
  func part(_ places: [Int]) -> JudgedStack {
    JudgedStack(name: name, slices: places.map { slices[$0] }, further: places.map { further[$0] })
  }

  /// The PSNR of the mean square error over slices, which weighs a bad slice more than the mean of
  /// PSNRs does.
  func psnrOfMean(range: Double) -> Double {
    let squares = slices.compactMap(\.self).map { $0.rmse * $0.rmse }
    let mean = squares.reduce(0, +) / Double(squares.count)
    return mean == 0 ? .infinity : 10 * log10(range * range / mean)
  }

  /// The members for `--json`.
  func json(_ rule: FigureRule) -> JSONValue {
    let (mean, further) = (mean, furtherMean)
    return .object(
      mean.members + [
        .init("mae", .number(further.mae)), .init("vif", .number(further.vif)),
        .init("bias", further.biasJSON),
        .init("psnr_of_mean", .number(psnrOfMean(range: rule.range))),
        .init("sd", FiguresOfMerit(deviationsOf: slices).json),
      ])
  }
}

extension FiguresOfMerit {
  var members: [JSONValue.Member] {
    [
      .init("psnr", .number(psnr)), .init("ssim", .number(ssim)), .init("rmse", .number(rmse)),
    ]
  }

  /// The standard deviation of each figure over the slices that have figures; NaN below two.
  init(deviationsOf figures: [FiguresOfMerit?]) {
    let judged = figures.compactMap(\.self)
    func deviation(_ values: [Double]) -> Double {
      let values = values.filter { !$0.isNaN }
      let mean = values.reduce(0, +) / Double(values.count)
      let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
      return values.count > 1 ? (squares / Double(values.count - 1)).squareRoot() : .nan
    }
    self.init(
      psnr: deviation(judged.map(\.psnr)), ssim: deviation(judged.map(\.ssim)),
      rmse: deviation(judged.map(\.rmse)))
  }
}

extension FurtherFigures {
  /// The mean shift overall and by tissue; NaN for tissues that are not there.
  fileprivate var biasJSON: JSONValue {
    .object(
      [.init("overall", .number(shift.mean))]
        + Tissue.allCases.map { .init($0.rawValue, .number(shifts[$0]?.mean ?? .nan)) })
  }
}

extension Workspace {
  /// Judges noisy slices and the `images` of named stacks, the first of which the session keeps.
  ///
  /// - Parameters:
  ///   - images: The slices of each stack by its name, in the order of `slices`.
  ///   - slices: The numbers of the slices.
  ///   - arguments: `convention=` and `by=`.
  ///   - context: For progress and Ctrl-C.
  /// - Returns: A table, its notes, and the figures for `--json`.
  /// - Throws: `CommandError` when something is missing, or after Ctrl-C.
  mutating func judge(
    _ images: KeyValuePairs<String, [Tensor<Float>]>, _ slices: [Int], _ arguments: Arguments,
    _ context: CommandContext
  ) throws -> Outcome {
    let judge = try requireJudge()
    let conventions = try arguments.conventions(judge.unit)
    if conventions.count > 1, try arguments.choice("by") != "all" {
      throw arguments.error(
        at: "by", .surplusArgument, "convention=all shows means over all slices only",
        hint: "one convention with by=, or convention=all without it")
    }
    let noisy = try requireNoisy()
    var stacks: [(name: String, part: (Range<Int>) -> Tensor<Float>)] = [
      ("noisy", { noisy.images(Array(slices[$0])) })
    ]
    for (name, images) in images {
      stacks.append((name, { Tensor(joining: Array(images[$0])) }))
    }
    var judged: [(convention: Convention, stacks: [JudgedStack])] = []
    for convention in conventions {
      judged.append(
        (
          convention,
          try stacks.map {
            try Self.figures($0.name, $0.part, judge, slices, convention, context)
          }
        ))
    }
    for stack in judged[0].stacks { figures[stack.name] = stack.mean }
    var outcome = try describe(judged, judge, slices, arguments)
    outcome.warnings += paddingWarnings(judge, of: slices)
    for stack in judged[0].stacks {
      outcome.warn(ofNumbersNotFiniteIn: stack.name, stack.slices, slices)
    }
    if let stack = judged[0].stacks.first(where: { $0.name == images[0].key }) {
      outcome.warn(ofShiftIn: stack, judge.unit)
    }
    return outcome
  }

  private static func figures(
    _ name: String, _ part: (Range<Int>) -> Tensor<Float>, _ judge: ImageStack, _ slices: [Int],
    _ convention: Convention, _ context: CommandContext
  ) throws -> JudgedStack {
    var (figures, further): ([FiguresOfMerit?], [FurtherFigures?]) = ([], [])
    // Slices are judged in groups of 8, so that progress can be shown in between.
    for start in stride(from: 0, to: slices.count, by: 8) {
      let group = start..<min(start + 8, slices.count)
      let (clean, images) = (judge.slices(Array(slices[group])), part(group))
      figures += clean.figures(
        of: images, convention: convention, shouldStop: context.shouldStop)
      try context.stopIfInterrupted()
      further += clean.furtherFigures(
        of: images, convention: convention, shouldStop: context.shouldStop)
      try context.stopIfInterrupted()
      context.progress(ProgressUpdate("judge \(name) \(group.upperBound)/\(slices.count)"))
    }
    return JudgedStack(name: name, slices: figures, further: further)
  }

  /// The table and the result.
  private func describe(
    _ judged: [(convention: Convention, stacks: [JudgedStack])], _ judge: ImageStack,
    _ slices: [Int], _ arguments: Arguments
  ) throws(CommandError) -> Outcome {
    let label = judged[0].convention.label(for: judge.unit)
    let count = slices.count - judge.slices(slices).paddingOnly.count
    let stacks = judged[0].stacks
    let groups = try groups(arguments, judge, slices)
    let unit = judge.unit == .hounsfield ? " HU" : ""
    let titles: [OutputTable.Column] = [
      .numbers("psnr dB"), .numbers("ssim"), .numbers("rmse\(unit)"),
    ]
    var outcome = Outcome()
    if judged.count > 1 {
      outcome.add(
        OutputTable(
          [.words("convention"), .words("")] + titles,
          rows: judged.flatMap { judged in
            judged.stacks.map { stack in
              [OutputLine(judged.convention.label(for: judge.unit)), OutputLine(stack.name)]
                + stack.mean.cells
            }
          }))
    } else if groups.isEmpty {
      outcome.add(
        OutputTable(
          [.words("")] + titles, rows: stacks.map { [OutputLine($0.name)] + $0.mean.cells }))
    } else {
      outcome.add(
        OutputTable(
          [.words(""), .words("")] + titles,
          rows: groups.flatMap { group in
            stacks.map { stack in
              [OutputLine(group.name), OutputLine(stack.name)] + stack.part(group.places).mean.cells
            }
          }
            + stacks.map { stack in
              let means = groups.map { Optional(stack.part($0.places).mean) }
              return [OutputLine("mean ± sd"), OutputLine(stack.name)]
                + FiguresOfMerit(meanOf: means).cells(FiguresOfMerit(deviationsOf: means))
            }))
    }
    let bracket = judged.count > 1 ? "" : "  [\(label)]"
    outcome.say("mean over \(count) \(count == 1 ? "slice" : "slices")\(bracket)")
    if judged.count > 1 || !groups.isEmpty {
      let rule = judged[0].convention.rule(for: judge.unit)
      for stack in stacks {
        outcome.say(
          """
          \(stack.name)  mean of PSNRs \(stack.mean.psnr, digits: 2) dB, PSNR of the mean square \
          error \(stack.psnrOfMean(range: rule.range), digits: 2) dB
          """)
      }
    }
    outcome.result = result(judged, judge.unit, label: label, count: count, groups)
    return outcome
  }

  private func result(
    _ judged: [(convention: Convention, stacks: [JudgedStack])], _ unit: ValueUnit, label: String,
    count: Int, _ groups: [(name: String, places: [Int])]
  ) -> JSONValue {
    func members(_ one: (convention: Convention, stacks: [JudgedStack])) -> [JSONValue.Member] {
      let rule = one.convention.rule(for: unit)
      return one.stacks.map { .init($0.name, $0.json(rule)) }
        + [.init("convention", .string(one.convention.label(for: unit)))]
    }
    var result = members(judged[0]) + [.init("slices", .integer(count))]
    if judged.count > 1 {
      result.append(.init("conventions", .list(judged) { .object(members($0)) }))
    }
    if !groups.isEmpty {
      result.append(
        .init(
          "rows",
          .list(groups) { group in
            .object(
              [.init("name", .string(group.name))]
                + judged[0].stacks.map {
                  .init(
                    $0.name,
                    $0.part(group.places).json(judged[0].convention.rule(for: unit)))
                })
          }))
    }
    return .object(result)
  }

  /// The groups that `by=` names, with the places of their slices among those judged; empty for all.
  private func groups(
    _ arguments: Arguments, _ judge: ImageStack, _ slices: [Int]
  ) throws(CommandError) -> [(name: String, places: [Int])] {
    let empty = Set(judge.slices(slices).paddingOnly)
    let places = slices.indices.filter { !empty.contains($0) }
    switch try arguments.choice("by") {
    case "slice": return places.map { ("slice \(slices[$0])", [$0]) }
    case "patient":
      let patients = Dictionary(grouping: places) { judge.origins[slices[$0]].patient }
      return patients.sorted { $0.key < $1.key }.map { ("patient \($0.key)", $0.value) }
    default: return []
    }
  }
}

extension FiguresOfMerit {
  /// The cells of a row.
  fileprivate var cells: [OutputLine] {
    ["\(psnr, digits: 2)", "\(ssim, digits: 4)", "\(rmse, digits: 2)"]
  }

  /// The cells of a row of means with deviations.
  fileprivate func cells(_ deviations: FiguresOfMerit) -> [OutputLine] {
    [
      "\(psnr, digits: 2) ± \(deviations.psnr, digits: 2)",
      "\(ssim, digits: 4) ± \(deviations.ssim, digits: 4)",
      "\(rmse, digits: 2) ± \(deviations.rmse, digits: 2)",
    ]
  }
}

extension Arguments {
  /// The conventions that `convention=` names.
  fileprivate func conventions(_ unit: ValueUnit) throws(CommandError) -> [Convention] {
    let (word, number) = try taggedChoice("convention")
    switch word {
    case "full": return [.full]
    case "all":
      return [.full] + (unit == .hounsfield ? Convention.published.map(\.convention) : [])
    case "range":
      guard let number, number > 0 else {
        throw error(
          at: "convention", .outOfRange, "the range must be above 0", hint: "for example range:2000"
        )
      }
      return [.range(number)]
    default:
      guard unit == .hounsfield else {
        throw error(
          at: "convention", .data, "\(word) is for HU, and the data are not in HU",
          hint: "convention=full, or range:N")
      }
      return Convention.published.filter { $0.name == word }.map(\.convention)
    }
  }
}

extension Outcome {
  /// Says where the mean of a stack is off by more than 1 HU.
  fileprivate mutating func warn(ofShiftIn stack: JudgedStack, _ unit: ValueUnit) {
    guard unit == .hounsfield else { return }
    let further = stack.furtherMean
    var places: [(name: String, shift: Shift)] = [("overall", further.shift)]
    places += Tissue.allCases.compactMap { tissue in
      further.shifts[tissue].map { ("in \(tissue.rawValue)", $0) }
    }
    let off = places.filter { $0.shift.exceeds(1) }.map { place in
      "\(place.shift.mean > 0 ? "+" : "")\(NumberFormat.fixed(1).string(place.shift.mean)) HU \(place.name)"
    }
    guard !off.isEmpty else { return }
    warn("\(stack.name) shifts the mean by \(off.joined(separator: ", "))")
  }

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

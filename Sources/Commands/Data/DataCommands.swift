import CT
import CommandLanguage
import Figures
import Fingerprints
import Foundation
import Tensors
import Training

extension Command<Workspace> {
  static let phantom = Command(
    CommandSpec(
      "phantom", family: .data,
      summary: "Make the clean slices of synthetic patients' chests.",
      details: """
        A thorax with lungs, vessels, airways, heart, spine, ribs, nodules and a table, in HU, \
        different from slice to slice and from patient to patient. With save= it is written as \
        DICOM CT, one series a patient, and read back. 'load phantom' means the same. kind=water is a \
        cylinder of water in air, kind=inserts one with rods of -1000 to 990 HU, for 'sharpness', \
        'spectrum' and 'detect'.
        """,
      parameters: [
        .key(
          "kind", .choice(PhantomKind.allCases.map(\.rawValue)), "what is shown",
          default: .value("thorax")),
        .key("size", .integer(16...2048), "rows and columns", default: .value("256")),
        .key("slices", .integer(1...1000), "slices of each patient", default: .value("16")),
        .key("patients", .integer(1...100), "how many patients", default: .value("2")),
        .key("seed", .integer(), "other patients", default: .value("1")),
        .key("save", .path, "a folder for DICOM files", default: .absent("nothing is written")),
        Parameter.replace,
      ],
      examples: [
        "phantom size=64 slices=4", CommandExample("phantom size=32 slices=2 save=ct"),
        "phantom kind=inserts size=64 slices=1 patients=1",
      ], seeAlso: ["load", "noise gaussian"], recipe: .slices, isAllOrNothing: true),
    preview: previewPhantom
  ) { arguments, workspace, context in
    let phantom = ThoraxPhantom(
      size: try arguments.integer("size"), slices: try arguments.integer("slices"),
      patients: try arguments.integer("patients"), seed: UInt64(try arguments.integer("seed")),
      kind: try arguments.choice("kind", as: PhantomKind.self))
    return try workspace.make(
      phantom, save: arguments.pathIfGiven("save"), arguments.replacing, slices: nil, context)
  }

  static let load = Command(
    CommandSpec(
      "load", family: .data,
      summary: "Load CT slices from a file, a folder, a DICOMDIR or .npy.",
      details: """
        Files may have any name: content decides. Slices are ordered along the slice normal and \
        become HU by each file's own rescale. Several series of one size become one stack; choose \
        with series= by the number in the table of 'series', or, when several bear one number, by \
        place (series=#2) or UID. Localizers, reports and what is no CT load only when named. \
        Ctrl-C stops and changes nothing. A .npy file holds [H,W], [N,H,W] or [N,1,H,W]; it carries no unit: numbers \
        that reach below -200 are taken as HU unless unit= says otherwise. 'load phantom' makes \
        the synthetic thorax, so that 'let data = phantom' stands for a folder. Noisy slices may be \
        loaded alone, to be denoised; with clean ones, before or after, they become pairs: slices that lie in \
        the same place belong together, and those without a counterpart are left out.
        """,
      parameters: [
        .word("path", .path, "the file or folder, or phantom"),
        .key(
          "series", .either([.integer(), .choice(["all"]), .text(placeholder: "UID")]),
          "the series to load: its number in the table, its place as #2, its UID, or all",
          default: .absent("all that have one size")),
        .key(
          "slices", .integerInterval, "the slices to keep, both ends included",
          default: .absent("all")),
        .key("as", .choice(["clean", "noisy"]), "what the slices are", default: .value("clean")),
        .key(
          "pair", .choice(["position", "order", "no"]),
          "how noisy slices find their clean ones; no keeps the noisy ones alone",
          default: .value("position")),
        .key(
          "unit", .choice(["HU", "none"]), "what the numbers of a .npy file are",
          default: .absent("from the numbers")),
      ],
      examples: [
        "load phantom",
        CommandExample("load ct", after: ["phantom size=32 slices=2 save=ct"]),
        CommandExample("load ct series=1 slices=0..1", after: ["phantom size=32 slices=2 save=ct"]),
      ], seeAlso: ["series", "phantom"], recipe: .slices), preview: previewLoad
  ) { arguments, workspace, context in
    let path = try arguments.path("path")
    let range = arguments.integersIfGiven("slices")
    if path.lowercased() == "phantom" {
      if let key = ["series", "as", "pair", "unit"].first(where: arguments.has) {
        throw arguments.error(
          at: key, .surplusArgument, "the phantom knows no \(key)=",
          hint: "leave it out, or load a file or folder")
      }
      return try workspace.make(ThoraxPhantom(), save: nil, slices: range, context)
    }
    let loaded = try workspace.read(arguments, context)
    return try arguments.choice("as") == "noisy"
      ? try workspace.takeNoisy(loaded, arguments, context)
      : try workspace.takeClean(loaded, arguments, context)
  }

  static let series = Command(
    CommandSpec(
      "series", family: .data,
      summary: "List the CT series in a file or folder without loading them.",
      parameters: [.word("path", .path, "the file or folder")],
      examples: [CommandExample("series ct", after: ["phantom size=32 slices=2 save=ct"])],
      seeAlso: ["load", "tags"], runsInPass: true)
  ) { arguments, workspace, context in
    let inventory = try CTInventory.scan(
      try workspace.readingPath(arguments), limits: workspace.readingLimits(context),
      progress: context.reporter("series", of: "headers"))
    var outcome = Outcome()
    outcome.add(inventory.table)
    outcome.warnings = inventory.notes + inventory.series.warnings
    outcome.result = [
      "series": .list(inventory.series) { series in
        [
          "number": series.number.map { .integer($0) } ?? .null, "uid": .string(series.shownUID),
          "description": .string(series.seriesDescription),
          "kernel": .string(series.convolutionKernel), "slices": .integer(series.slices.count),
          "rows": .integer(series.rows), "columns": .integer(series.columns),
          "spacing": series.sliceSpacing.map { .number($0) } ?? .null,
        ]
      }
    ]
    return outcome
  }

  static let tags = Command(
    CommandSpec(
      "tags", family: .data,
      summary: "List the DICOM attributes of a file; identity stays hidden.",
      parameters: [
        .word("path", .path, "the file"),
        .word(
          "word", .text(placeholder: "WORD"), "only attributes with this in their name",
          default: .absent("all")),
      ],
      examples: [
        CommandExample(
          "tags ct/patient1-series1-0001.dcm Rescale", after: ["phantom size=32 slices=2 save=ct"])
      ], seeAlso: ["series"], runsInPass: true)
  ) { arguments, workspace, context in
    let word = arguments.textIfGiven("word")?.lowercased()
    let attributes = try CTAttribute.list(
      try workspace.readingPath(arguments), limits: workspace.readingLimits(context)
    ).filter { attribute in
      word.map { attribute.keyword.lowercased().contains($0) } ?? true
    }
    var outcome = Outcome()
    outcome.add(
      OutputTable(
        [.words("tag"), .words("VR"), .words("name"), .words("value")],
        rows: attributes.map { attribute in
          let indent = String(repeating: "  ", count: attribute.depth)
          return [
            OutputLine(indent + attribute.tag), OutputLine(attribute.vr),
            OutputLine(attribute.keyword), OutputLine(attribute.value),
          ]
        }))
    outcome.result = [
      "tags": .list(attributes) {
        [
          "tag": .string($0.tag), "vr": .string($0.vr), "keyword": .string($0.keyword),
          "value": .string($0.value),
        ]
      }
    ]
    return outcome
  }

  static let data = Command(
    CommandSpec(
      "data", family: .data,
      summary: "Say what is loaded, and how it is split, made noisy and scaled.",
      examples: [CommandExample("data", after: ["phantom size=32 slices=2"])],
      seeAlso: ["load", "split", "scale"], runsInPass: true, isAllOrNothing: true)
  ) { _, workspace, context in
    var outcome = try workspace.describeSlices(context)
    let scale = try workspace.requireScale()
    outcome.say("scale  \(scale.lower)…\(scale.upper) → 0…1")
    if let split = workspace.split { outcome.append(workspace.describe(split)) }
    return outcome
  }

  static let crop = Command(
    CommandSpec(
      "crop", family: .data,
      summary: "Keep a part of the slices, of clean and noisy ones alike.",
      details: """
        Noise stays as it was drawn. The split stays while all slices do; else it is cleared, which \
        a warning says.
        """,
      parameters: [
        .key("slices", .integerInterval, "slices, both ends included", default: .absent("all")),
        .key("rows", .integerInterval, "rows, both ends included", default: .absent("all")),
        .key("columns", .integerInterval, "columns, both ends included", default: .absent("all")),
      ],
      examples: [
        CommandExample("crop rows=8..23 columns=8..23", after: ["phantom size=32 slices=2"])
      ],
      seeAlso: ["load"], recipe: .change, isAllOrNothing: true)
  ) { arguments, workspace, context in
    let all = try workspace.requireSlices()
    guard arguments.first(of: ["slices", "rows", "columns"]) != nil else {
      throw arguments.error(
        .missingArgument, "crop needs slices=, rows= or columns=",
        hint: "\(all.count) × [\(all.height),\(all.width)] is there: for example "
          + "crop rows=0..\((all.height - 1) / 2) columns=0..\((all.width - 1) / 2)")
    }
    func range(_ name: String, _ extent: Int) throws(CommandError) -> Range<Int> {
      guard let range = arguments.integersIfGiven(name) else { return 0..<extent }
      guard range.lowerBound >= 0, range.upperBound < extent else {
        throw arguments.error(
          at: name, .outOfRange, "\(name)=\(range.lowerBound)..\(range.upperBound) is outside",
          hint: "0..\(extent - 1) exist")
      }
      return range.lowerBound..<range.upperBound + 1
    }
    let part = SlicePart(
      slices: Array(try range("slices", all.count)), rows: try range("rows", all.height),
      columns: try range("columns", all.width))
    let hadSplit = workspace.split != nil
    workspace.crop(to: part)
    var outcome = try workspace.describeSlices(context)
    if hadSplit, workspace.split == nil {
      outcome.warn("the split is cleared, since its slices are others now: type it again")
    }
    return outcome
  }
}

/// A value of an image: whole numbers without digits, others with two.
func brief(_ value: Double) -> OutputLine {
  value == value.rounded() && abs(value) < 1e9 ? "\(value)" : "\(value, digits: 2)"
}

// MARK: - Saying what there is

extension Workspace {
  /// The clean and the noisy slices, a line each, and what they are like.
  func describeSlices(_ context: CommandContext) throws -> Outcome {
    guard clean != nil else { return describeAlone(try requireSlices()) }
    var outcome = describe("clean", try requireClean())
    if noisy != nil { outcome.append(try describePair(context)) }
    return outcome
  }

  /// One line: `noisy  rmse 40.02 HU …`, of the noisy slices beside the clean ones.
  func describePair(_ context: CommandContext) throws -> Outcome {
    let judge = try requireJudge()
    let figures = judge.figures(of: try requireNoisy(), shouldStop: context.shouldStop)
    try context.stopIfInterrupted()
    var outcome = describeNoisy(FiguresOfMerit(meanOf: figures), judge.unit)
    outcome.warnings += paddingWarnings(judge)
    return outcome
  }

  /// The noisy slices where there are no clean ones.
  func describeAlone(_ stack: ImageStack) -> Outcome {
    var outcome = describe("noisy", stack)
    outcome.say("no clean slices: they can be denoised, not judged or trained on")
    return outcome
  }

  /// One line: `clean  16 slices 256×256 · 2 patients · HU -1024…1170, mean -512.4`.
  func describe(_ name: String, _ stack: ImageStack) -> Outcome {
    let statistics = stack.values.statistics(excluding: stack.mask)
    let patients = Set(stack.origins.map(\.patient)).count
    let unit = stack.unit == .hounsfield ? "HU" : "values"
    let padding = stack.mask.map { mask in mask.count(where: \.self) } ?? 0
    var outcome = Outcome()
    if statistics.nanCount + statistics.infiniteCount > 0 {
      let slices = (0..<stack.count).filter { !stack.values.image($0).isFinite() }
      outcome.warn(
        "\(statistics.nanCount) NaN and \(statistics.infiniteCount) infinite values, in slices "
          + slices.prefix(10).map(String.init).joined(separator: ", "))
    }
    outcome.say(
      """
      \(name)  \(stack.count, "slice") \(stack.height)×\(stack.width) \
      · \(patients, "patient") \
      · \(unit) \(brief(statistics.min))…\(brief(statistics.max)), \
      mean \(statistics.mean, digits: 1)\(padding > 0 ? " · \(padding) padding" : "")
      """)
    outcome.result = [
      "slices": .integer(stack.count), "rows": .integer(stack.height),
      "columns": .integer(stack.width), "patients": .integer(patients),
      "unit": .string(unit), "min": .number(statistics.min), "max": .number(statistics.max),
      "mean": .number(statistics.mean), "padding": .integer(padding),
    ]
    return outcome
  }
}

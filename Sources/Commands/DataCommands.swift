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
        DICOM CT, one series a patient, and read back. 'load phantom' means the same.
        """,
      parameters: [
        .key("size", .integer(16...2048), "rows and columns", default: .value("256")),
        .key("slices", .integer(1...1000), "slices of each patient", default: .value("16")),
        .key("patients", .integer(1...100), "how many patients", default: .value("2")),
        .key("seed", .integer(), "other patients", default: .value("1")),
        .key("save", .path, "a folder for DICOM files", default: .absent("nothing is written")),
      ],
      examples: [
        "phantom size=64 slices=4", CommandExample("phantom size=32 slices=2 save=ct"),
      ], seeAlso: ["load", "noise gaussian"])
  ) { arguments, workspace, context in
    let phantom = ThoraxPhantom(
      size: try arguments.integer("size"), slices: try arguments.integer("slices"),
      patients: try arguments.integer("patients"), seed: UInt64(try arguments.integer("seed")))
    return try workspace.make(phantom, save: arguments.pathIfGiven("save"), slices: nil, context)
  }

  static let load = Command(
    CommandSpec(
      "load", family: .data,
      summary: "Load CT slices from a file, a folder, a DICOMDIR or .npy.",
      details: """
        Files may have any name: content decides. Slices are ordered along the slice normal and \
        become HU by each file's own rescale. Several series of one size become one stack; choose \
        with series=. A .npy file holds [H,W], [N,H,W] or [N,1,H,W]; it carries no unit: numbers \
        that reach below -200 are taken as HU unless unit= says otherwise. 'load phantom' makes \
        the synthetic thorax, so that 'let data = phantom' stands for a folder.
        """,
      parameters: [
        .word("path", .path, "the file or folder, or phantom"),
        .key(
          "series", .either([.integer(), .choice(["all"]), .text(placeholder: "UID")]),
          "the series to load: its number in the table, UID, or all",
          default: .absent("all that have one size")),
        .key(
          "slices", .integerInterval, "the slices to keep, both ends included",
          default: .absent("all")),
        .key("as", .choice(["clean", "noisy"]), "what the slices are", default: .value("clean")),
        .key(
          "unit", .choice(["HU", "none"]), "what the numbers of a .npy file are",
          default: .absent("from the numbers")),
      ],
      examples: [
        "load phantom",
        CommandExample("load ct", after: ["phantom size=32 slices=2 save=ct"]),
        CommandExample("load ct series=1 slices=0..1", after: ["phantom size=32 slices=2 save=ct"]),
      ], seeAlso: ["series", "phantom"])
  ) { arguments, workspace, context in
    let path = try arguments.path("path")
    let range = arguments.integersIfGiven("slices")
    if path.lowercased() == "phantom" {
      if let key = ["series", "as", "unit"].first(where: arguments.has) {
        throw arguments.error(
          at: key, .surplusArgument, "the phantom knows no \(key)=",
          hint: "leave it out, or load a file or folder")
      }
      return try workspace.make(ThoraxPhantom(), save: nil, slices: range, context)
    }
    let loaded = try workspace.read(arguments, context)
    guard try arguments.choice("as") == "noisy" else {
      return workspace.takeClean(loaded)
    }
    let clean = try workspace.requireClean()
    guard loaded.stack.values.shape == clean.values.shape else {
      throw arguments.error(
        at: "path", .shape,
        "noisy slices are \(loaded.stack.values.shape), clean ones \(clean.values.shape)",
        hint: "load the noisy counterpart of the same slices")
    }
    workspace.noise = nil
    workspace.noisy = loaded.stack.values
    var outcome = workspace.describeNoisy()
    outcome.warnings += loaded.warnings
    outcome.data = [loaded.stamp(name: "noisy")]
    return outcome
  }

  static let series = Command(
    CommandSpec(
      "series", family: .data,
      summary: "List the CT series in a file or folder without loading them.",
      parameters: [.word("path", .path, "the file or folder")],
      examples: [CommandExample("series ct", after: ["phantom size=32 slices=2 save=ct"])],
      seeAlso: ["load", "tags"])
  ) { arguments, workspace, _ in
    let inventory = try CTInventory.scan(try workspace.readingPath(arguments))
    var outcome = Outcome()
    outcome.add(inventory.table)
    outcome.warnings = inventory.notes + inventory.series.flatMap(\.warnings)
    outcome.result = [
      "series": .list(inventory.series) { series in
        [
          "number": series.number.map { .integer($0) } ?? .null, "uid": .string(series.uid),
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
      ], seeAlso: ["series"])
  ) { arguments, workspace, _ in
    let word = arguments.textIfGiven("word")?.lowercased()
    let attributes = try CTAttribute.list(try workspace.readingPath(arguments)).filter {
      attribute in word.map { attribute.keyword.lowercased().contains($0) } ?? true
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
      seeAlso: ["load", "split", "scale"])
  ) { _, workspace, _ in
    var outcome = workspace.describeClean(try workspace.requireClean())
    if workspace.noisy != nil { outcome.append(workspace.describeNoisy()) }
    let scale = try workspace.requireScale()
    outcome.say("scale  \(scale.lower)…\(scale.upper) → 0…1")
    if let split = workspace.split { outcome.append(workspace.describe(split)) }
    return outcome
  }

  static let crop = Command(
    CommandSpec(
      "crop", family: .data,
      summary: "Keep a part of the slices; noise and split are cleared.",
      parameters: [
        .key("slices", .integerInterval, "slices, both ends included", default: .absent("all")),
        .key("rows", .integerInterval, "rows, both ends included", default: .absent("all")),
        .key("columns", .integerInterval, "columns, both ends included", default: .absent("all")),
      ],
      examples: [
        CommandExample("crop rows=8..23 columns=8..23", after: ["phantom size=32 slices=2"])
      ],
      seeAlso: ["load"])
  ) { arguments, workspace, _ in
    let clean = try workspace.requireClean()
    func range(_ name: String, _ extent: Int) throws(CommandError) -> Range<Int> {
      guard let range = arguments.integersIfGiven(name) else { return 0..<extent }
      guard range.lowerBound >= 0, range.upperBound < extent else {
        throw arguments.error(
          at: name, .outOfRange, "\(name)=\(range.lowerBound)..\(range.upperBound) is outside",
          hint: "0..\(extent - 1) exist")
      }
      return range.lowerBound..<range.upperBound + 1
    }
    let slices = Array(try range("slices", clean.count))
    let rows = try range("rows", clean.height)
    let columns = try range("columns", clean.width)
    workspace.clean = clean.slices(slices).cropped(rows: rows, columns: columns)
    return workspace.describeClean(try workspace.requireClean())
  }
}

// MARK: - Loading

/// A value of an image: whole numbers without digits, others with two.
func brief(_ value: Double) -> OutputLine {
  value == value.rounded() && abs(value) < 1e9 ? "\(value)" : "\(value, digits: 2)"
}

/// The range of stored values: from 0, or from the smallest value if a file reaches below, or if
/// its numbers have no range of their own; never empty.
private func storedRange(from smallest: Double, extent: Double) -> ClosedRange<Double> {
  let isWhole = extent == extent.rounded() && smallest >= 0 && smallest <= extent
  let lower = smallest.isFinite && !isWhole ? smallest : 0
  return lower...lower + (extent > 0 && extent.isFinite ? extent : 1)
}

/// Slices with what is to be said about them.
struct LoadedSlices {
  let stack: ImageStack
  var windows: [Figures.Window] = []
  var warnings: [String] = []
  var table: OutputTable?

  func stamp(name: String) -> Outcome.DataStamp {
    Outcome.DataStamp(name: name, fingerprint: "sha256:\(stack.values.fingerprint)")
  }
}

extension Workspace {
  /// The path that a command reads.
  func readingPath(_ arguments: Arguments) throws(CommandError) -> String {
    do throws(CommandError) {
      return try files.reading(try arguments.path("path"))
    } catch {
      throw arguments.error(
        at: "path", error.code, error.message, hint: error.hint, status: error.status)
    }
  }

  /// Makes the phantom's slices, through DICOM files if they are to be saved.
  fileprivate mutating func make(
    _ phantom: ThoraxPhantom, save: String?, slices: ClosedRange<Int>?, _ context: CommandContext
  ) throws -> Outcome {
    // The growing array and its copy; files are read back beside it.
    let pixels = phantom.patients * phantom.slices * phantom.size * phantom.size
    try requireMemory(
      pixels * MemoryLayout<Float>.size * (save == nil ? 3 : 5),
      for: "\(phantom.patients * phantom.slices) slices of \(phantom.size)×\(phantom.size)",
      hint: "take fewer or smaller slices")
    var scalars: [Float] = []
    var origins: [SliceOrigin] = []
    for patient in 1...phantom.patients {
      try context.stopIfInterrupted()
      context.progress(
        ProgressUpdate(
          "phantom: patient \(patient) of \(phantom.patients)",
          fraction: Double(patient - 1) / Double(phantom.patients)))
      let stack = phantom.stack(patient: patient - 1)
      if let save {
        _ = try CTWriter.write(
          stack, to: try files.writing(save + "/."),
          description: SeriesDescription(
            patient: patient, seed: phantom.seed, pixelSpacing: phantom.pixelSpacing,
            sliceSpacing: phantom.sliceSpacing, seriesNumber: patient,
            description: "Thorax phantom"))
      }
      scalars += stack.scalars
      origins += Array(
        repeating: SliceOrigin(patient: patient, series: patient), count: phantom.slices)
    }
    if let save {
      let loaded = try readDICOM(
        CTInventory.scan(try files.reading(save)), choice: nil, slices: nil, context)
      guard loaded.stack.values.scalars == scalars else {
        throw CommandError(
          .data, "the slices read back from \(save) are not those written",
          hint: "the folder held other series before; choose an empty one")
      }
      var outcome = takeClean(loaded)
      outcome.say("saved  \(save)/  \(phantom.patients) DICOM series, read back equal")
      outcome.add(file: save)
      return outcome
    }
    let stack = ImageStack(
      values: Tensor(shape: [origins.count, 1, phantom.size, phantom.size], scalars: scalars),
      mask: nil, unit: .hounsfield, origins: origins)
    return takeClean(LoadedSlices(stack: try keep(slices, of: stack)))
  }

  /// Reads what a `load` line names.
  fileprivate func read(
    _ arguments: Arguments, _ context: CommandContext
  ) throws -> LoadedSlices {
    let path = try readingPath(arguments)
    let slices = arguments.integersIfGiven("slices")
    do {
      if path.lowercased().hasSuffix(".npy") {
        let stack = try readArray(path, unit: arguments.choiceIfGiven("unit"))
        return LoadedSlices(stack: try keep(slices, of: stack))
      }
      return try readDICOM(
        CTInventory.scan(path), choice: arguments.value("series"), slices: slices, context)
    } catch {
      let cause = commandError(error)
      guard cause.range == nil else { throw cause }
      let place =
        cause.code == "series" && arguments.has("series")
        ? "series"
        : cause.code == "slices" ? "slices" : "path"
      throw arguments.error(
        at: place, cause.code, cause.message, hint: cause.hint, status: cause.status)
    }
  }

  /// Reads the chosen series of an inventory into one stack.
  private func readDICOM(
    _ inventory: CTInventory, choice: ArgumentValue?, slices: ClosedRange<Int>?,
    _ context: CommandContext
  ) throws -> LoadedSlices {
    let chosen = try inventory.chosen(choice)
    var patients: [String] = []
    var loaded: [LoadedSeries] = []
    for series in chosen {
      context.progress(
        ProgressUpdate(
          "load: series \(loaded.count + 1) of \(chosen.count)",
          fraction: Double(loaded.count) / Double(chosen.count)))
      let interruption = context.interruption
      loaded.append(
        try series.load(memoryLimit: memoryLimit) { _, _ in !interruption.isRequested })
      if !patients.contains(series.patientKey) { patients.append(series.patientKey) }
    }
    guard let first = loaded.first, loaded.allSatisfy({ $0.unit == first.unit }) else {
      throw CommandError(
        .data, "the series have different units", hint: "load one of them with series=N")
    }
    let shape: Shape = [
      loaded.reduce(0) { $0 + $1.stack.shape.batch }, 1, chosen[0].rows, chosen[0].columns,
    ]
    let origins = loaded.enumerated().flatMap { index, series in
      Array(
        repeating: SliceOrigin(
          patient: (patients.firstIndex(of: series.patientKey) ?? 0) + 1, series: index + 1),
        count: series.stack.shape.batch)
    }
    let values = Tensor(shape: shape, scalars: loaded.flatMap(\.stack.scalars))
    let hasPadding = loaded.contains { $0.mask != nil }
    let stack = ImageStack(
      values: values,
      mask: hasPadding
        ? loaded.flatMap { $0.mask ?? Array(repeating: false, count: $0.stack.shape.count) } : nil,
      unit: first.unit == .hounsfield
        ? .hounsfield
        : .stored(storedRange(from: values.statistics().min, extent: first.fileRange)),
      origins: origins)
    return LoadedSlices(
      stack: try keep(slices, of: stack),
      windows: first.windows.compactMap {
        try? Figures.Window(
          center: $0.center, width: $0.width,
          function: Figures.Window.Function(rawValue: $0.function.rawValue) ?? .linear)
      },
      warnings: inventory.notes + loaded.flatMap(\.warnings) + mixedKernels(chosen),
      table: chosen.count > 1 ? CTInventory.table(of: chosen) : nil)
  }

  private func mixedKernels(_ series: [CTSeries]) -> [String] {
    let kernels = Set(series.map(\.convolutionKernel))
    return kernels.count > 1
      ? [
        "the series have different kernels (\(kernels.sorted().joined(separator: ", "))): choose one with series=N"
      ]
      : []
  }

  private func readArray(_ path: String, unit: String?) throws -> ImageStack {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw CommandError(
        .file, "the file cannot be read", hint: "check its permissions", status: .badInput)
    }
    let array: Tensor<Double>
    let typeRange: ClosedRange<Double>?
    do throws(TensorError) {
      (array, typeRange) = try NPY.decodeWithRange(data)
    } catch {
      throw CommandError(
        .init(rawValue: error.code), error.message, hint: error.hint, status: .badInput)
    }
    let extents = array.shape.extents
    let shape: Shape
    switch extents.count {
    case 2: shape = [1, 1, extents[0], extents[1]]
    case 3: shape = [extents[0], 1, extents[1], extents[2]]
    case 4 where extents[1] == 1: shape = array.shape
    default:
      throw CommandError(
        .shape, "the array is \(array.shape)", hint: "images are [H,W], [N,H,W] or [N,1,H,W]",
        status: .badInput)
    }
    guard shape.count > 0 else {
      throw CommandError(.shape, "the array \(array.shape) is empty", hint: "", status: .badInput)
    }
    let values = array.floats().reshaped(shape)
    let statistics = values.statistics()
    let isHounsfield = unit.map { $0.lowercased() == "hu" } ?? (statistics.min < -200)
    let range =
      typeRange ?? storedRange(from: statistics.min, extent: statistics.max - statistics.min)
    return ImageStack(
      values: values, mask: nil,
      unit: isHounsfield ? .hounsfield : .stored(range),
      origins: Array(repeating: SliceOrigin(patient: 1, series: 1), count: shape.batch))
  }

  private func keep(_ slices: ClosedRange<Int>?, of stack: ImageStack) throws -> ImageStack {
    guard let slices else { return stack }
    guard slices.lowerBound >= 0, slices.upperBound < stack.count else {
      throw CommandError(
        "slices", "slices \(slices.lowerBound)..\(slices.upperBound) are not all there",
        hint: "0..\(stack.count - 1) exist")
    }
    return stack.slices(Array(slices))
  }

  /// Makes loaded slices the clean ones.
  fileprivate mutating func takeClean(_ loaded: LoadedSlices) -> Outcome {
    clean = loaded.stack
    fileWindows = loaded.windows
    var outcome = Outcome()
    if let table = loaded.table { outcome.add(table) }
    let described = describeClean(loaded.stack)
    outcome.append(described)
    outcome.warnings += loaded.warnings
    outcome.data = [loaded.stamp(name: "clean")]
    outcome.result = described.result
    return outcome
  }
}

// MARK: - Saying what there is

extension Workspace {
  /// One line: `clean  16 slices 256×256 · 2 patients · HU -1024…1170, mean -512.4`.
  func describeClean(_ stack: ImageStack) -> Outcome {
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
      clean  \(stack.count) \(stack.count == 1 ? "slice" : "slices") \(stack.height)×\(stack.width) \
      · \(patients) \(patients == 1 ? "patient" : "patients") \
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

extension ImageStack {
  /// A rectangle of each slice.
  fileprivate func cropped(rows: Range<Int>, columns: Range<Int>) -> ImageStack {
    let places = (0..<count).flatMap { slice in
      rows.flatMap { row in columns.map { (slice * height + row) * width + $0 } }
    }
    return ImageStack(
      values: Tensor(
        shape: [count, 1, rows.count, columns.count], scalars: places.map { values.scalars[$0] }),
      mask: mask.map { mask in places.map { mask[$0] } }, unit: unit, origins: origins)
  }
}

extension CTInventory {
  /// The series with their numbers, as `series` prints them.
  var table: OutputTable { Self.table(of: series) }

  static func table(of series: [CTSeries]) -> OutputTable {
    OutputTable(
      [
        .numbers("series"), .words("description"), .words("kernel"), .numbers("slices"),
        .words("size"), .numbers("spacing mm"),
      ],
      rows: series.enumerated().map { index, entry in
        [
          "\(entry.number ?? index + 1)", OutputLine(entry.seriesDescription),
          OutputLine(entry.convolutionKernel), "\(entry.slices.count)",
          "\(entry.rows)×\(entry.columns)",
          entry.sliceSpacing.map { "\($0, significant: 4)" } ?? "",
        ]
      })
  }

  /// The series that `series=` chooses; all if they have one size.
  fileprivate func chosen(_ choice: ArgumentValue?) throws(CommandError) -> [CTSeries] {
    let found: [CTSeries]
    switch choice {
    case .integer(let number):
      let numbered = series.filter { $0.number == number }
      found =
        numbered.isEmpty && series.indices.contains(number - 1)
          && series.allSatisfy({ $0.number == nil }) ? [series[number - 1]] : numbered
    case .text(let uid): found = series.filter { $0.uid == uid }
    default: found = series
    }
    guard let first = found.first else {
      throw CommandError(
        "series", "there is no such series",
        hint:
          "there are \(series.map { $0.number.map(String.init) ?? $0.uid }.joined(separator: ", "))",
        status: .badInput)
    }
    guard found.allSatisfy({ $0.rows == first.rows && $0.columns == first.columns }) else {
      throw CommandError(
        "series", "the \(found.count) series have different sizes",
        hint:
          "choose one: \(series.map { "series=\($0.number.map(String.init) ?? $0.uid) (\($0.slices.count) slices \($0.rows)×\($0.columns))" }.joined(separator: ", "))"
      )
    }
    return found
  }
}

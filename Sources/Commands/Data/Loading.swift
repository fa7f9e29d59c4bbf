import CT
import CommandLanguage
import Foundation
import Tensors
import Training

/// The slices that a line loads, with warnings about them.
struct LoadedSlices {
  let stack: ImageStack
  var warnings: [String] = []
  var table: OutputTable?

  func stamp(name: String) -> Outcome.DataStamp {
    Outcome.DataStamp(
      name: name, fingerprint: "sha256:\(stack.values.fingerprint)",
      size: stack.values.shape.description)
  }
}

extension Workspace {
  /// The path that the argument `name` names for reading.
  func readingPath(
    _ arguments: Arguments, _ name: String = "path"
  ) throws(CommandError) -> String {
    do throws(CommandError) {
      return try files.reading(try arguments.path(name))
    } catch {
      throw arguments.error(at: name, error)
    }
  }

  /// Makes the slices of a phantom, by way of DICOM files if these are to be saved.
  mutating func make(
    _ phantom: ThoraxPhantom, save: String?, _ replacing: Replacing = .known,
    slices: ClosedRange<Int>?, _ context: CommandContext
  ) throws -> Outcome {
    // The sum counts the growing array and its copy, and the files that are read back.
    let pixels = phantom.patients * phantom.slices * phantom.size * phantom.size
    try requireMemory(
      pixels * MemoryLayout<Float>.size * (save == nil ? 3 : 5),
      for:
        "\(phantom.patients * phantom.slices, "slice") of \(phantom.size)×\(phantom.size)",
      hint: "take fewer or smaller slices")
    if let save { return try make(phantom, savingTo: save, replacing, context) }
    var scalars: [Float] = []
    var origins: [SliceOrigin] = []
    var sources: [SliceSource] = []
    try Self.eachPatient(of: phantom, context) { patient, stack in
      scalars += stack.scalars
      sources += (0..<phantom.slices).map {
        SliceSource(.phantom(phantom, patient: patient - 1, slice: $0))
      }
      origins += Array(
        repeating: SliceOrigin(patient: patient, series: patient), count: phantom.slices)
    }
    let stack = ImageStack(
      values: Tensor(shape: [origins.count, 1, phantom.size, phantom.size], scalars: scalars),
      unit: .hounsfield, origins: origins, sources: sources)
    return try takeClean(LoadedSlices(stack: try keep(slices, of: stack)), context)
  }

  /// Makes the slices of one patient after the other, from number 1.
  private static func eachPatient(
    of phantom: ThoraxPhantom, _ context: CommandContext,
    _ body: (_ patient: Int, _ stack: Tensor<Float>) throws -> Void
  ) throws {
    for patient in 1...phantom.patients {
      try context.stopIfInterrupted()
      context.progress(
        ProgressUpdate(
          "phantom: patient \(patient) of \(phantom.patients)",
          fraction: Double(patient - 1) / Double(phantom.patients)))
      let stack = phantom.stack(patient: patient - 1, shouldStop: context.shouldStop)
      try context.stopIfInterrupted()
      try body(patient, stack)
    }
  }

  /// Writes the phantom's slices as DICOM, all or none, and reads them back.
  private mutating func make(
    _ phantom: ThoraxPhantom, savingTo save: String, _ replacing: Replacing,
    _ context: CommandContext
  ) throws -> Outcome {
    try files.disk.spend(
      DiskBudget.dicomBytes(
        slices: phantom.patients * phantom.slices, height: phantom.size, width: phantom.size),
      on: save)
    var scalars: [Float] = []
    let folder = try files.write(folder: save, replacing) { staged, place in
      var leftovers: [String] = []
      try Self.eachPatient(of: phantom, context) { patient, stack in
        scalars += stack.scalars
        let written = try CTWriter.write(
          stack, to: staged,
          description: SeriesDescription(
            patient: patient, seed: phantom.seed, pixelSpacing: phantom.pixelSpacing,
            sliceSpacing: phantom.sliceSpacing, seriesNumber: patient,
            description: "Thorax phantom"))
        leftovers += SeriesFolder.leftovers(of: written, in: place)
      }
      return leftovers
    }
    let loaded = try readDICOM(
      CTInventory.scan(folder, limits: readingLimits(context)), choice: nil, slices: nil, context)
    guard loaded.stack.values.scalars == scalars else {
      throw CommandError(
        .data, "the slices read back from \(save) are not those written",
        hint: "the folder held other series before; choose an empty one")
    }
    var outcome = try takeClean(loaded, context)
    outcome.say(
      "saved  \(file: save + "/", at: folder + "/")  \(phantom.patients) DICOM series, read back equal"
    )
    outcome.add(file: save, at: folder)
    return outcome
  }

  /// Reads the slices that a line names: the arguments `path` and `series` choose them.
  func read(
    _ arguments: Arguments, _ context: CommandContext, path argument: String = "path",
    series: String = "series"
  ) throws -> LoadedSlices {
    let path = try readingPath(arguments, argument)
    let slices = arguments.integersIfGiven("slices")
    do {
      if path.lowercased().hasSuffix(".npy") {
        let stack = try readArray(path, unit: arguments.choiceIfGiven("unit"), context)
        return LoadedSlices(stack: try keep(slices, of: stack))
      }
      return try readDICOM(
        CTInventory.scan(
          path, limits: readingLimits(context), progress: context.reporter("load", of: "headers")),
        choice: arguments.value(series), slices: slices, context)
    } catch {
      let cause = commandError(error)
      guard cause.range == nil else { throw cause }
      let place =
        cause.code == "series" && arguments.has(series)
        ? series
        : cause.code == "slices" ? "slices" : argument
      throw arguments.error(at: place, cause)
    }
  }

  /// The memory limit for reading, and the check for Ctrl-C.
  func readingLimits(_ context: CommandContext) -> ReadingLimits {
    ReadingLimits(memory: memoryLimit, shouldStop: context.shouldStop)
  }

  /// Reads the chosen series of an inventory into one stack.
  private func readDICOM(
    _ inventory: CTInventory, choice: ArgumentValue?, slices: ClosedRange<Int>?,
    _ context: CommandContext
  ) throws -> LoadedSlices {
    let chosen = try inventory.chosen(choice)
    let all = try inventory.wanted(slices, of: chosen)
    let stack = try CTSeries.load(
      all, limits: readingLimits(context), progress: context.reporter("load", of: "files"))
    try context.stopIfInterrupted()
    return LoadedSlices(
      stack: stack,
      warnings: inventory.notes + all.warnings + mixedKernels(all),
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

  private func readArray(
    _ path: String, unit: String?, _ context: CommandContext
  ) throws -> ImageStack {
    let array: Tensor<Float>
    let typeRange: ClosedRange<Double>?
    do {
      let file = try NPYFile(path: path)
      // The values and, where the axes stand the other way round, their copy.
      try requireMemory(
        file.shape.count * MemoryLayout<Float>.size * (file.isFortranOrder ? 2 : 1),
        for: "the array \(file.shape)", hint: "save a part of the array")
      (array, typeRange) = (try file.numbers(shouldStop: context.shouldStop), file.range)
    } catch let error as TensorError {
      throw CommandError(
        .init(rawValue: error.code), error.message, hint: error.hint, status: .badInput)
    }
    try context.stopIfInterrupted()
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
    let values = array.reshaped(shape)
    let statistics = values.statistics()
    let isHounsfield = unit.map { $0.lowercased() == "hu" } ?? (statistics.min < -200)
    let stored =
      typeRange.map { .stored($0) }
      ?? ValueUnit.stored(from: statistics.min, extent: statistics.max - statistics.min)
    return ImageStack(values: values, unit: isHounsfield ? .hounsfield : stored)
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

  /// Makes slices the clean ones, in place of all slices of the session.
  ///
  /// - Throws: `CommandError` when Ctrl-C came before that; then nothing has changed.
  mutating func takeClean(
    _ loaded: LoadedSlices, _ context: CommandContext
  ) throws(CommandError) -> Outcome {
    // Both read every value, so they come before any change.
    let described = describe("clean", loaded.stack)
    try context.stopIfInterrupted()
    let stamp = loaded.stamp(name: "clean")
    try context.stopIfInterrupted()
    clean = loaded.stack
    var outcome = Outcome()
    if let table = loaded.table { outcome.add(table) }
    outcome.append(described)
    outcome.warnings += loaded.warnings
    outcome.data = [stamp]
    outcome.result = described.result
    return outcome
  }
}

extension CommandContext {
  /// Returns a function that shows `COMMAND: 12 of 500 THINGS`, and returns whether to go on.
  func reporter(_ command: String, of things: String) -> @Sendable (Int, Int) -> Bool {
    let (progress, interruption) = (self.progress, self.interruption)
    return { done, all in
      if all > 1 {
        progress(
          ProgressUpdate(
            "\(command): \(done) of \(all) \(things)", fraction: Double(done) / Double(all),
            count: done, things: things))
      }
      return !interruption.isRequested
    }
  }
}

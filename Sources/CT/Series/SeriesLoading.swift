import Synchronization
import Tensors

extension CTSeries {
  /// Reads the pixels of all slices of several series of one size.
  ///
  ///     value = stored · slope + intercept, in Double, then rounded to Float; each file its own
  ///
  /// Files are read on several threads; the result does not depend on their number.
  ///
  /// - Parameters:
  ///   - series: At least one.
  ///   - limits: The memory for the values of all series and the decompression of one file, and
  ///     when to stop.
  ///   - progress: Called with the number of files read and of all, on any thread, one call at a
  ///     time; `false` stops the loading.
  /// - Returns: The slices of all series, in their order.
  /// - Throws: `CTError` of the first file in order that cannot be read; then nothing is returned.
  package static func load(
    _ series: [CTSeries], limits: ReadingLimits = ReadingLimits(),
    progress: (@Sendable (_ done: Int, _ all: Int) -> Bool)? = nil
  ) throws(CTError) -> ImageStack {
    let slices = series.flatMap(\.slices)
    guard let first = slices.first,
      slices.allSatisfy({ $0.format.rows == first.format.rows }),
      slices.allSatisfy({ $0.format.columns == first.format.columns })
    else {
      throw CTError(
        "mixed-sizes", "the series have different sizes.", hint: "load one of them with series=N")
    }
    try requireOneUnit(slices, hint: series.count > 1 ? "load one with series=N" : "")
    let (rows, columns) = (first.format.rows, first.format.columns)
    let shape = Shape([slices.count, 1, rows, columns])
    // A value takes four bytes, and its place in the mask one.
    let (needed, overflow) = (rows * columns).multipliedReportingOverflow(by: slices.count * 5)
    try limits.require(
      overflow ? .max : needed, for: "\(slices.count) × \(columns)×\(rows) values",
      hint: "choose fewer slices, or raise limit.memory")
    let files = byFile(slices)
    let outcome = Mutex(Reading(files: files.count))
    var mask = [Bool](repeating: false, count: shape.count)
    let stack = Tensor<Float>(shape: shape) { values in
      mask.withUnsafeMutableBufferPointer { mask in
        // Files are written to separate slices, which the compiler cannot see.
        nonisolated(unsafe) let destination = PixelDestination(
          values: values, mask: mask, area: shape.planeCount)
        values.initialize(repeating: 0)
        parallel(chunks: files.count) { i, _ in
          guard !limits.shouldStop(), outcome.withLock({ $0.mayContinue }) else { return }
          let result = Result { () throws(CTError) in
            try readPixels(files[i], into: destination, limits: limits)
          }
          outcome.withLock { $0.note(result, file: i, progress) }
        }
      }
    }
    let reading = outcome.withLock { $0 }
    let hasStopped = limits.shouldStop() || !reading.mayContinue
    if !hasStopped, let error = reading.errors.compactMap(\.self).first { throw error }
    guard !hasStopped else {
      throw CTError(
        "interrupted", "loading was stopped after \(reading.done) of \(files.count) files.")
    }
    return ImageStack(
      values: stack, mask: reading.hasPadding ? mask : nil,
      unit: first.unit == .hounsfield
        ? .hounsfield
        : .stored(
          from: stack.statistics().min, extent: slices.map(\.fileRange).max() ?? 0),
      origins: origins(of: series), sources: slices.map { SliceSource(.file($0)) })
  }

  /// The patient and series of each slice, numbered in the order of `series`.
  private static func origins(of series: [CTSeries]) -> [SliceOrigin] {
    var patients: [String] = []
    return series.enumerated().flatMap { index, series in
      if !patients.contains(series.patientKey) { patients.append(series.patientKey) }
      let patient = patients.firstIndex(of: series.patientKey) ?? 0
      return Array(
        repeating: SliceOrigin(patient: patient + 1, series: index + 1),
        count: series.slices.count)
    }
  }

  /// Throws when some slices are in HU and others not, and names the files of the less frequent
  /// unit.
  private static func requireOneUnit(_ slices: [CTSlice], hint: String) throws(CTError) {
    var names: [CTUnit: [String]] = [:]
    for slice in slices { names[slice.unit, default: []].append(slice.name) }
    guard names.count > 1 else { return }
    // The most frequent unit; of equally frequent ones, the first by name.
    let usual = names.max { a, b in
      a.value.count == b.value.count ? "\(a.key)" > "\(b.key)" : a.value.count < b.value.count
    }
    let others = slices.filter { $0.unit != usual?.key }
    let shown = others.prefix(3).map(\.name).joined(separator: ", ")
    let what = others.allSatisfy { $0.unit == .stored } ? "have no rescale" : "are in another unit"
    throw CTError(
      "mixed-units",
      "\(others.count) of \(slices.count) slices \(what) (\(shown)\(others.count > 3 ? ", …" : "")),"
        + " the others are \(usual?.key == .hounsfield ? "in HU" : "\(usual?.key ?? .stored)").",
      hint: hint.isEmpty ? "take these files out of the folder, or load them one by one" : hint)
  }

  /// The slices grouped by file, so that a file is decompressed once.
  private static func byFile(_ slices: [CTSlice]) -> [[(slice: CTSlice, place: Int)]] {
    var order: [String: Int] = [:]
    var files: [[(slice: CTSlice, place: Int)]] = []
    for (place, slice) in slices.enumerated() {
      if let file = order[slice.path] {
        files[file].append((slice, place))
      } else {
        order[slice.path] = files.count
        files.append([(slice, place)])
      }
    }
    return files
  }
}

/// The errors and progress of loading a series.
private struct Reading {
  var errors: [CTError?]
  var done = 0
  var hasPadding = false
  var mayContinue = true

  init(files: Int) {
    errors = Array(repeating: nil, count: files)
  }

  mutating func note(
    _ result: Result<Bool, CTError>, file: Int, _ progress: ((Int, Int) -> Bool)?
  ) {
    switch result {
    case .success(let isPadded): hasPadding = hasPadding || isPadded
    case .failure(let error): errors[file] = error
    }
    done += 1
    if let progress, !progress(done, errors.count) { mayContinue = false }
  }
}

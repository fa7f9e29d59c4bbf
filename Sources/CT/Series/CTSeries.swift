/// Slices that belong together, in anatomical order.
package struct CTSeries: Sendable {
  /// The slices along their normal, the lowest position first.
  package let slices: [CTSlice]
  /// The typical distance between neighboring slices, from their positions, in mm.
  package let sliceSpacing: Double?
  /// Warnings, one a line, about order, gaps, tilt, unit, loss and identity.
  package let warnings: [String]

  /// The identifier of the series in the files; empty when they have none.
  package var uid: String { slices[0].seriesUID }
  /// The identifier of the series in outputs, without a date.
  package var shownUID: String { IdentifierPrivacy.plain(uid) }
  package var number: Int? { slices[0].seriesNumber }
  package var modality: String { slices[0].modality }
  package var seriesDescription: String { slices[0].seriesDescription }
  package var convolutionKernel: String { slices[0].convolutionKernel }
  /// A key of the patient that does not identify a person.
  package var patientKey: String { slices[0].patientKey }
  package var rows: Int { slices[0].format.rows }
  package var columns: Int { slices[0].format.columns }
}

extension CTSeries {
  /// Groups slices by series, then by orientation, matrix and spacing, and puts each in order.
  static func grouped(_ slices: [CTSlice]) -> [CTSeries] {
    let groups = SeriesGroup.groups(slices)
    let siblings = Dictionary(grouping: groups, by: \.first.seriesUID)
    let remarks = siblings.mapValues { SeriesGroup.remark(on: $0) }
    let series = groups.map {
      CTSeries(unordered: $0.slices, remark: remarks[$0.first.seriesUID] ?? nil)
    }
    // The sort is stable: series without a number keep the order of their files.
    return series.enumerated().sorted {
      let (a, b) = ($0.element.number ?? .max, $1.element.number ?? .max)
      return a == b ? $0.offset < $1.offset : a < b
    }.map(\.element)
  }

  /// The slices `range` of the series, in its order; both ends included.
  ///
  /// - Throws: `CTError` when the series has no such slices.
  package func slices(_ range: ClosedRange<Int>) throws(CTError) -> CTSeries {
    guard range.lowerBound >= 0, range.upperBound < slices.count else {
      throw CTError(
        "no-such-slice",
        "slices \(range.lowerBound)..\(range.upperBound) are not all in the series; it has"
          + " 0..\(slices.count - 1).")
    }
    return CTSeries(unordered: Array(slices[range]), remark: nil)
  }

  private init(unordered: [CTSlice], remark: String?) {
    let order = SliceOrder(unordered)
    slices = order.slices
    sliceSpacing = order.spacing
    warnings = (remark.map { [$0] } ?? []) + order.warnings + contentWarnings(order.slices)
  }
}

/// Warnings about the values of `slices` and about the patient's identity.
private func contentWarnings(_ slices: [CTSlice]) -> [String] {
  var warnings: [String] = []
  func warn(_ isTrue: (CTSlice) -> Bool, _ text: String) {
    if slices.contains(where: isTrue) { warnings.append(text) }
  }
  let kinds = Set(slices.filter { !$0.isCT }.map { $0.modality.isEmpty ? "unnamed" : $0.modality })
  if !kinds.isEmpty { warnings.append("no CT but \(kinds.sorted().joined(separator: ", "))") }
  warn({ $0.isCT && $0.isLocalizer }, "a localizer: an overview, no slice")
  warn({ $0.isCT && $0.isSecondaryCapture }, "a secondary capture: a picture, no CT image")
  warn({ $0.unit == .stored }, "no rescale in the file: values are not HU but stored numbers")
  let others = Set(
    slices.compactMap { slice in
      if case .other(let name) = slice.unit { name } else { nil }
    })
  if !others.isEmpty {
    warnings.append("values are not HU but \(others.sorted().joined(separator: ", "))")
  }
  warn(\.isLossy, "compressed with loss: bad ground truth for denoising")
  warnings += lengthWarnings(slices) + compressionWarnings(slices)
  warn({ $0.sopInstanceUID.isEmpty }, "SOP Instance UID (0008,0018) is missing")
  warn(\.hasBurnedInAnnotation, "the file says that the image shows text; it may name the patient")
  warn({ !$0.isIdentityRemoved }, "the file does not say that the patient's identity was removed")
  return warnings
}

/// Warnings about files that hold more bytes than the header says; one for each pair of lengths.
private func lengthWarnings(_ slices: [CTSlice]) -> [String] {
  var files: [String: [String]] = [:]
  for slice in slices where slice.frame == 0 {
    let format = slice.format
    // Pixel data are padded to even length.
    guard let held = slice.nativeLength, held > (format.byteCount + 1) / 2 * 2 else { continue }
    let text =
      "the pixel data hold \(held) bytes, \(format.rows)×\(format.columns) pixels take"
      + " \(format.byteCount): the rest is left out, and the picture may be wrong"
    files[text, default: []].append(slice.name)
  }
  return named(files)
}

/// Warnings about JPEG 2000 images that contradict the header.
private func compressionWarnings(_ slices: [CTSlice]) -> [String] {
  var files: [String: [String]] = [:]
  for slice in slices where slice.frame == 0 {
    guard let image = slice.compressedImage, let isSigned = image.isSigned else { continue }
    let format = slice.format
    if isSigned != format.isSigned {
      let text =
        "the JPEG 2000 image is \(isSigned ? "" : "un")signed, the header says"
        + " \(format.isSigned ? "" : "un")signed: negative values are kept"
      files[text, default: []].append(slice.name)
    }
    if image.precision > format.highBit + 1 {
      let text =
        "the JPEG 2000 image has \(image.precision) bits, the header says \(format.bitsStored):"
        + " values are as decoded"
      files[text, default: []].append(slice.name)
    }
  }
  return named(files)
}

/// The warnings in a fixed order, each with the names of the first files concerned.
private func named(_ files: [String: [String]]) -> [String] {
  files.sorted { $0.key < $1.key }.map { text, names in
    "\(text) (\(names.prefix(3).joined(separator: ", "))\(names.count > 3 ? ", …" : ""))"
  }
}

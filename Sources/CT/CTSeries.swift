/// Slices that belong together, in anatomical order.
package struct CTSeries: Sendable {
  /// The slices along their normal, the lowest position first.
  package let slices: [CTSlice]
  /// The typical distance between neighbouring slices, from their positions, in mm.
  package let sliceSpacing: Double?
  /// What a user should know, a line each: order, gaps, tilt, unit, loss, identity.
  package let warnings: [String]

  /// The identifier of the series; empty when the files have none.
  package var uid: String { slices[0].seriesUID }
  package var number: Int? { slices[0].seriesNumber }
  package var modality: String { slices[0].modality }
  package var seriesDescription: String { slices[0].seriesDescription }
  package var convolutionKernel: String { slices[0].convolutionKernel }
  /// Groups series by patient without saying who it is.
  package var patientKey: String { slices[0].patientKey }
  package var rows: Int { slices[0].format.rows }
  package var columns: Int { slices[0].format.columns }
}

extension CTSeries {
  /// Groups slices by series, then by orientation, matrix and spacing, and puts each in order.
  static func grouped(_ slices: [CTSlice]) -> [CTSeries] {
    var order: [Key] = []
    var groups: [Key: [CTSlice]] = [:]
    for slice in slices {
      let key = Key(slice)
      if groups[key] == nil { order.append(key) }
      groups[key, default: []].append(slice)
    }
    let series = order.compactMap { key in
      groups[key].map { CTSeries(unordered: $0, isPart: order.count { $0.uid == key.uid } > 1) }
    }
    // Stable: series without a number keep the order of their files.
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
    return CTSeries(unordered: Array(slices[range]), isPart: false)
  }

  private init(unordered: [CTSlice], isPart: Bool) {
    let order = SliceOrder(unordered)
    slices = order.slices
    sliceSpacing = order.spacing
    warnings =
      (isPart ? ["the series holds images of several orientations, sizes or spacings"] : [])
      + order.warnings + contentWarnings(order.slices)
  }
}

/// What slices of one series share.
private struct Key: Hashable {
  let uid: String, patient: String
  let orientation: [Int]
  let rows: Int, columns: Int
  let spacing: [Int]

  init(_ slice: CTSlice) {
    let plane = slice.plane
    uid = slice.seriesUID
    patient = slice.patientKey
    // Rounded, since exporters write the same direction with different digits.
    orientation = [plane.alongRow, plane.alongColumn].flatMap { vector in
      vector.map { v in (0..<3).map { Int((v[$0] * 500).rounded()) } } ?? []
    }
    rows = slice.format.rows
    columns = slice.format.columns
    spacing = [plane.rowSpacing, plane.columnSpacing].compactMap { spacing in
      spacing.flatMap { Int(exactly: ($0 * 1000).rounded()) }
    }
  }
}

/// What a user should know about the values of `slices`.
private func contentWarnings(_ slices: [CTSlice]) -> [String] {
  var warnings: [String] = []
  func warn(_ isTrue: (CTSlice) -> Bool, _ text: String) {
    if slices.contains(where: isTrue) { warnings.append(text) }
  }
  let kinds = Set(slices.filter { !$0.isCT }.map { $0.modality.isEmpty ? "unnamed" : $0.modality })
  if !kinds.isEmpty { warnings.append("no CT but \(kinds.sorted().joined(separator: ", "))") }
  warn({ $0.isCT && $0.isLocalizer }, "a localizer: an overview, no slice")
  warn({ $0.unit == .stored }, "no rescale in the file: values are not HU but stored numbers")
  let others = Set(
    slices.compactMap { slice in
      if case .other(let name) = slice.unit { name } else { nil }
    })
  if !others.isEmpty {
    warnings.append("values are not HU but \(others.sorted().joined(separator: ", "))")
  }
  warn(\.isLossy, "compressed with loss: bad ground truth for denoising")
  warn({ $0.sopInstanceUID.isEmpty }, "SOP Instance UID (0008,0018) is missing")
  warn(\.hasBurnedInAnnotation, "the file says that the image shows text; it may name the patient")
  warn({ !$0.isIdentityRemoved }, "the file does not say that the patient's identity was removed")
  return warnings
}

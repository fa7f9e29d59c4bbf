/// The transform from stored samples to values: Hounsfield units in a CT slice.
///
///     value = stored · slope + intercept        or        value = table[stored]
///
/// Source: PS3.3, C.11.1 Modality LUT Module; C.7.6.16.2.9 for frames of their own.
enum ValueTransform: Hashable, Sendable {
  /// The values are the stored samples, in no unit.
  case none
  /// A straight line.
  case linear(slope: Double, intercept: Double)
  /// A table; samples before and after it take its first and last entry.
  case table(LookupTable)

  /// The value of a stored sample.
  @inline(__always)
  func value(_ stored: Double) -> Double {
    switch self {
    case .none: stored
    case .linear(let slope, let intercept): stored * slope + intercept
    case .table(let table): Double(table[Int(stored)])
    }
  }

  /// Whether samples of `format` can have values below 0.
  func reachesBelowZero(_ format: PixelFormat) -> Bool {
    switch self {
    case .none: format.isSigned
    case .linear(let slope, let intercept): format.isSigned || slope < 0 || intercept < 0
    case .table: false
    }
  }

  /// The distance between the values of neighboring stored numbers.
  var step: Double {
    if case .linear(let slope, _) = self { abs(slope) } else { 1 }
  }
}

extension ValueTransform {
  /// The transform that `macro` describes: the item of a frame, or the data set itself.
  ///
  /// - Throws: `CTError` when slope or intercept is not finite, or the slope is 0: such values must
  ///   not be taken for Hounsfield units.
  init(_ macro: DICOMDataset, format: PixelFormat, name: String) throws(CTError) {
    if let table = macro.items(.modalityLUTSequence).first {
      guard !format.isReal else {
        throw CTError("bad-table", "\(name): a Modality LUT, but samples are no whole numbers.")
      }
      self = .table(
        try LookupTable(
          table, isSigned: format.isSigned, what: "Modality LUT", name: name))
      return
    }
    let slope = try Self.number(.rescaleSlope, "Rescale Slope", macro, name)
    let intercept = try Self.number(.rescaleIntercept, "Rescale Intercept", macro, name)
    switch (slope, intercept) {
    case (nil, nil):
      self = .none
    case (let slope?, let intercept?):
      guard slope != 0 else {
        throw CTError(
          "bad-rescale", "\(name): Rescale Slope (0028,1053) is 0, which makes every value equal.",
          hint: "correct the file's header")
      }
      self = .linear(slope: slope, intercept: intercept)
    case (nil, _), (_, nil):
      let missing = slope == nil ? "Rescale Slope (0028,1053)" : "Rescale Intercept (0028,1052)"
      throw CTError(
        "bad-rescale", "\(name): \(missing) is missing although its partner is there.",
        hint: "correct the file's header")
    }
  }

  private static func number(
    _ tag: DICOMTag, _ what: String, _ macro: DICOMDataset, _ name: String
  ) throws(CTError) -> Double? {
    guard let text = macro.text(tag) else { return nil }
    guard let number = decimal(text) else {
      throw CTError(
        "bad-rescale",
        "\(name): \(what) \(tag) is \"\(printable(text))\"; expected a finite decimal number.",
        hint: "correct the file's header")
    }
    return number
  }
}

/// The unit of the numbers of a slice.
package enum CTUnit: Hashable, Sendable, CustomStringConvertible {
  /// Hounsfield units: −1000 is air, 0 water.
  case hounsfield
  /// Samples without a unit, as stored in the file.
  case stored
  /// Another unit that the file names, such as `OD`, or `rescaled` when it names none.
  case other(String)

  /// The unit as printed after a number.
  package var description: String {
    switch self {
    case .hounsfield: "HU"
    case .stored: "stored"
    case .other(let name): name
    }
  }
}

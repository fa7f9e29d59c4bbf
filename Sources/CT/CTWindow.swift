/// A range of values that a file proposes to show, from black to white.
///
/// Source: PS3.3, C.11.2.1.2 Window Center and Window Width.
package struct CTWindow: Hashable, Sendable {
  /// How values inside the window become brightness.
  package enum Function: String, Sendable {
    case linear = "LINEAR"
    case linearExact = "LINEAR_EXACT"
    case sigmoid = "SIGMOID"
  }

  /// The middle and the extent of the window, in the unit of the slice.
  package let center: Double, width: Double
  package let function: Function
  /// What the file calls the window, such as `LUNG`; empty without a name.
  package let name: String
}

extension CTWindow {
  /// The windows of `macro`, the item of a frame or the data set itself; unusable ones are left out.
  ///
  /// A width must be at least 1 for LINEAR and above 0 for the others (C.11.2.1.2.1, C.11.2.1.3).
  static func windows(_ macro: DICOMDataset) -> [CTWindow] {
    let centers = macro.texts(.windowCenter).map(decimal)
    let widths = macro.texts(.windowWidth).map(decimal)
    let names = macro.texts(.windowExplanation)
    let function = macro.text(.windowFunction).flatMap(Function.init(rawValue:)) ?? .linear
    return zip(centers, widths).enumerated().compactMap { i, pair in
      guard let center = pair.0, let width = pair.1 else { return nil }
      guard function == .linear ? width >= 1 : width > 0 else { return nil }
      return CTWindow(
        center: center, width: width, function: function,
        name: i < names.count ? printable(names[i]) : "")
    }
  }
}

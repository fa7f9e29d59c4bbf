/// A way a file proposes to show its values, from black to white.
///
/// Source: PS3.3, C.11.2 VOI LUT Module.
package struct CTWindow: Hashable, Sendable {
  /// The mapping from values to brightness.
  package enum Shape: Hashable, Sendable {
    /// A middle and an extent, in the unit of the slice.
    case window(center: Double, width: Double, Function)
    /// A table from whole values to brightness.
    case table(LookupTable)
  }

  /// The mapping from values inside a window to brightness.
  package enum Function: String, CaseIterable, Sendable {
    case linear = "LINEAR"
    case linearExact = "LINEAR_EXACT"
    case sigmoid = "SIGMOID"
  }

  package let shape: Shape
  /// The name of the window in the file, such as `LUNG`; empty without a name.
  package let name: String
}

extension CTWindow {
  /// The tables and then the windows of `macro`, the item of a frame or the data set itself;
  /// unusable ones are left out.
  ///
  /// A width must be at least 1 for LINEAR and above 0 for the others (C.11.2.1.2.1, C.11.2.1.3).
  ///
  /// - Parameters:
  ///   - macro: The data set with VOI LUT Sequence, or Window Center and Window Width.
  ///   - isSigned: Whether values can be negative.
  ///   - fileName: The name of the file.
  ///   - secrets: Texts that a name must not contain; such a name is left out.
  /// - Returns: The usable windows, tables first.
  static func windows(
    _ macro: DICOMDataset, isSigned: Bool, fileName: String, secrets: Secrets
  ) -> [CTWindow] {
    func shown(_ name: String) -> String { secrets.areIn(name) ? "" : printable(name) }
    let tables = macro.items(.voiLUTSequence).compactMap { item -> CTWindow? in
      let table = try? LookupTable(item, isSigned: isSigned, what: "VOI LUT", name: fileName)
      return table.map {
        CTWindow(shape: .table($0), name: shown(item.text(.lutExplanation) ?? ""))
      }
    }
    let centers = macro.texts(.windowCenter).map(decimal)
    let widths = macro.texts(.windowWidth).map(decimal)
    let names = macro.texts(.windowExplanation)
    let function =
      macro.text(.windowFunction).flatMap { Function(rawValue: $0.uppercased()) } ?? .linear
    let windows = zip(centers, widths).enumerated().compactMap { i, pair -> CTWindow? in
      guard let center = pair.0, let width = pair.1 else { return nil }
      guard function == .linear ? width >= 1 : width > 0 else { return nil }
      return CTWindow(
        shape: .window(center: center, width: width, function),
        name: i < names.count ? shown(names[i]) : "")
    }
    return tables + windows
  }
}

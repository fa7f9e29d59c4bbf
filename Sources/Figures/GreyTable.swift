/// A table from whole values to brightness, as VOI LUT sequences hold it.
///
/// Source: DICOM PS3.3 C.11.2.1.1: values before and after the table take its ends.
package struct GreyTable: Hashable, Sendable {
  /// The value that the first entry stands for.
  package let first: Int
  /// At least one, none above `maximum`.
  package let entries: [UInt16]
  /// The entry that is white.
  package let maximum: UInt16

  /// Creates a table of entries of `bits` bits.
  ///
  /// - Throws: `PictureError` when there are no entries.
  package init(first: Int, entries: [UInt16], bits: Int) throws(PictureError) {
    guard !entries.isEmpty, (1...16).contains(bits) else {
      throw PictureError(.window, "a lookup table without entries", hint: "use a named window")
    }
    self.first = first
    let maximum = UInt16(1 << bits - 1)
    self.maximum = maximum
    self.entries = entries.map { min($0, maximum) }
  }

  /// The brightness of `value`, in 0…1; values between two entries take the nearest.
  func brightness(of value: Double) -> Double {
    let place = (value - Double(first)).rounded()
    let index = Int(min(max(place, 0), Double(entries.count - 1)))
    return Double(entries[index]) / Double(maximum)
  }
}

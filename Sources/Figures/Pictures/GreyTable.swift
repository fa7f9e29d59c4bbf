/// A table from whole values to brightness, from a VOI LUT sequence.
///
/// Source: DICOM PS3.3 C.11.2.1.1: values before and after the table take its ends.
package struct GreyTable: Hashable, Sendable {
  /// The value of the first entry.
  package let first: Int
  /// The entries, at least one, none above `maximum`.
  package let entries: [UInt16]
  /// The entry for white.
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

  /// The brightness of `value`, in 0…1; a value between two entries has the nearest one's.
  func brightness(of value: Double) -> Double {
    let place = (value - Double(first)).rounded()
    let index = Int(min(max(place, 0), Double(entries.count - 1)))
    return Double(entries[index]) / Double(maximum)
  }
}

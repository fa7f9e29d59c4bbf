/// A table from whole numbers to 8 to 16-bit entries, as Modality and VOI LUTs hold them.
///
/// Source: PS3.3, C.11.1.1 LUT Descriptor of the Modality LUT; C.11.2.1.1 of the VOI LUT.
package struct LookupTable: Hashable, Sendable {
  /// The number of the first entry; numbers below it take the first entry, too, and numbers after
  /// the table its last.
  package let first: Int
  /// The entries, at least one.
  package let entries: [UInt16]
  /// The number of bits of an entry: 8 to 16.
  package let bits: Int

  /// The entry of `number`.
  @inline(__always)
  package subscript(number: Int) -> UInt16 {
    let (place, overflow) = number.subtractingReportingOverflow(first)
    guard !overflow else { return number < first ? entries[0] : entries[entries.count - 1] }
    return entries[min(max(place, 0), entries.count - 1)]
  }

  /// The brightness of `value`, in 0…1; a value between two entries has the nearest one's.
  package func brightness(of value: Double) -> Double {
    let place = (value - Double(first)).rounded()
    let entry = entries[Int(min(max(place, 0), Double(entries.count - 1)))]
    let maximum = UInt16(1 << bits - 1)
    return Double(min(entry, maximum)) / Double(maximum)
  }
}

extension LookupTable {
  /// Reads the item of a LUT sequence.
  ///
  /// - Parameters:
  ///   - item: The item with LUT Descriptor and LUT Data.
  ///   - isSigned: Whether the numbers to look up can be negative; first numbers from 32768 are then
  ///     negative ones that were written as unsigned.
  ///   - what: The name of the table in messages.
  ///   - name: The name of the file.
  /// - Throws: `CTError` when the descriptor is no three numbers, or entries are missing.
  init(
    _ item: DICOMDataset, isSigned: Bool, what: String, name: String
  ) throws(CTError) {
    let descriptor = item.texts(.lutDescriptor).compactMap { Int($0) }
    guard descriptor.count == 3 else {
      throw CTError("bad-table", "\(name): the \(what) has no descriptor of three numbers.")
    }
    // 0 stands for 65536, and a count above 32767 may have been written as a negative number.
    let count = descriptor[0] == 0 ? 65536 : descriptor[0] & 0xFFFF
    let textual = item.texts(.lutData).compactMap { UInt16($0) }
    let words = item[.lutData].map { $0.words.isEmpty ? textual : $0.words } ?? []
    let isPacked = descriptor[2] <= 8 && words.count < count && words.count * 2 >= count
    // Entries of 8 bits may stand two in a word, the first in its low byte.
    let entries = isPacked ? words.flatMap { [$0 & 0xFF, $0 >> 8] } : words
    guard count > 0, entries.count >= count else {
      throw CTError(
        "bad-table", "\(name): the \(what) holds \(entries.count) entries, not \(count).")
    }
    self.entries = Array(entries.prefix(count))
    bits = (8...16).contains(descriptor[2]) ? descriptor[2] : 16
    first = isSigned && descriptor[1] >= 0x8000 ? descriptor[1] - 0x10000 : descriptor[1]
  }
}

import Foundation

/// The forms in which files without a proper header come.
extension DICOMBytes {
  /// Where the data set begins, in a file with a meta header.
  var dataSetStart: Int { find(0x0008_0005) ?? bytes.count }

  /// The data set of a file that this program wrote, in another encoding.
  func dataSet(isExplicit: Bool, isBigEndian: Bool = false) -> [UInt8] {
    Self.transcoded(Array(bytes[dataSetStart...]), isExplicit, isBigEndian)
  }

  /// The meta header without preamble and mark, in explicit or implicit encoding.
  func meta(isExplicit: Bool) -> [UInt8] {
    Self.transcoded(Array(bytes[132..<dataSetStart]), isExplicit, false)
  }

  /// Elements in explicit little endian, in another encoding; none of them is a sequence.
  private static func transcoded(
    _ elements: [UInt8], _ isExplicit: Bool, _ isBigEndian: Bool
  ) -> [UInt8] {
    func swapped(_ part: ArraySlice<UInt8>, by width: Int) -> [UInt8] {
      guard isBigEndian else { return Array(part) }
      return stride(from: part.startIndex, to: part.endIndex, by: width).flatMap {
        Array(part[$0..<min($0 + width, part.endIndex)].reversed())
      }
    }
    var result: [UInt8] = []
    var place = 0
    while place + 8 <= elements.count {
      let vr = String(decoding: elements[place + 4..<place + 6], as: UTF8.self)
      let isLong = ["OB", "OW", "UN", "UT", "SQ"].contains(vr)
      let start = place + (isLong ? 12 : 8)
      let width = isLong ? 4 : 2
      let length = elements[start - width..<start].reversed().reduce(0) { $0 << 8 | Int($1) }
      result += swapped(elements[place..<place + 2], by: 2)
      result += swapped(elements[place + 2..<place + 4], by: 2)
      let bytes = (0..<4).map { UInt8(length >> (8 * $0) & 0xFF) }
      if isExplicit {
        result += elements[place + 4..<place + 6]
        result += isLong ? [0, 0] + swapped(bytes[...], by: 4) : swapped(bytes[0..<2], by: 2)
      } else {
        result += bytes
      }
      let widths = ["US": 2, "OW": 2, "UL": 4]
      result += swapped(elements[start..<start + length], by: widths[vr] ?? 1)
      place = start + length
    }
    return result
  }

  /// Gives elements the representation UN, which has a length of four bytes.
  mutating func makeUnknown(_ tags: [UInt32]) {
    for tag in tags {
      guard let place = find(tag) else { continue }
      let isLong = ["OB", "OW"].contains(
        String(decoding: bytes[place + 4..<place + 6], as: UTF8.self))
      if !isLong {
        bytes.replaceSubrange(
          place + 6..<place + 8, with: [0, 0, bytes[place + 6], bytes[place + 7], 0, 0])
      }
      bytes.replaceSubrange(place + 4..<place + 6, with: Array("UN".utf8))
    }
  }
}

/// Checks that an RLE image is complete, since DCMTK fills a missing end with zeros, silently.
///
/// Source: PS3.5, Annex G RLE Image Compression.
enum RLEFrame {
  /// Whether every segment of a frame yields a byte for each pixel.
  ///
  /// - Parameters:
  ///   - bytes: The compressed frame, header first.
  ///   - area: The pixels of the frame.
  ///   - segments: The bytes of a pixel; each has a segment of its own.
  /// - Returns: False when the frame ends early or its header is wrong.
  static func isComplete(_ bytes: [UInt8], area: Int, segments: Int) -> Bool {
    guard bytes.count >= 64, word(bytes, 0) == segments else { return false }
    let starts = (1...segments).map { word(bytes, $0) }
    let ends = starts.dropFirst() + [bytes.count]
    return zip(starts, ends).allSatisfy { start, end in
      start >= 64 && start <= end && end <= bytes.count
        && length(of: bytes[start..<end], atMost: area) >= area
    }
  }

  /// The number of bytes that a segment yields: literal runs (0…127) and repetitions (129…255).
  private static func length(of segment: ArraySlice<UInt8>, atMost area: Int) -> Int {
    var length = 0
    var place = segment.startIndex
    while place < segment.endIndex, length < area {
      let control = Int(segment[place])
      let isLiteral = control < 128
      let run = isLiteral ? control + 1 : 257 - control
      let taken = isLiteral ? run : 1
      guard control != 128 else {
        place += 1
        continue
      }
      guard place + taken < segment.endIndex else { return length }
      length += run
      place += 1 + taken
    }
    return length
  }

  /// The little-endian number at `index` of the header.
  private static func word(_ bytes: [UInt8], _ index: Int) -> Int {
    (0..<4).reduce(0) { $0 | Int(bytes[4 * index + $1]) << (8 * $1) }
  }
}

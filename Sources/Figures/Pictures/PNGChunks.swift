import CPNG

/// The chunks of a PNG file, to which animations add more.
///
/// Source: W3C, Portable Network Graphics (third edition, 2025), sections 5 and 11.
struct PNGChunks {
  struct Chunk {
    /// The type, four letters.
    let type: String
    let data: [UInt8]
  }

  private static let signature: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]

  var chunks: [Chunk]

  init(_ chunks: [Chunk]) { self.chunks = chunks }

  /// Reads the chunks of a file up to its end, and compares their checksums.
  init(decoding bytes: [UInt8]) throws(PictureError) {
    guard bytes.starts(with: Self.signature) else {
      throw Self.broken("it does not begin as a PNG")
    }
    var chunks: [Chunk] = []
    var position = Self.signature.count
    while chunks.last?.type != "IEND" {
      guard position + 12 <= bytes.count else { throw Self.broken("it ends too early") }
      let size = Int(bytes.number32(at: position))
      guard size <= bytes.count - position - 12 else { throw Self.broken("it ends too early") }
      let checked = Array(bytes[(position + 4)..<(position + 8 + size)])
      guard cpng_crc(checked, checked.count) == bytes.number32(at: position + 8 + size) else {
        throw Self.broken("a checksum is wrong")
      }
      chunks.append(
        Chunk(
          type: String(decoding: checked.prefix(4), as: UTF8.self),
          data: Array(checked.dropFirst(4))
        ))
      position += 12 + size
    }
    self.chunks = chunks
  }

  /// The file with these chunks.
  var encoded: [UInt8] {
    chunks.reduce(into: Self.signature) { file, chunk in
      let checked = Array(chunk.type.utf8) + chunk.data
      file += UInt32(chunk.data.count).bigEndianBytes
      file += checked
      file += cpng_crc(checked, checked.count).bigEndianBytes
    }
  }

  static func broken(_ reason: String) -> PictureError {
    PictureError(.broken, "not a readable PNG: \(reason)", hint: "make the picture again")
  }
}

extension FixedWidthInteger {
  /// The bytes, the highest first.
  var bigEndianBytes: [UInt8] { withUnsafeBytes(of: bigEndian) { Array($0) } }
}

extension [UInt8] {
  /// The 32-bit number at `index`, its highest byte first.
  func number32(at index: Int) -> UInt32 {
    self[index..<(index + 4)].reduce(0) { $0 << 8 | UInt32($1) }
  }
}

import Foundation

/// Converts paths between bytes and text, also those that are not UTF-8.
///
/// File systems keep names as bytes. A byte that is no part of valid UTF-8 becomes a character of
/// private use, which is converted back when the file is opened.
enum PathText {
  /// The private character for byte 0; only bytes from 0x80 are converted.
  private static let first: UInt32 = 0x10_FF00

  private static func byte(_ scalar: Unicode.Scalar) -> UInt8? {
    (first + 0x80...first + 0xFF).contains(scalar.value) ? UInt8(scalar.value - first) : nil
  }

  /// The text that stands for the bytes of a name or path.
  static func text(_ bytes: some Sequence<UInt8>) -> String {
    let bytes = Array(bytes)
    if let text = String(validating: bytes, as: UTF8.self),
      !text.unicodeScalars.contains(where: { byte($0) != nil })
    {
      return text
    }
    var scalars = String.UnicodeScalarView()
    var place = 0
    while place < bytes.count {
      let scalar = (1...4).lazy.compactMap { length -> (Unicode.Scalar, Int)? in
        guard place + length <= bytes.count,
          let text = String(validating: bytes[place..<place + length], as: UTF8.self),
          let only = text.unicodeScalars.first, byte(only) == nil
        else { return nil }
        return (only, length)
      }.first
      if let (own, length) = scalar {
        scalars.append(own)
        place += length
      } else {
        if let own = Unicode.Scalar(first + UInt32(bytes[place])) { scalars.append(own) }
        place += 1
      }
    }
    return String(scalars)
  }

  /// Calls `body` with the bytes that `text` stands for, and a 0.
  static func withBytes<Result>(
    of text: String, _ body: (UnsafePointer<CChar>) -> Result
  ) -> Result {
    var bytes: [CChar] = []
    for scalar in text.unicodeScalars {
      if let own = byte(scalar) {
        bytes.append(CChar(bitPattern: own))
      } else {
        bytes += UTF8.encode(scalar).map { Array($0).map(CChar.init(bitPattern:)) } ?? []
      }
    }
    return (bytes + [0]).withUnsafeBufferPointer { buffer in
      // The buffer is never empty, since it ends with a 0.
      guard let base = buffer.baseAddress else { return body("") }
      return body(base)
    }
  }

  /// Returns `text` fit for a message: bytes that are not UTF-8 as `\xe8`, control characters
  /// replaced.
  static func shown(_ text: String) -> String {
    let plain = text.unicodeScalars.map { scalar in
      byte(scalar).map { "\\x" + String($0, radix: 16) } ?? String(Character(scalar))
    }
    return printable(plain.joined(), limit: 4096)
  }
}

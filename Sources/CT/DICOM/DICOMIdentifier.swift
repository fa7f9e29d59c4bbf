import Fingerprints

/// Makes unique identifiers that depend only on the thing they identify.
///
///     2.25.<the UUID as one decimal number>, the UUID being 128 bits of a SHA-256
///
/// Source: PS3.5, B.2 UUID Derived UID; RFC 9562, 5.8 for UUIDs of one's own making.
enum DICOMIdentifier {
  /// The identifier of the thing that `content` names.
  static func make(of content: String) -> String {
    var bytes = Array(SHA256Digest(of: "Backflow UID\n" + content).bytes.prefix(16))
    bytes[6] = bytes[6] & 0x0F | 0x80  // version 8
    bytes[8] = bytes[8] & 0x3F | 0x80  // the variant of RFC 9562
    return "2.25." + decimal(bytes)
  }

  /// The decimal digits of a big-endian number, by repeated division by ten.
  private static func decimal(_ bytes: [UInt8]) -> String {
    var number = bytes
    var digits: [UInt8] = []
    while number.contains(where: { $0 != 0 }) {
      var remainder = 0
      for i in number.indices {
        let part = remainder << 8 | Int(number[i])
        number[i] = UInt8(part / 10)
        remainder = part % 10
      }
      digits.append(UInt8(ascii: "0") + UInt8(remainder))
    }
    return digits.isEmpty ? "0" : String(decoding: digits.reversed(), as: UTF8.self)
  }
}

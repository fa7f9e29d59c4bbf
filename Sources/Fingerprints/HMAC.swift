import CCrypto

/// The HMAC of bytes with SHA-256, through OpenSSL's libcrypto.
///
/// Source: RFC 2104.
package struct HMACSHA256: Sendable {
  private let key: [UInt8]

  /// Makes codes with `key`.
  package init(key: [UInt8]) { self.key = key }

  /// Returns the code of the parts, one after the other, as 64 lower-case hexadecimal digits.
  ///
  /// - Parameter parts: The parts of the message.
  /// - Returns: The digits as ASCII.
  package func code(of parts: [[UInt8]]) -> [UInt8] {
    var code = [UInt8](repeating: 0, count: Int(SHA256_DIGEST_LENGTH))
    var length = CUnsignedInt(code.count)
    let message = parts.flatMap { $0 }
    _ = HMAC(EVP_sha256(), key, CInt(key.count), message, message.count, &code, &length)
    let digits = Array("0123456789abcdef".utf8)
    return code.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
  }

  /// Whether two codes are equal, in a time that does not depend on where they differ.
  package static func areEqual(_ first: [UInt8], _ second: [UInt8]) -> Bool {
    first.count == second.count && zip(first, second).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
  }
}

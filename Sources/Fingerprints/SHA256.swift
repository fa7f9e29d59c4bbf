import CCrypto

/// The SHA-256 digest of bytes, through OpenSSL's libcrypto.
///
/// Source: NIST FIPS 180-4.
package struct SHA256Digest: Hashable, Sendable, CustomStringConvertible {
  /// The 32 bytes of the digest.
  package let bytes: [UInt8]

  /// Digests `buffer`.
  package init(of buffer: UnsafeRawBufferPointer) {
    var digest = [UInt8](repeating: 0, count: Int(SHA256_DIGEST_LENGTH))
    SHA256(buffer.baseAddress?.assumingMemoryBound(to: UInt8.self), buffer.count, &digest)
    bytes = digest
  }

  /// Digests the bytes of `values` as they lie in memory (little-endian on every supported CPU).
  package init<Element: BitwiseCopyable>(of values: [Element]) {
    self = values.withUnsafeBytes { SHA256Digest(of: $0) }
  }

  /// Digests the UTF-8 bytes of `text`.
  package init(of text: String) {
    self.init(of: Array(text.utf8))
  }

  /// The digest as 64 lower-case hexadecimal digits.
  package var description: String {
    let digits = Array("0123456789abcdef")
    return String(bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
  }
}

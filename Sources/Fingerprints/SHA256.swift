import CCrypto

/// The SHA-256 digest of bytes, through OpenSSL's libcrypto.
///
/// Source: NIST FIPS 180-4.
package struct SHA256Digest: Hashable, Sendable, CustomStringConvertible {
  /// The 32 bytes of the digest.
  package let bytes: [UInt8]

  /// The number of bytes between two looks at whether the digest is still wanted.
  private static let part = 8 << 20

  /// Digests `buffer`; once `isAbandoned` returns true, the rest is left out and the digest is
  /// meaningless.
  package init(of buffer: UnsafeRawBufferPointer, unless isAbandoned: () -> Bool = { false }) {
    var digest = [UInt8](repeating: 0, count: Int(SHA256_DIGEST_LENGTH))
    let context = EVP_MD_CTX_new()
    defer { EVP_MD_CTX_free(context) }
    EVP_DigestInit_ex(context, EVP_sha256(), nil)
    var rest = buffer[...]
    while !rest.isEmpty, !isAbandoned() {
      let part = UnsafeRawBufferPointer(rebasing: rest.prefix(Self.part))
      EVP_DigestUpdate(context, part.baseAddress, part.count)
      rest = rest.dropFirst(part.count)
    }
    EVP_DigestFinal_ex(context, &digest, nil)
    bytes = digest
  }

  /// Digests the bytes of `values` as they lie in memory (little-endian on every supported CPU),
  /// unless `isAbandoned` returns true.
  package init<Element: BitwiseCopyable>(
    of values: [Element], unless isAbandoned: () -> Bool = { false }
  ) {
    self = values.withUnsafeBytes { SHA256Digest(of: $0, unless: isAbandoned) }
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

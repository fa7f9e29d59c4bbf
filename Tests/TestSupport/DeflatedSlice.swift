/// A CT slice in deflated explicit VR little endian, all of it zeros, however large it says it is.
///
/// Deflated zeros take less than a hundredth of their size, so a small file can fill the memory of
/// who reads it.
///
/// - Parameters:
///   - side: The number of rows and of columns, of 16 bits a pixel.
///   - zeros: The number of bytes of pixels that follow; those of the whole slice unless it is given.
/// - Returns: The bytes of the file.
/// Source: PS3.5, A.5; PS3.10, 7.1.
package func deflatedSlice(side: Int, zeros: Int? = nil) -> [UInt8] {
  func word(_ value: Int) -> [UInt8] { [UInt8(value & 0xFF), UInt8(value >> 8 & 0xFF)] }
  func element(_ group: Int, _ number: Int, _ vr: String, _ value: [UInt8]) -> [UInt8] {
    let value = value.count % 2 == 0 ? value : value + [0]
    return word(group) + word(number) + Array(vr.utf8) + word(value.count) + value
  }
  let slice = Array("1.2.840.10008.5.1.4.1.1.2".utf8)
  let head: [UInt8] =
    Array(repeating: 0, count: 128) + Array("DICM".utf8)
    + element(2, 2, "UI", slice) + element(2, 3, "UI", Array("1.2.3".utf8))
    + element(2, 0x10, "UI", Array("1.2.840.10008.1.2.1.99".utf8))
  let sizes = [(0x10, side), (0x11, side), (0x100, 16), (0x101, 16), (0x102, 15), (0x103, 0)]
  let length = 2 * side * side
  let body: [UInt8] =
    element(8, 0x16, "UI", slice) + element(8, 0x18, "UI", Array("1.2.3".utf8))
    + element(8, 0x60, "CS", Array("CT".utf8)) + element(0x20, 0xE, "UI", Array("1.2.4".utf8))
    + element(0x28, 2, "US", word(1)) + element(0x28, 4, "CS", Array("MONOCHROME2 ".utf8))
    + sizes.flatMap { element(0x28, $0.0, "US", word($0.1)) }
    + word(0x7FE0) + word(0x10) + Array("OW".utf8) + [0, 0] + word(length) + word(length >> 16)
  return head + deflated(body, zeros: zeros ?? length)
}

/// Bytes and a run of zeros after them, deflated without a header.
///
/// The bytes stand in a stored block, the zeros in one with fixed codes, 258 at a time.
/// Source: RFC 1951, 3.2.
private func deflated(_ bytes: [UInt8], zeros: Int) -> [UInt8] {
  precondition(bytes.count < 1 << 16, "A stored block has at most 65535 bytes.")
  let (low, high) = (UInt8(bytes.count & 0xFF), UInt8(bytes.count >> 8))
  var result: [UInt8] = [0, low, high, ~low, ~high] + bytes
  var (buffer, filled): (UInt32, UInt32) = (0, 0)
  /// Appends bits, the lowest first.
  func append(_ bits: UInt32, _ count: UInt32) {
    buffer |= bits << filled
    filled += count
    while filled >= 8 {
      result.append(UInt8(buffer & 0xFF))
      buffer >>= 8
      filled -= 8
    }
  }
  // The last block, with fixed codes.
  append(0b011, 3)
  // Codes stand with their highest bit first: 00110000 for a byte of 0; 11000101 and 00000 for 258
  // bytes like the last; 0000000 for the end.
  let zero: UInt32 = 0b0000_1100
  if zeros > 0 { append(zero, 8) }
  for _ in 0..<max(0, zeros - 1) / 258 { append(0b1010_0011, 13) }
  for _ in 0..<max(0, zeros - 1) % 258 { append(zero, 8) }
  append(0, 7)
  append(0, 7)
  return result
}

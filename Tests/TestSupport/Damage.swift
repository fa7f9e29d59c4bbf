package import Tensors

/// Changes a file in a few places: bits and bytes, digits, lengths, parts cut out or repeated.
package func damage(_ bytes: inout [UInt8], _ stream: RandomStream) {
  for change in 0...stream.integer(at: 1, below: 3) {
    let draw = 10 + 10 * change
    guard bytes.count > 16 else { return }
    // Mostly in the first part, where a change does most harm.
    let reach = stream.integer(at: draw, below: 4) == 0 ? bytes.count : min(bytes.count, 400)
    let place = stream.integer(at: draw + 1, below: reach - 8)
    let number = stream.integer(at: draw + 2, below: 256)
    switch stream.integer(at: draw + 3, below: 7) {
    case 0: bytes[place] = UInt8(number)
    case 1: bytes[place] ^= 1 << UInt8(number % 8)
    case 2: bytes.replaceSubrange(place..<place + 4, with: [0xFF, 0xFF, 0xFF, 0xFF])
    case 3: bytes.removeLast(min(bytes.count - 1, 1 + number))
    case 4: bytes.removeSubrange(place..<place + 1 + number % 8)
    case 5: bytes.insert(contentsOf: bytes[place..<place + 8], at: place)
    default:
      // A digit of a shape or an offset.
      guard let digit = bytes[place...].firstIndex(where: { (0x30...0x39).contains($0) }) else {
        continue
      }
      bytes[digit] = 0x30 + UInt8(number % 10)
    }
  }
}

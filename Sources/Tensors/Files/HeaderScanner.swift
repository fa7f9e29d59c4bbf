/// Parses the JSON of a `.safetensors` header: objects, strings and lists of whole numbers.
///
/// It is not recursive, so no depth of brackets can exhaust the stack.
struct HeaderScanner {
  private let bytes: [UInt8]
  private var place = 0

  /// Begins at the start of `bytes`, which must be valid UTF-8.
  init(_ bytes: [UInt8]) {
    self.bytes = bytes
  }

  func error(_ found: String) -> TensorError {
    SafeTensors.refusal(
      "its header is damaged at byte \(place): \(found)", hint: "save or copy the file again")
  }

  /// Reads an object; `member` reads the value of each key.
  mutating func object(
    _ member: (inout HeaderScanner, String) throws(TensorError) -> Void
  ) throws(TensorError) {
    try expect("{")
    var keys: Set<String> = []
    if take("}") { return }
    repeat {
      let key = try string()
      guard keys.insert(key).inserted else {
        throw error("\(SafeTensors.shown(key)) is there twice")
      }
      try expect(":")
      try member(&self, key)
    } while take(",")
    try expect("}")
  }

  /// Reads a list of whole numbers that are at least 0.
  mutating func integers() throws(TensorError) -> [Int] {
    try expect("[")
    var result: [Int] = []
    if take("]") { return result }
    repeat { result.append(try integer()) } while take(",")
    try expect("]")
    return result
  }

  private mutating func integer() throws(TensorError) -> Int {
    skipSpace()
    let start = place
    while let byte = current, (0x30...0x39).contains(byte) { place += 1 }
    let digits = String(decoding: bytes[start..<place], as: UTF8.self)
    guard let value = Int(digits), digits.count == 1 || digits.first != "0" else {
      throw error("no whole number from 0 to \(Int.max)")
    }
    return value
  }

  /// Reads a string with its escapes.
  mutating func string() throws(TensorError) -> String {
    try expect("\"")
    var text: [UInt8] = []
    while let byte = current, byte != UInt8(ascii: "\"") {
      guard byte >= 0x20 else { throw error("a control character in a string") }
      place += 1
      if byte == UInt8(ascii: "\\") {
        text += Array(try escape().utf8)
      } else {
        text.append(byte)
      }
    }
    guard current != nil else { throw error("a string does not end") }
    place += 1
    return String(decoding: text, as: UTF8.self)
  }

  /// Reads the rest of an escape, behind the backslash.
  private mutating func escape() throws(TensorError) -> String {
    guard let byte = current else { throw error("a string does not end") }
    place += 1
    switch byte {
    case UInt8(ascii: "\""): return "\""
    case UInt8(ascii: "\\"): return "\\"
    case UInt8(ascii: "/"): return "/"
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{C}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"): return try unicodeEscape()
    default: throw error("an unknown escape")
    }
  }

  /// Reads the four digits behind `\u`, or those of a surrogate pair.
  private mutating func unicodeEscape() throws(TensorError) -> String {
    var units = [try hexadecimal()]
    if UTF16.isLeadSurrogate(units[0]), bytes[place...].starts(with: Array("\\u".utf8)) {
      place += 2
      units.append(try hexadecimal())
    }
    guard let text = String(validating: units, as: UTF16.self) else {
      throw error("half a character")
    }
    return text
  }

  private mutating func hexadecimal() throws(TensorError) -> UInt16 {
    let digits = bytes[place...].prefix(4)
    guard digits.count == 4, digits.allSatisfy({ Character(UnicodeScalar($0)).isHexDigit }),
      let unit = UInt16(String(decoding: digits, as: UTF8.self), radix: 16)
    else { throw error("no four hexadecimal digits") }
    place += 4
    return unit
  }

  /// Throws unless only spaces follow.
  mutating func finish() throws(TensorError) {
    skipSpace()
    guard current == nil else { throw error("more follows its end") }
  }

  // MARK: - Bytes

  private var current: UInt8? { place < bytes.count ? bytes[place] : nil }

  private mutating func skipSpace() {
    while let byte = current, [0x20, 0x09, 0x0A, 0x0D].contains(byte) { place += 1 }
  }

  /// Takes a sign if it comes next, after spaces; returns whether it did.
  private mutating func take(_ sign: UnicodeScalar) -> Bool {
    skipSpace()
    guard current == UInt8(ascii: sign) else { return false }
    place += 1
    return true
  }

  private mutating func expect(_ sign: UnicodeScalar) throws(TensorError) {
    guard take(sign) else { throw error("expected \(sign)") }
  }
}

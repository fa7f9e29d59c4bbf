/// The meaning of the first bytes from a keyboard: a key, or the beginning of one.
enum KeySequence: Hashable {
  /// A key and its number of bytes.
  case key(KeyReader.Key, count: Int)
  /// Bytes that are no key and are ignored.
  case nothing(count: Int)
  /// The mark before a paste.
  case pasteStart
  /// An incomplete sequence, or no bytes at all.
  case unfinished

  static let startMark = Array("\u{1B}[200~".utf8)
  static let endMark = Array("\u{1B}[201~".utf8)
  private static let escape: UInt8 = 0x1B
  /// The largest number of bytes of a sequence, and of a terminal's answer about pictures.
  private static let (longest, longestAnswer) = (64, 200)

  /// Reads the first key of `bytes`.
  init(_ bytes: ArraySlice<UInt8>) {
    switch bytes.first {
    case nil: self = .unfinished
    case Self.escape: self = Self.afterEscape(bytes)
    case let lead?: self = Self.character(bytes, lead: lead)
    }
  }

  /// The escape key, which libedit combines with the next one, or the sequence that it begins.
  private static func afterEscape(_ bytes: ArraySlice<UInt8>) -> KeySequence {
    switch bytes.dropFirst().first {
    case nil: .unfinished
    case UInt8(ascii: "["): controlSequence(bytes)
    case UInt8(ascii: "O"): bytes.count < 3 ? .unfinished : meaning(of: bytes.prefix(3))
    case UInt8(ascii: "_"): answer(bytes)
    default: escapeAlone
    }
  }

  private static var escapeAlone: KeySequence { .key(.character("\u{1B}"), count: 1) }

  /// A control sequence of ECMA-48: parameters, then intermediates, then a final byte.
  private static func controlSequence(_ bytes: ArraySlice<UInt8>) -> KeySequence {
    let parameters = bytes.dropFirst(2).prefix { (0x30...0x3F).contains($0) }
    let rest = bytes.dropFirst(2 + parameters.count)
    let intermediates = rest.prefix { (0x20...0x2F).contains($0) }
    let count = 2 + parameters.count + intermediates.count + 1
    guard count <= longest else { return escapeAlone }
    guard let final = rest.dropFirst(intermediates.count).first else { return .unfinished }
    return (0x40...0x7E).contains(final) ? meaning(of: bytes.prefix(count)) : escapeAlone
  }

  /// An answer about pictures, up to its end `ESC \`.
  private static func answer(_ bytes: ArraySlice<UInt8>) -> KeySequence {
    guard let kind = bytes.dropFirst(2).first else { return .unfinished }
    guard kind == UInt8(ascii: "G"), bytes.count <= longestAnswer else { return escapeAlone }
    let end = Array("\u{1B}\\".utf8)
    guard let range = bytes.firstRange(of: end) else { return .unfinished }
    return meaning(of: bytes[bytes.startIndex..<range.upperBound])
  }

  /// The meaning of a complete sequence; libedit gets unknown ones byte by byte.
  private static func meaning(of sequence: ArraySlice<UInt8>) -> KeySequence {
    let text = String(decoding: sequence.dropFirst(), as: UTF8.self)
    switch text {
    case "[A", "OA": return .key(.up, count: sequence.count)
    case "[B", "OB": return .key(.down, count: sequence.count)
    case "[200~": return .pasteStart
    // An end mark without a beginning has no meaning.
    case "[201~": return .nothing(count: sequence.count)
    default:
      guard let reply = TerminalReply(text) else { return escapeAlone }
      return .key(.reply(reply), count: sequence.count)
    }
  }

  // MARK: - Characters

  /// The next character; bytes that are not UTF-8, and eight-bit control characters, are no key.
  private static func character(_ bytes: ArraySlice<UInt8>, lead: UInt8) -> KeySequence {
    let length = lead < 0x80 ? 1 : lead < 0xC2 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4
    let tail = bytes.dropFirst().prefix(max(0, length - 1)).prefix { $0 & 0xC0 == 0x80 }
    if length > 1 + tail.count, bytes.count == 1 + tail.count { return .unfinished }
    var iterator = bytes.prefix(length).makeIterator()
    var decoder = UTF8()
    guard length > 0, case .scalarValue(let scalar) = decoder.decode(&iterator),
      !(0x80..<0xA0).contains(scalar.value)
    else { return .nothing(count: 1) }
    return .key(.character(scalar), count: length)
  }
}

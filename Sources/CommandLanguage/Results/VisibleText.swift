/// Text as it may be sent to a terminal or written to a transcript.
package enum VisibleText {
  /// Replaces control characters by pictures of them, so that no text can steer a terminal.
  package static func visible(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: { picture(of: $0) != nil }) else { return text }
    var result = String.UnicodeScalarView()
    for scalar in text.unicodeScalars { result.append(picture(of: scalar) ?? scalar) }
    return String(result)
  }

  /// Replaces control characters other than line breaks by pictures of them.
  package static func visibleLines(_ text: String) -> String {
    text.split(separator: "\n", omittingEmptySubsequences: false)
      .map { visible(String($0)) }.joined(separator: "\n")
  }

  /// The columns that characters take in a terminal.
  package static func columns(of characters: some Sequence<Character>) -> Int {
    characters.reduce(0) { $0 + columns(of: $1) }
  }

  /// The columns that one character takes, once made visible.
  private static func columns(of character: Character) -> Int {
    guard let scalar = character.unicodeScalars.first else { return 0 }
    switch scalar.value {
    case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF,
      0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1FAFF, 0x20000...0x3FFFD:
      return 2
    case 0..<0x20, 0x7F:
      // Two control characters can form one character (CR LF): each gets its own picture.
      return character.unicodeScalars.count
    default:
      return 1
    }
  }

  /// The beginning of a text that fits into `limit` columns, with `…` behind it if it was cut.
  package static func cut(_ text: String, to limit: Int) -> String {
    guard columns(of: text) > limit else { return text }
    var kept = ""
    var width = 0
    for character in text {
      let next = columns(of: character)
      guard width + next < limit else { break }
      kept.append(character)
      width += next
    }
    return kept + "…"
  }

  /// The picture of a control character or of a mark that turns the direction of writing.
  private static func picture(of scalar: Unicode.Scalar) -> Unicode.Scalar? {
    switch scalar.value {
    case 0..<0x20: Unicode.Scalar(0x2400 + scalar.value)
    case 0x7F: "\u{2421}"
    case 0x80..<0xA0, 0x2028, 0x2029, 0x202A...0x202E, 0x2066...0x2069: "\u{FFFD}"
    default: nil
    }
  }
}

/// A font of fixed cells, 9×15 pixels, for text burned into pictures.
///
/// X.Org's misc-fixed, embedded, so that a picture's pixels depend on no installed font. It has all
/// of ASCII, Latin accents of West Europe, Greek of formulas, arrows and a few signs.
package struct BitmapFont: Sendable {
  package static let regular = BitmapFont(table: PackageResources.fixed9x15_txt)
  package static let bold = BitmapFont(table: PackageResources.fixed9x15_bold_txt)

  /// The size of every cell in pixels.
  package static let width = 9, height = 15

  /// The rows of each character from the top, 9 bits each, the leftmost pixel highest.
  private let glyphs: [Unicode.Scalar: [UInt16]]

  /// Reads a table in the format that its head describes.
  private init(table: [UInt8]) {
    var glyphs: [Unicode.Scalar: [UInt16]] = [:]
    for line in String(decoding: table, as: UTF8.self).split(separator: "\n") {
      let words = line.split(separator: " ")
      guard words.count == 2, let code = UInt32(words[0], radix: 16),
        let letter = Unicode.Scalar(code)
      else { continue }
      let digits = words[1].utf8.map { UInt16($0 < 58 ? $0 - 48 : $0 - 55) }
      glyphs[letter] = (0..<BitmapFont.height).map {
        digits[3 * $0] << 8 | digits[3 * $0 + 1] << 4 | digits[3 * $0 + 2]
      }
    }
    self.glyphs = glyphs
  }

  /// Whether the font contains `letter`.
  package func has(_ letter: Unicode.Scalar) -> Bool { glyphs[letter] != nil }

  /// The rows of `letter`; bold falls back to regular, and both to the replacement character.
  package func rows(of letter: Unicode.Scalar) -> [UInt16] {
    glyphs[letter] ?? BitmapFont.regular.glyphs[letter] ?? glyphs["\u{FFFD}"]
      ?? Array(repeating: 0x1FF, count: BitmapFont.height)
  }

  /// The width of `text` in pixels.
  package static func width(of text: String) -> Int { text.unicodeScalars.count * width }

  /// Breaks `text` into lines of at most `columns` characters, at spaces where there are any.
  package static func wrap(_ text: String, columns: Int) -> [String] {
    precondition(columns > 0, "A line has at least one column.")
    var lines: [String] = []
    var line = ""
    for word in text.split(separator: " ", omittingEmptySubsequences: false) {
      var word = String(word)
      let room = columns - line.unicodeScalars.count - (line.isEmpty ? 0 : 1)
      if word.unicodeScalars.count <= room {
        line += line.isEmpty ? word : " " + word
        continue
      }
      if !line.isEmpty { lines.append(line) }
      while word.unicodeScalars.count > columns {
        lines.append(String(String.UnicodeScalarView(word.unicodeScalars.prefix(columns))))
        word = String(String.UnicodeScalarView(word.unicodeScalars.dropFirst(columns)))
      }
      line = word
    }
    lines.append(line)
    return lines
  }
}

/// A font of outlines, DejaVu Sans, for text in drawings.
///
/// It is embedded, so that neither the layout nor a pixel of a drawing depends on installed fonts.
package struct OutlineFont: Sendable {
  package static let regular = OutlineFont(
    table: plainOutlines + letterOutlines + signOutlines, fallback: nil)
  package static let bold = OutlineFont(table: boldOutlines, fallback: regular.glyphs)

  /// A character's outline in units of the font size, y downwards from the baseline, and its
  /// advance.
  private struct Glyph {
    var advance = 0.6
    var segments: [Path.Segment] = []
  }

  private let glyphs: [Unicode.Scalar: Glyph]

  /// Reads a table in the format that PlainOutlines.swift describes.
  private init(table: String, fallback: [Unicode.Scalar: Glyph]?) {
    var glyphs = fallback ?? [:]
    for entry in table.split(separator: ";") {
      var words = entry.split { $0 == " " || $0 == "\n" }[...]
      guard let code = words.popFirst().flatMap({ UInt32($0, radix: 16) }),
        let letter = Unicode.Scalar(code), let advance = words.popFirst().flatMap({ Double($0) })
      else { continue }
      glyphs[letter] = Glyph(advance: advance / 1000, segments: Self.outline(words))
    }
    self.glyphs = glyphs
  }

  private static func outline(_ words: ArraySlice<Substring>) -> [Path.Segment] {
    var path = Path()
    var rest = words
    var last = Point(0, 0)
    func point() -> Point {
      let x = rest.popFirst().flatMap { Double($0) } ?? 0
      let y = rest.popFirst().flatMap { Double($0) } ?? 0
      return Point(x / 1000, -y / 1000)
    }
    while let word = rest.popFirst() {
      switch word {
      case "m":
        last = point()
        path.move(to: last)
      case "l":
        last = point()
        path.line(to: last)
      case "q":
        let control = point()
        let end = point()
        path.parabola(from: last, control, to: end)
        last = end
      default: path.close()
      }
    }
    return path.segments
  }

  private func glyph(_ letter: Unicode.Scalar) -> Glyph {
    glyphs[letter] ?? glyphs["\u{FFFD}"] ?? Glyph()
  }

  /// Whether the font contains `letter`.
  package func has(_ letter: Unicode.Scalar) -> Bool { glyphs[letter] != nil }

  /// The width of `text` in pixels.
  package func width(of text: String, size: Double) -> Double {
    text.unicodeScalars.reduce(0) { $0 + glyph($1).advance } * size
  }

  /// The outlines of `text`, its baseline beginning at `start`.
  package func path(of text: String, size: Double, from start: Point) -> Path {
    var path = Path()
    var x = start.x
    func place(_ point: Point) -> Point { Point(x + point.x * size, start.y + point.y * size) }
    for letter in text.unicodeScalars {
      let glyph = glyph(letter)
      for segment in glyph.segments {
        switch segment {
        case .move(let point): path.move(to: place(point))
        case .line(let point): path.line(to: place(point))
        case .curve(let first, let second, let end):
          path.curve(place(first), place(second), to: place(end))
        case .close: path.close()
        }
      }
      x += glyph.advance * size
    }
    return path
  }

  /// Breaks `text` at spaces into lines of at most `width` pixels; a longer word stays whole.
  package func wrap(_ text: String, size: Double, width: Double) -> [String] {
    var lines: [String] = []
    var line = ""
    for word in text.split(separator: " ", omittingEmptySubsequences: false) {
      let longer = line.isEmpty ? String(word) : "\(line) \(word)"
      if line.isEmpty || self.width(of: longer, size: size) <= width {
        line = longer
      } else {
        lines.append(line)
        line = String(word)
      }
    }
    return lines + [line]
  }
}

/// A way in which a terminal shows pictures, the best first.
package enum TerminalGraphics: String, CaseIterable, Hashable, Sendable {
  /// Kitty's protocol, https://sw.kovidgoyal.net/kitty/graphics-protocol/: files in escape
  /// sequences.
  case kitty
  /// The protocol of iTerm2, https://iterm2.com/documentation-images.html: files in other escape
  /// sequences.
  case iterm2
  /// Sixels: colored dots in bands of six rows, as on the VT340.
  case sixel
  /// Half blocks: a character for two pixels, one above the other, in two colors.
  case halfBlock = "half-block"
  /// Braille: a character for 2 × 4 dots, without color.
  case braille

  /// Whether the way sends pixels, not characters.
  package var hasPixels: Bool { [.kitty, .iterm2, .sixel].contains(self) }
}

/// The space for a picture in a terminal, and the terminal's abilities.
package struct TerminalRoom: Hashable, Sendable {
  /// The number of cells.
  package let columns: Int, rows: Int
  /// The size of a cell in pixels.
  package let cellWidth: Int, cellHeight: Int
  /// Whether the terminal reported the size of its cells; otherwise, it fits pictures into cells.
  package let knowsCells: Bool
  /// Whether it has 24-bit colors, not only a palette of 256.
  package let hasFullColor: Bool

  /// Makes room for `columns` × `rows` cells; a cell of unknown size has 10 × 20 pixels.
  package init(
    columns: Int, rows: Int, cell: (width: Int, height: Int)? = nil, hasFullColor: Bool = true
  ) {
    self.columns = max(1, columns)
    self.rows = max(1, rows)
    knowsCells = cell != nil
    (cellWidth, cellHeight) = (max(1, cell?.width ?? 10), max(1, cell?.height ?? 20))
    self.hasFullColor = hasFullColor
  }
}

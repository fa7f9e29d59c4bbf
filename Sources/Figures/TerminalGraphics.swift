/// A way in which a terminal shows a picture, the best first.
package enum TerminalGraphics: String, CaseIterable, Hashable, Sendable {
  /// Files in escape sequences: https://sw.kovidgoyal.net/kitty/graphics-protocol/.
  case kitty
  /// Files in escape sequences of another kind: https://iterm2.com/documentation-images.html.
  case iterm2
  /// Colored dots in bands of six rows, as the VT340 drew them.
  case sixel
  /// A character for two pixels, one above the other, in two colors.
  case halfBlock = "half-block"
  /// A character for 2 × 4 dots, without color.
  case braille

  /// Whether it sends pixels, not characters.
  package var hasPixels: Bool { [.kitty, .iterm2, .sixel].contains(self) }
}

/// Where in a terminal a picture may stand, and what the terminal can do.
package struct TerminalRoom: Hashable, Sendable {
  /// The number of cells.
  package let columns: Int, rows: Int
  /// The extent of a cell in pixels.
  package let cellWidth: Int, cellHeight: Int
  /// Whether the terminal said how large its cells are; otherwise it fits pictures into cells.
  package let knowsCells: Bool
  /// Whether it has 24-bit colors, not only a palette of 256.
  package let hasFullColor: Bool

  /// Room of `columns` × `rows` cells; a cell that is not known has 10 × 20 pixels.
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

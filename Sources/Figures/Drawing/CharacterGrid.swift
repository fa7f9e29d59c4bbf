/// A grid of characters in rows and columns, on which figures are written.
struct CharacterGrid {
  let columns: Int, rows: Int
  private var cells: [Character]

  init(columns: Int, rows: Int) {
    precondition(columns > 0 && rows > 0, "A grid has at least one cell.")
    (self.columns, self.rows) = (columns, rows)
    cells = Array(repeating: " ", count: columns * rows)
  }

  subscript(row: Int, column: Int) -> Character {
    get { cells[row * columns + column] }
    set {
      guard (0..<rows).contains(row), (0..<columns).contains(column) else { return }
      cells[row * columns + column] = newValue
    }
  }

  mutating func write(_ text: String, row: Int, column: Int) {
    for (index, character) in text.enumerated() { self[row, column + index] = character }
  }

  /// The rows without spaces at their ends.
  var lines: [String] {
    (0..<rows).map { row in
      let line = cells[row * columns..<(row + 1) * columns]
      return String(
        line.prefix((line.lastIndex { $0 != " " } ?? line.startIndex - 1) - line.startIndex + 1))
    }
  }
}

/// A grid of dots, eight a character: braille patterns of two columns and four rows.
struct BrailleGrid {
  let columns: Int, rows: Int
  private var patterns: [UInt32]

  /// The number of columns and rows of dots.
  var width: Int { 2 * columns }
  var height: Int { 4 * rows }

  init(columns: Int, rows: Int) {
    (self.columns, self.rows) = (columns, rows)
    patterns = Array(repeating: 0, count: columns * rows)
  }

  /// Sets the dot at column `x` and row `y` from the upper left corner.
  mutating func set(_ x: Int, _ y: Int) {
    guard (0..<width).contains(x), (0..<height).contains(y) else { return }
    // Unicode numbers the dots 1–3 and 7 down the left column, 4–6 and 8 down the right one.
    let bit = y % 4 == 3 ? 6 + x % 2 : y % 4 + 3 * (x % 2)
    patterns[y / 4 * columns + x / 2] |= 1 << UInt32(bit)
  }

  /// The character of a cell; nil if it has no dot.
  func character(row: Int, column: Int) -> Character? {
    let pattern = patterns[row * columns + column]
    return pattern == 0 ? nil : Unicode.Scalar(0x2800 + pattern).map(Character.init)
  }
}

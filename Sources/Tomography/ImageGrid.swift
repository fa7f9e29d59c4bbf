/// The pixels of a slice, whose center is the center of rotation.
package struct ImageGrid: Hashable, Sendable, Codable {
  package let rows: Int, columns: Int
  /// The distances of neighboring rows and of neighboring columns, in mm.
  package let rowSpacing: Double, columnSpacing: Double

  package init(rows: Int, columns: Int, rowSpacing: Double, columnSpacing: Double) {
    precondition(rows > 0 && columns > 0, "An image has pixels.")
    precondition(rowSpacing > 0 && columnSpacing > 0, "Pixels have an extent.")
    (self.rows, self.columns) = (rows, columns)
    (self.rowSpacing, self.columnSpacing) = (rowSpacing, columnSpacing)
  }

  /// The row and column of the center, from 0.
  var centerRow: Double { Double(rows - 1) / 2 }
  var centerColumn: Double { Double(columns - 1) / 2 }

  /// The distance from the center to the middle of a corner's pixel, in mm.
  package var cornerRadius: Double {
    let (x, y) = (centerColumn * columnSpacing, centerRow * rowSpacing)
    return (x * x + y * y).squareRoot()
  }

  /// Returns the columns of a row whose pixels lie within `radius` mm of the center.
  package func columns(ofRow row: Int, within radius: Double) -> Range<Int> {
    let y = (centerRow - Double(row)) * rowSpacing
    let square = radius * radius - y * y
    guard square >= 0 else { return 0..<0 }
    let reach = square.squareRoot() / columnSpacing
    let first = max(0, Int((centerColumn - reach).rounded(.up)))
    let last = min(columns - 1, Int((centerColumn + reach).rounded(.down)))
    return first <= last ? first..<last + 1 : 0..<0
  }

  /// Returns a grid of `size` rows and columns across the same field.
  package func resized(to size: Int) -> ImageGrid {
    ImageGrid(
      rows: size, columns: size, rowSpacing: rowSpacing * Double(rows) / Double(size),
      columnSpacing: columnSpacing * Double(columns) / Double(size))
  }

  /// Returns an image turned over its diagonal: columns as rows.
  func turned<Element>(_ image: [Element]) -> [Element] {
    (0..<columns).flatMap { column in (0..<rows).map { image[$0 * columns + column] } }
  }
}

/// A layout of equal cells in rows, filled from the left and the top.
package struct Grid: Hashable, Sendable {
  package let columns: Int, rows: Int
  package let cellWidth: Int, cellHeight: Int
  package let gap: Int

  /// Lays out `count` cells so that rows are at most `maximumWidth` wide (one cell at least) and
  /// about equally full.
  package init(count: Int, cellWidth: Int, cellHeight: Int, gap: Int, maximumWidth: Int) {
    precondition(count > 0 && cellWidth > 0 && cellHeight > 0, "A grid has at least one cell.")
    let fitting = min(count, max(1, (maximumWidth + gap) / (cellWidth + gap)))
    rows = (count + fitting - 1) / fitting
    columns = (count + rows - 1) / rows
    (self.cellWidth, self.cellHeight, self.gap) = (cellWidth, cellHeight, gap)
  }

  /// The extent of all cells and the gaps between them.
  package var width: Int { columns * (cellWidth + gap) - gap }
  package var height: Int { rows * (cellHeight + gap) - gap }

  /// The upper left corner of a cell.
  package func origin(of index: Int) -> (x: Int, y: Int) {
    (index % columns * (cellWidth + gap), index / columns * (cellHeight + gap))
  }
}

/// Rows of cells under column titles.
package struct OutputTable: Hashable, Sendable {
  /// A column's title and side.
  package struct Column: Hashable, Sendable {
    package let title: String
    /// Whether cells stand at the right side, as numbers do.
    package let isNumeric: Bool

    /// A column of words.
    package static func words(_ title: String) -> Column { Column(title: title, isNumeric: false) }

    /// A column of numbers.
    package static func numbers(_ title: String) -> Column { Column(title: title, isNumeric: true) }
  }

  package var columns: [Column]
  package var rows: [[OutputLine]]

  package init(_ columns: [Column], rows: [[OutputLine]] = []) {
    self.columns = columns
    self.rows = rows
  }

  /// The table as lines; a table whose titles are all empty has no line of titles.
  package var lines: [OutputLine] {
    let titles = columns.map { OutputLine($0.title) }
    let all = columns.allSatisfy(\.title.isEmpty) ? rows : [titles] + rows
    let cells = all.map { row in row.map { (line: $0, width: Self.width(of: $0)) } }
    let count = cells.map(\.count).max() ?? 0
    let widths = (0..<count).map { column in
      cells.map { column < $0.count ? $0[column].width : 0 }.max() ?? 0
    }
    return cells.map { row in
      var fields: [Field] = []
      var pending = 0
      for (index, cell) in row.enumerated() {
        let space = widths[index] - cell.width
        let isNumeric = index < columns.count && columns[index].isNumeric
        pending += (index > 0 ? 2 : 0) + (isNumeric ? space : 0)
        if cell.width > 0 {
          fields.append(.text(String(repeating: " ", count: pending)))
          fields += cell.line.fields
          pending = 0
        }
        if !isNumeric { pending += space }
      }
      return OutputLine(fields)
    }
  }

  private static func width(of cell: OutputLine) -> Int {
    VisibleText.columns(of: cell.rendered)
  }
}

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
  package var rendered: [String] {
    let titles = columns.map { Field.text($0.title).rendered }
    let cells = rows.map { $0.map(\.rendered) }
    let all = titles.allSatisfy(\.isEmpty) ? cells : [titles] + cells
    let count = all.map(\.count).max() ?? 0
    let widths = (0..<count).map { column in
      all.map { column < $0.count ? VisibleText.columns(of: $0[column]) : 0 }.max() ?? 0
    }
    return all.map { row in
      let padded = row.enumerated().map { index, cell in
        let space = String(
          repeating: " ", count: max(0, widths[index] - VisibleText.columns(of: cell)))
        return index < columns.count && columns[index].isNumeric ? space + cell : cell + space
      }
      let line = padded.joined(separator: "  ")
      return String(line.reversed().drop { $0 == " " }.reversed())
    }
  }
}

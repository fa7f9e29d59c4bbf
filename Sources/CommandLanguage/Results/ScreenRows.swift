/// The rows of an outcome on a terminal of some width: none is wider than that, and none breaks a
/// word, as long as no word is wider than a row.
extension Outcome {
  /// The rows of a line or a table, or a picture, whose line comes before it.
  package struct ScreenPart {
    package let rows: [String]
    package let picture: RecordedPicture?
  }

  /// The parts in order, warnings last.
  package func screen(columns: Int) -> [ScreenPart] {
    func part(_ line: TypedLine) -> ScreenPart {
      var picture: RecordedPicture?
      if case .picture(let shown) = line { picture = shown }
      return ScreenPart(
        rows: TextWrapping.rows(of: line.shown, columns: columns), picture: picture)
    }
    let parts = blocks.map { block -> ScreenPart in
      switch block {
      case .line(let line): part(.fields(line.fields))
      case .table(let table): ScreenPart(rows: table.rows(columns: columns), picture: nil)
      case .picture(let picture): part(.picture(picture))
      }
    }
    return parts + warningLines.map(part)
  }
}

extension OutputTable {
  /// The least width of a column of words.
  private static let leastWidth = 12

  /// The table in rows of at most `columns`: where it is wider, cells of words go on in further rows;
  /// where even that is too wide, the cells of a row follow each other like words.
  package func rows(columns limit: Int) -> [String] {
    let cells = shownCells
    let whole = lines(cells.map { row in row.map { [$0] } })
    guard whole.contains(where: { VisibleText.columns(of: $0) > limit }) else { return whole }
    guard let widths = widths(cells, limit) else {
      return cells.flatMap { row in
        TextWrapping.rows(of: row.filter { !$0.isEmpty }.joined(separator: " "), columns: limit)
      }
    }
    return lines(
      cells.map { row in
        row.enumerated().map { index, cell in
          TextWrapping.rows(of: cell, columns: widths[index])
        }
      })
  }

  /// The texts of all cells, titles first unless all are empty.
  private var shownCells: [[String]] {
    let titles = columns.map(\.title)
    let body = rows.map { row in row.map(\.shown) }
    return titles.allSatisfy(\.isEmpty) ? body : [titles] + body
  }

  /// The widths of columns with which rows fit: columns of words share the space that numbers
  /// leave; nil when that is too little for their longest words.
  private func widths(_ cells: [[String]], _ limit: Int) -> [Int]? {
    let count = cells.map(\.count).max() ?? 0
    var widths = (0..<count).map { column in
      cells.map { column < $0.count ? VisibleText.columns(of: $0[column]) : 0 }.max() ?? 0
    }
    let words = widths.indices.filter { $0 >= columns.count || !columns[$0].isNumeric }
    let least = widths.indices.map { column in
      // Words stay behind the indent of their cell.
      cells.flatMap { row -> [Int] in
        guard column < row.count else { return [] }
        let indent = row[column].prefix { $0 == " " }.count
        return row[column].split(separator: " ").map {
          indent + VisibleText.columns(of: String($0))
        }
      }.reduce(Self.leastWidth, max)
    }
    var excess = widths.reduce(2 * (count - 1), +) - limit
    // Each turn narrows the column that is widest by 1.
    while excess > 0 {
      let spare = words.filter { widths[$0] > least[$0] }
      guard let widest = spare.max(by: { widths[$0] < widths[$1] }) else { return nil }
      widths[widest] -= 1
      excess -= 1
    }
    return widths
  }

  /// The lines of a table's cells, each of which has one row or more.
  private func lines(_ cells: [[[String]]]) -> [String] {
    let count = cells.map(\.count).max() ?? 0
    let widths = (0..<count).map { column in
      cells.flatMap { column < $0.count ? $0[column] : [] }
        .map { VisibleText.columns(of: $0) }.max() ?? 0
    }
    return cells.flatMap { row in
      (0..<(row.map(\.count).max() ?? 0)).map { index in
        var text = ""
        for (column, cell) in row.enumerated() {
          let part = index < cell.count ? cell[index] : ""
          let space = String(
            repeating: " ", count: widths[column] - VisibleText.columns(of: part))
          let isNumeric = column < columns.count && columns[column].isNumeric
          text += (column > 0 ? "  " : "") + (isNumeric ? space + part : part + space)
        }
        while text.last == " " { text.removeLast() }
        return text
      }
    }
  }
}

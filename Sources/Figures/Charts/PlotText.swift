// Plots as text. Lines are drawn in braille dots, or in ASCII with a sign for each series; a number
// at the right end identifies the series.

extension Plot {
  package func text(_ style: TextStyle) -> [String] {
    let rows = 14
    let (xScale, yScale) = (xScale, yScale)
    let yTicks = yScale.ticks(atMost: 5)
    let gutter = style.gutter(yTicks)
    let columns = TextStyle.columns - gutter - (needsLegend ? 3 : 0)
    var grid = CharacterGrid(columns: columns + (needsLegend ? 2 : 0), rows: rows)
    for reference in references {
      guard let row = yScale.position(of: reference.y).map({ place($0, rows, flipped: true) })
      else { continue }
      for column in stride(from: 0, to: columns, by: 2) {
        grid[row, column] = style == .unicode ? "╌" : "-"
      }
    }
    switch style {
    case .unicode: drawBraille(xScale, yScale, columns, on: &grid)
    case .ascii: drawSigns(xScale, yScale, columns, on: &grid)
    }
    if needsLegend { number(yScale, at: columns + 1, on: &grid) }

    var labels: [Int: String] = [:]
    for tick in yTicks {
      guard let position = yScale.position(of: tick.value) else { continue }
      labels[place(position, rows, flipped: true)] = style.number(tick.label)
    }
    let space = String(repeating: " ", count: gutter - 1)
    return [y.name] + style.framed(grid.lines, labels: labels, gutter: gutter, columns: columns)
      + [space + xAxis(xScale, columns, style)] + (needsLegend ? legend(style) : [])
  }

  /// The index of the cell, of `count`, at a position of 0…1.
  private func place(_ position: Double, _ count: Int, flipped: Bool = false) -> Int {
    let index = min(max(Int((position * Double(count)).rounded(.down)), 0), count - 1)
    return flipped ? count - 1 - index : index
  }

  /// The numbers under the axis, with its name at the end.
  private func xAxis(_ scale: AxisScale, _ columns: Int, _ style: TextStyle) -> String {
    var line = CharacterGrid(columns: columns + 1, rows: 1)
    let end = columns - x.name.count
    var free = 0
    for tick in scale.ticks(atMost: 8) {
      let label = style.number(tick.label)
      guard let position = scale.position(of: tick.value) else { continue }
      let start = min(max(0, place(position, columns) + 1 - label.count / 2), columns)
      guard start >= free, start + label.count < end else { continue }
      line.write(label, row: 0, column: start)
      free = start + label.count + 2
    }
    line.write(x.name, row: 0, column: max(free, end + 1))
    return line.lines[0]
  }

  private func legend(_ style: TextStyle) -> [String] {
    style.joined(
      series.enumerated().map { index, series in
        "\(index + 1)\(style == .unicode ? "" : String(sign(index))) \(series.label) "
      }
        + references.map { "\(style == .unicode ? "╌╌" : "- -") \($0.label)" })
  }

  /// Prints the numbers of the series at their ends.
  private func number(_ scale: AxisScale, at column: Int, on grid: inout CharacterGrid) {
    var taken: Set<Int> = []
    for (index, series) in series.enumerated() where index < 9 {
      guard
        let position = series.points.last(where: { scale.position(of: $0.y) != nil })
          .flatMap({ scale.position(of: $0.y) })
      else { continue }
      let wanted = place(position, grid.rows, flipped: true)
      let free = (0..<grid.rows).filter { !taken.contains($0) }.min { a, b in
        abs(a - wanted) < abs(b - wanted)
      }
      guard let row = free else { return }
      taken.insert(row)
      grid[row, column] = Character("\(index + 1)")
    }
  }

  private func drawBraille(
    _ xScale: AxisScale, _ yScale: AxisScale, _ columns: Int, on grid: inout CharacterGrid
  ) {
    var dots = BrailleGrid(columns: columns, rows: grid.rows)
    for series in series {
      for dot in cells(of: series, xScale, yScale, dots.width, dots.height) {
        dots.set(dot.0, dot.1)
      }
    }
    for row in 0..<grid.rows {
      for column in 0..<columns {
        if let character = dots.character(row: row, column: column) {
          grid[row, column] = character
        }
      }
    }
  }

  /// The cells of a series on a grid; those of a line are joined, except beside a gap.
  private func cells(
    of series: Series, _ xScale: AxisScale, _ yScale: AxisScale, _ columns: Int, _ rows: Int
  ) -> [(Int, Int)] {
    var last: (Int, Int)?
    return series.points.flatMap { point -> [(Int, Int)] in
      guard let column = xScale.position(of: point.x), let row = yScale.position(of: point.y)
      else {
        last = nil
        return []
      }
      let here = (place(column, columns), place(row, rows, flipped: true))
      defer { last = here }
      return series.sign == .line ? Self.line(from: last ?? here, to: here) : [here]
    }
  }

  /// The cells between two cells, both included.
  private static func line(from a: (Int, Int), to b: (Int, Int)) -> [(Int, Int)] {
    let count = max(abs(b.0 - a.0), abs(b.1 - a.1))
    guard count > 0 else { return [a] }
    return (0...count).map { step in
      let part = Double(step) / Double(count)
      return (
        a.0 + Int((Double(b.0 - a.0) * part).rounded()),
        a.1 + Int((Double(b.1 - a.1) * part).rounded())
      )
    }
  }

  private func sign(_ index: Int) -> Character { Self.signs[index % Self.signs.count] }

  private static let signs: [Character] = ["*", "o", "+", "x", "#", "@", "%"]

  private func drawSigns(
    _ xScale: AxisScale, _ yScale: AxisScale, _ columns: Int, on grid: inout CharacterGrid
  ) {
    for (index, series) in series.enumerated().reversed() {
      for cell in cells(of: series, xScale, yScale, columns, grid.rows) {
        grid[cell.1, cell.0] = sign(index)
      }
    }
  }
}

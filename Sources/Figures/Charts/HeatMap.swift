/// A figure of one plane's numbers as colors, with the scale beside it.
///
/// Small planes are enlarged by a whole factor; where there is room, the numbers are printed in
/// their cells.
package struct HeatMap: Figure {
  package let title: String
  package let plane: Plane
  package let scale: ColorScale
  /// The unit of the numbers, such as `HU`; may be empty.
  package let unit: String
  /// The index of the plane's first row and column within the whole tensor.
  package let firstRow: Int, firstColumn: Int
  package let statistics: [String]

  package init(
    title: String, _ plane: Plane, unit: String = "", firstRow: Int = 0, firstColumn: Int = 0,
    statistics: [String] = []
  ) {
    (self.title, self.plane, self.unit, self.statistics) = (title, plane, unit, statistics)
    (self.firstRow, self.firstColumn) = (firstRow, firstColumn)
    scale = ColorScale(suiting: plane.values)
  }

  /// The side of a cell in pixels: the longer side of the plane fills about 480 pixels.
  package var cell: Int { min(64, max(1, 480 / max(plane.width, plane.height))) }

  private var hasNaN: Bool { plane.values.contains(where: \.isNaN) }

  package func drawing() -> Drawing {
    let (mapWidth, mapHeight) = (plane.width * cell, plane.height * cell)
    let rowLabels = AxisScale(from: Double(firstRow), to: Double(firstRow + plane.height))
    let rowTicks = indices(rowLabels, firstRow, plane.height, mapHeight)
    let gutter = max(PlotArea.labelWidth(rowTicks), 16) + 10
    let barHeight = Double(max(mapHeight, 120))
    let right = Look.margin + gutter + Double(mapWidth) + 24
    let width = max(420, right + ColorScale.barWidth + ColorScale.labelWidth + Look.margin)
    let legend = hasNaN ? [LegendEntry(label: "nan", color: Palette.notANumber, sign: .square)] : []
    let around = Surroundings(self, legend: legend, width: width)
    let x = Int(Look.margin + gutter)
    let y = Int(around.top + 26)
    let bottom = Double(y) + barHeight + 34
    var drawing = around.drawing(width: width, figureBottom: bottom)
    drawing.put(scale.picture(of: plane), x: x, y: y, scale: cell)
    let (left, top) = (Double(x), Double(y))
    drawing.stroke(
      .rectangle(
        x: left - 0.5, y: top - 0.5, width: Double(mapWidth) + 1, height: Double(mapHeight) + 1),
      Look.axis)
    if cell >= 44 { writeNumbers(left, top, on: &drawing) }
    for tick in rowTicks {
      let row = top + (tick.value - Double(firstRow) + 0.5) * Double(cell)
      drawing.write(
        tick.label.printed, at: Point(left - 8, row + 4), size: Look.smallSize, color: Look.faint,
        anchor: .end)
    }
    let columnLabels = AxisScale(from: Double(firstColumn), to: Double(firstColumn + plane.width))
    for tick in indices(columnLabels, firstColumn, plane.width, mapWidth) {
      let column = left + (tick.value - Double(firstColumn) + 0.5) * Double(cell)
      drawing.write(
        tick.label.printed, at: Point(column, top + Double(mapHeight) + 16), size: Look.smallSize,
        color: Look.faint, anchor: .middle)
    }
    drawing.write("row", at: Point(left - 8, top - 8), size: Look.smallSize, anchor: .end)
    drawing.write(
      "column", at: Point(left + Double(mapWidth) / 2, top + Double(mapHeight) + 31),
      size: Look.smallSize, anchor: .middle)
    scale.draw(on: &drawing, x: right, y: top, height: barHeight, name: unit)
    return drawing
  }

  /// The indices that are printed along a side of `length` pixels.
  private func indices(
    _ axis: AxisScale, _ first: Int, _ count: Int, _ length: Int
  ) -> [AxisScale.Tick] {
    axis.ticks(atMost: min(count, max(2, length / 44))).filter {
      $0.value == $0.value.rounded() && (first..<first + count).contains(Int($0.value))
    }
  }

  /// Prints each number in its cell, all with one power of ten.
  private func writeNumbers(_ left: Double, _ top: Double, on drawing: inout Drawing) {
    let size = plane.values.lazy.filter(\.isFinite).map { abs(Double($0)) }.max() ?? 0
    let power = CommonPower(largest: size)
    if let name = power.name {
      drawing.write(
        name, at: Point(left + Double(plane.width * cell), top - 8), size: Look.smallSize,
        anchor: .end)
    }
    for row in 0..<plane.height {
      for column in 0..<plane.width {
        let value = plane.values[row * plane.width + column]
        drawing.write(
          power.label(Double(value)).printed,
          at: Point(
            left + (Double(column) + 0.5) * Double(cell),
            top + (Double(row) + 0.5) * Double(cell) + 4),
          size: 11, color: scale.color(of: value).luma < 0.55 ? .white : Look.text, anchor: .middle)
      }
    }
  }

  // MARK: - Text

  package func text(_ style: TextStyle) -> [String] {
    let shades = scale.shades(style)
    func shade(_ value: Float) -> Character {
      guard !value.isNaN else { return "?" }
      let part = min(max(scale.part(of: value), 0), 1)
      return shades[min(Int(part * Double(shades.count)), shades.count - 1)]
    }
    // A character is about twice as high as wide.
    let repetition = plane.width <= 36 ? 2 : 1
    let columns = min(plane.width * repetition, 76)
    let rows = max(1, min(plane.height, 36, plane.height * columns / (2 * plane.width) + 1))
    let body = (0..<rows).map { row in
      String(
        (0..<columns).map { column in
          shade(
            mean(rows: span(row, rows, plane.height), columns: span(column, columns, plane.width)))
        })
    }
    let steps = shades.indices.map { index in
      let value = scale.low + (scale.high - scale.low) * Double(index) / Double(shades.count)
      let sign = shades[index] == " " ? "' '" : String(shades[index])
      return "\(sign) \(style.number(NumberLabel(value, significant: 3)))"
    }
    let end = style.number(NumberLabel(scale.high, significant: 3))
    let key = ["from"] + steps + ["to \(end)", unit] + (hasNaN ? ["? nan"] : [])
    return style.boxed(body, columns: columns) + style.joined(key)
  }

  /// The range of numbers for character `index` of `count`.
  private func span(_ index: Int, _ count: Int, _ size: Int) -> Range<Int> {
    let first = index * size / count
    return first..<max(first + 1, (index + 1) * size / count)
  }

  private func mean(rows: Range<Int>, columns: Range<Int>) -> Float {
    var sum = 0.0
    for row in rows {
      for column in columns { sum += Double(plane.values[row * plane.width + column]) }
    }
    return Float(sum / Double(rows.count * columns.count))
  }
}

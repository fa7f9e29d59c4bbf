/// A chart of horizontal bars in named groups, such as the gradient norms of layers under some
/// flows.
package struct BarChart: Figure {
  package struct Series: Hashable, Sendable {
    package let label: String
    /// The values, one for each group; NaN and infinities are printed and have no bar.
    package let values: [Double]
    /// The ends of each value's interval; empty where there are none.
    package let intervals: [ClosedRange<Double>]

    package init(_ label: String, _ values: [Double], intervals: [ClosedRange<Double>] = []) {
      precondition(intervals.isEmpty || intervals.count == values.count, "Each or none.")
      (self.label, self.values, self.intervals) = (label, values, intervals)
    }
  }

  package let title: String
  /// The names of the groups, at the left.
  package let groups: [String]
  package let series: [Series]
  /// The quantity of the bars, with its unit.
  package let axis: Plot.Axis
  package let statistics: [String]

  package init(
    title: String, groups: [String], series: [Series], axis: Plot.Axis, statistics: [String] = []
  ) {
    precondition(
      series.allSatisfy { $0.values.count == groups.count },
      "Each group has a value in each series."
    )
    (self.title, self.groups, self.series) = (title, groups, series)
    (self.axis, self.statistics) = (axis, statistics)
  }

  private var scale: AxisScale {
    AxisScale(
      covering: series.flatMap(\.values)
        + series.flatMap(\.intervals).flatMap { [$0.lowerBound, $0.upperBound] },
      kind: axis.kind, room: axis.kind == .linear ? 0 : 0.06,
      includesZero: true)
  }

  /// The position where bars begin: at zero, or at the low end of a logarithmic axis.
  private func origin(_ scale: AxisScale) -> Double {
    axis.kind == .linear ? min(max(scale.position(of: 0) ?? 0, 0), 1) : 0
  }

  private static func label(_ value: Double) -> NumberLabel { NumberLabel(value, significant: 3) }

  // MARK: - Drawing

  package func drawing() -> Drawing {
    let width = Double(Look.width)
    let legend = series.enumerated().map {
      LegendEntry(label: $1.label, color: Palette.series($0), sign: .square)
    }
    let around = Surroundings(self, legend: series.count > 1 ? legend : [], width: width)
    let thickness = series.count == 1 ? 18.0 : 13.0
    let pitch = thickness * Double(max(series.count, 1)) + (series.count == 1 ? 10 : 14)
    let top = around.top + 6
    let axisY = top + pitch * Double(groups.count) + 4
    let bottom = axisY + 44
    let scale = scale
    let font = OutlineFont.regular
    let names = groups.map { font.width(of: $0, size: Look.textSize) }.max() ?? 0
    let left = (Look.margin + names + 12).rounded()
    // The right edge leaves room for the number behind the longest bar.
    let right = width - Look.margin - 76
    func column(_ position: Double) -> Double { left + position * (right - left) }

    var drawing = around.drawing(width: width, figureBottom: bottom)
    for tick in scale.ticks(atMost: 8) {
      guard let position = scale.position(of: tick.value), (0...1).contains(position) else {
        continue
      }
      let x = column(position).rounded(.down) + 0.5
      drawing.stroke(.line([Point(x, top - 4), Point(x, axisY)]), Look.grid)
      drawing.write(
        tick.label.printed, at: Point(x, axisY + 17), color: Look.faint, anchor: .middle)
    }
    let base = column(origin(scale))
    for (group, name) in groups.enumerated() {
      let y = top + pitch * Double(group)
      let middle = y + thickness * Double(series.count) / 2
      drawing.write(name, at: Point(left - 10, middle + 4.5), anchor: .end)
      for (index, series) in series.enumerated() {
        let value = series.values[group]
        let barTop = y + thickness * Double(index)
        var end = base
        if let position = scale.position(of: value) {
          end = column(position)
          drawing.fill(
            .rectangle(
              x: min(base, end), y: barTop + 1, width: abs(end - base), height: thickness - 2),
            Palette.series(index))
        }
        if !series.intervals.isEmpty {
          let ends = [series.intervals[group].lowerBound, series.intervals[group].upperBound]
            .compactMap { scale.position(of: $0).map(column) }
          let y = barTop + thickness / 2
          drawing.stroke(.line(ends.map { Point($0, y) }), Look.axis, width: 1.5)
          for x in ends {
            drawing.stroke(.line([Point(x, y - 4), Point(x, y + 4)]), Look.axis, width: 1.5)
            end = max(end, x)
          }
        }
        drawing.write(
          Self.label(value).printed, at: Point(max(base, end) + 6, barTop + thickness / 2 + 4.5),
          size: Look.smallSize, color: value.isFinite ? Look.faint : Palette.vermillion)
      }
    }
    let x = base.rounded(.down) + 0.5
    drawing.stroke(.line([Point(x, top - 4), Point(x, axisY)]), Look.axis)
    drawing.write(axis.name, at: Point((left + right) / 2, axisY + 37), anchor: .middle)
    return drawing
  }

  // MARK: - Text

  package func text(_ style: TextStyle) -> [String] {
    let scale = scale
    let names = min(24, groups.map(\.count).max() ?? 0)
    let labels = series.map { $0.values.map { style.number(Self.label($0)) } }
    let numbers = labels.joined().map(\.count).max() ?? 0
    let seriesNames = series.count > 1 ? min(16, series.map(\.label.count).max() ?? 0) + 2 : 0
    let room = TextStyle.columns - names - seriesNames - numbers - 4
    let origin = origin(scale)
    var lines = [axis.name + (axis.kind == .logarithmic ? " (log)" : "")]
    for (group, name) in groups.enumerated() {
      for (index, series) in series.enumerated() {
        let head = (index == 0 ? name : "").clipped(to: names)
        let which = seriesNames > 0 ? "  \(series.label.clipped(to: seriesNames - 2))" : ""
        var bar = ""
        if let position = scale.position(of: series.values[group]) {
          bar = Self.bar(from: origin, to: position, cells: room, style)
        }
        let number = labels[index][group]
        lines.append("\(head)\(which)  \(bar.isEmpty ? "" : bar + " ")\(number)")
      }
    }
    return lines
  }

  /// A bar between two positions on `cells` characters, to an eighth of a character at its end.
  private static func bar(
    from start: Double, to end: Double, cells: Int, _ style: TextStyle
  ) -> String {
    let (low, high) = (min(start, end) * Double(cells), max(start, end) * Double(cells))
    let first = Int(low.rounded())
    let eighths = Int(((high - Double(first)) * 8).rounded())
    let space = String(repeating: " ", count: first)
    guard style == .unicode else {
      return space + String(repeating: "#", count: max(0, (eighths + 4) / 8))
    }
    let parts = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"]
    return space + String(repeating: "█", count: max(0, eighths / 8)) + parts[max(0, eighths) % 8]
  }
}

extension String {
  /// Exactly `count` characters: cut, or filled with spaces.
  func clipped(to count: Int) -> String {
    String(prefix(count)) + String(repeating: " ", count: max(0, count - self.count))
  }
}

/// The rectangle between two axes.
struct PlotArea {
  let x: AxisScale, y: AxisScale
  let left: Double, right: Double, top: Double, bottom: Double
  private let xTicks: [AxisScale.Tick], yTicks: [AxisScale.Tick]
  /// The width of the whole drawing.
  private let width: Double

  /// The width of the labels of `y` at the left.
  static func labelWidth(_ ticks: [AxisScale.Tick]) -> Double {
    ticks.map { OutlineFont.regular.width(of: $0.label.printed, size: Look.textSize) }.max() ?? 0
  }

  /// Lays out an area of the width of a drawing between `top` and `bottom`, labels included.
  init(x: AxisScale, y: AxisScale, width: Double, top: Double, bottom: Double) {
    (self.x, self.y, self.width) = (x, y, width)
    // The y axis has its name above it, the x axis under the numbers.
    self.top = (top + 26).rounded()
    self.bottom = (bottom - 46).rounded()
    yTicks = y.ticks(atMost: max(2, Int((self.bottom - self.top) / 40)))
    left = (Look.margin + Self.labelWidth(yTicks) + 10).rounded()
    right = (width - Look.margin - 6).rounded()
    let wanted = max(2, Int((right - left) / 84))
    let candidates = [wanted, wanted * 2 / 3, wanted / 2, 2].map { x.ticks(atMost: $0) }
    let room = right - left
    xTicks =
      candidates.first { ticks in
        Self.labelWidth(ticks) + 16 <= room / Double(max(1, ticks.count))
      } ?? candidates[candidates.count - 1]
  }

  /// The point of two values; nil if one has no position on its axis.
  func point(_ xValue: Double, _ yValue: Double) -> Point? {
    guard let column = x.position(of: xValue), let row = y.position(of: yValue) else { return nil }
    return Point(left + column * (right - left), bottom - row * (bottom - top))
  }

  /// Draws grid, numbers and names.
  func draw(on drawing: inout Drawing, xName: String, yName: String) {
    for position in y.minorPositions {
      let row = aligned(bottom - position * (bottom - top))
      drawing.stroke(.line([Point(left, row), Point(right, row)]), RGB(0xF3F3F3))
    }
    for tick in yTicks {
      guard let position = y.position(of: tick.value), (0...1).contains(position) else { continue }
      let row = aligned(bottom - position * (bottom - top))
      drawing.stroke(.line([Point(left, row), Point(right, row)]), Look.grid)
      drawing.write(
        tick.label.printed, at: Point(left - 8, row + 4.5), color: Look.faint, anchor: .end)
    }
    for tick in xTicks {
      guard let position = x.position(of: tick.value), (0...1).contains(position) else { continue }
      let column = aligned(left + position * (right - left))
      drawing.stroke(.line([Point(column, bottom), Point(column, bottom + 5)]), Look.axis)
      // A long number at an end of the axis moves inwards, so that it stays in the picture.
      let half = Self.labelWidth([tick]) / 2 + 2
      drawing.write(
        tick.label.printed, at: Point(max(half, min(column, width - half)), bottom + 19),
        color: Look.faint, anchor: .middle)
    }
    let base = aligned(bottom)
    drawing.stroke(.line([Point(left, base), Point(right, base)]), Look.axis)
    drawing.write(yName, at: Point(Look.margin, top - 13))
    drawing.write(xName, at: Point((left + right) / 2, bottom + 38), anchor: .middle)
  }

  /// The coordinate of the pixel's middle, so that a thin line is one pixel wide.
  private func aligned(_ coordinate: Double) -> Double { coordinate.rounded(.down) + 0.5 }
}

/// A mapping from numbers between two ends to colors.
package struct ColorScale: Hashable, Sendable {
  package let ramp: ColorRamp
  package let low: Double, high: Double

  /// The scale for finite `values`: diverging and symmetric about zero when there are numbers of
  /// both signs, sequential from the lowest to the highest otherwise.
  package init(suiting values: some Sequence<Float>) {
    var (low, high) = (Float.infinity, -Float.infinity)
    for value in values where value.isFinite {
      low = min(low, value)
      high = max(high, value)
    }
    if low > high { (low, high) = (0, 0) }
    if low < 0, high > 0 {
      self.init(limit: Double(max(-low, high)))
    } else {
      let (low, high) = (Double(low), Double(high))
      let room = high > low ? 0 : low == 0 ? 1 : abs(low) / 2
      self.init(.sequential, low - room, high + room)
    }
  }

  /// The diverging scale from −`limit` to `limit`.
  package init(limit: Double) {
    let limit = limit > 0 ? limit : 1
    self.init(.diverging, -limit, limit)
  }

  private init(_ ramp: ColorRamp, _ low: Double, _ high: Double) {
    (self.ramp, self.low, self.high) = (ramp, low, high)
  }

  /// The position of a value: 0 at the low end, 1 at the high one, NaN for NaN.
  func part(of value: Float) -> Double { (Double(value) - low) / (high - low) }

  package func color(of value: Float) -> RGB { ramp.color(at: part(of: value)) }

  /// The plane in colors, one pixel a number.
  package func picture(of plane: Plane) -> Picture {
    // An array for each pixel would take most of the time of a large plane.
    var samples: [UInt16] = []
    samples.reserveCapacity(3 * plane.values.count)
    for value in plane.values {
      let color = color(of: value)
      samples.append(UInt16(color.red))
      samples.append(UInt16(color.green))
      samples.append(UInt16(color.blue))
    }
    return Picture(width: plane.width, height: plane.height, color: .rgb, samples: samples)
  }

  /// The characters of the scale, from the lowest to the highest; signed numbers near zero are
  /// blank.
  func shades(_ style: TextStyle) -> [Character] {
    switch style {
    case .unicode: Array(ramp == .diverging ? "⣿⠿⠶⠂ ░▒▓█" : " ░▒▓█")
    case .ascii: Array(ramp == .diverging ? "Oo=- +*#@" : " .:-=+*#%@")
    }
  }

  // MARK: - Drawing the scale

  /// The width of the numbers beside a bar.
  static let labelWidth = 78.0
  static let barWidth = 16.0

  /// Draws the scale as an upright bar with numbers at its right.
  func draw(on drawing: inout Drawing, x: Double, y: Double, height: Double, name: String = "") {
    let rows = max(2, Int(height))
    let ramp = Picture(
      width: Int(Self.barWidth), height: rows, color: .rgb,
      samples: (0..<rows).flatMap { row in
        let color = self.ramp.color(at: 1 - Double(row) / Double(rows - 1)).samples
        return (0..<Int(Self.barWidth)).flatMap { _ in color }
      })
    drawing.put(ramp, x: Int(x), y: Int(y))
    let axis = AxisScale(from: low, to: high)
    for (value, label) in labels(axis, atMost: max(2, rows / 34)) {
      guard let position = axis.position(of: value) else { continue }
      let row = (y + Double(rows - 1) * (1 - position)).rounded(.down) + 0.5
      let edge = Double(Int(x)) + Self.barWidth
      drawing.stroke(.line([Point(edge, row), Point(edge + 4, row)]), Look.axis)
      drawing.write(
        label.printed, at: Point(edge + 8, row + 4), size: Look.smallSize, color: Look.faint)
    }
    drawing.write(name, at: Point(Double(Int(x)), y - 8), size: Look.smallSize)
  }

  /// The numbers beside the bar: round ones, or the ends and the middle where few fit.
  private func labels(
    _ axis: AxisScale, atMost count: Int
  ) -> [(value: Double, label: NumberLabel)] {
    let ticks = axis.ticks(atMost: count)
    guard ticks.count < 3 else { return ticks.map { ($0.value, $0.label) } }
    return [low, (low + high) / 2, high].map { ($0, NumberLabel($0, significant: 3)) }
  }
}

extension RGB {
  /// The three samples of a picture.
  var samples: [UInt16] { [UInt16(red), UInt16(green), UInt16(blue)] }
}

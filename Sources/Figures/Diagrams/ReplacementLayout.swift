/// The arrows of what a flow feeds layers with in place of gradients, and of what it computes twice.
extension NetworkLayout {
  private static let other = Palette.purple, absent = RGB(0xB8B8B8), again = Palette.blue
  private static let dashes = [4.0, 3.0]

  /// The entries of the legend for them.
  func legend(of flow: NetworkDiagram.Flow) -> [LegendEntry] {
    let instead = flow.replacement.map { other in
      LegendEntry(
        label: "\(other.sign): \(other.words)",
        color: other.way == .nothing ? Self.absent : Self.other,
        sign: .line(dashes: other.way == .nothing ? [] : Self.dashes))
    }
    let twice = [
      LegendEntry(label: "kept", color: Self.again, sign: .dot),
      LegendEntry(
        label: "computed again on the way back", color: Self.again,
        sign: .line(dashes: Self.dashes)),
    ]
    return (instead.map { [$0] } ?? []) + (flow.computedTwice.isEmpty ? [] : twice)
  }

  /// The color of the bar of a layer: that of what its weights get.
  func color(ofLayer index: Int, _ flow: NetworkDiagram.Flow) -> RGB {
    guard let replacement = flow.replacement, replacement.layers.contains(index) else {
      return Self.standard
    }
    return switch replacement.way {
    case .nothing: Self.absent
    case .fromBelow: Self.other
    case .fromAbove, .fromOutput, .fromItself: Self.standard
    }
  }

  /// Draws what comes from x `start` at the right to the layer `index`, or to the network's input if nil, at x `end`.
  func step(
    from start: Double, to end: Double, _ y: Double, into index: Int?,
    _ flow: NetworkDiagram.Flow, on drawing: inout Drawing
  ) {
    let replacement = flow.replacement.flatMap { other in
      index.map { other.layers.contains($0) } ?? [.nothing, .fromBelow].contains(other.way)
        ? other : nil
    }
    guard let replacement else {
      return arrow(from: start, to: end, y, Self.standard, dashes: [], on: &drawing)
    }
    switch replacement.way {
    case .fromAbove:
      arrow(from: start, to: end, y, Self.other, dashes: Self.dashes, on: &drawing)
      write(replacement.sign, at: Point((start + end) / 2, y - 9), on: &drawing)
    case .fromBelow:
      arrow(from: end, to: start, y, Self.other, dashes: Self.dashes, on: &drawing)
      write(replacement.sign, at: Point((start + end) / 2, y - 9), on: &drawing)
    case .fromOutput: cut(from: start, y, on: &drawing)
    case .fromItself:
      cut(from: start, y, on: &drawing)
      drawOwn(replacement.sign, ofLayer: index ?? 0, from: start, to: end, y, on: &drawing)
    case .nothing:
      // The first layer without a gradient is the one above which it ends.
      if let index, !replacement.layers.contains(index + 1) { cut(from: start, y, on: &drawing) }
      write(
        replacement.sign, at: Point((start + end) / 2, y + 4), color: Look.faint, on: &drawing)
    }
  }

  private func arrow(
    from start: Double, to end: Double, _ y: Double, _ color: RGB, dashes: [Double],
    on drawing: inout Drawing
  ) {
    let head = start > end ? 8.0 : -8
    drawing.stroke(
      .line([Point(start, y), Point(end + head, y)]), color, width: 3, dashes: dashes)
    drawing.arrowHead(at: Point(end, y), from: Point(start, y), color, size: 13)
  }

  /// Draws the end of a gradient that comes from x `start`: a stub and a bar.
  private func cut(from start: Double, _ y: Double, on drawing: inout Drawing) {
    drawing.stroke(.line([Point(start, y), Point(start - 6, y)]), Self.standard, width: 3)
    drawing.stroke(
      .line([Point(start - 7, y - 8), Point(start - 7, y + 8)]), Look.text, width: 2)
  }

  /// Draws the arrow from what a layer hands on down to its gradient.
  private func drawOwn(
    _ sign: String, ofLayer index: Int, from start: Double, to end: Double, _ y: Double,
    on drawing: inout Drawing
  ) {
    let x = end + 16
    let line = y - Self.flowDepth - deepest + places[index].drop
    drawing.fill(.circle(Point(x, line), radius: 3), Self.other)
    drawing.stroke(
      .line([Point(x, line), Point(x, y), Point(end + 8, y)]), Self.other, width: 2,
      dashes: Self.dashes)
    drawing.arrowHead(at: Point(end, y), from: Point(x, y), Self.other, size: 11)
    write(sign, at: Point(x + 4, y - 12), anchor: .start, on: &drawing)
  }

  /// Draws what runs below the gradients: the output's error to each layer, and the layers that are computed again.
  func drawBelow(
    _ flow: NetworkDiagram.Flow, _ middle: Double, _ y: Double, on drawing: inout Drawing
  ) {
    let depth = y + Self.levelHeight
    if let other = flow.replacement, other.way == .fromOutput, let last = other.layers.min() {
      let start = outputStart + Self.terminalWidth / 2
      let end = places[last].right + 14
      drawing.stroke(
        .line([Point(start, y), Point(start, depth), Point(end, depth)]), Self.other, width: 2,
        dashes: Self.dashes)
      for index in other.layers.sorted() {
        let x = places[index].right + 14
        drawing.stroke(
          .line([Point(x, depth), Point(x, y), Point(places[index].right + 8, y)]), Self.other,
          width: 2, dashes: Self.dashes)
        drawing.arrowHead(
          at: Point(places[index].right, y), from: Point(x, y), Self.other, size: 11)
        write(other.sign, at: Point(x + 5, depth - 5), anchor: .start, on: &drawing)
      }
    }
    for range in flow.computedTwice {
      let (left, right) = (places[range.lowerBound].left, places[range.upperBound].right)
      arrow(from: left, to: right, depth, Self.again, dashes: Self.dashes, on: &drawing)
      // A dot marks the result of a part, which stays in memory.
      let kept = Point(right + 10, middle + places[range.upperBound].drop)
      drawing.fill(.circle(kept, radius: 5), Self.again)
    }
  }

  private func write(
    _ sign: String, at point: Point, color: RGB = Self.other,
    anchor: Drawing.Label.Anchor = .middle, on drawing: inout Drawing
  ) {
    drawing.write(sign, at: point, size: 11, bold: true, color: color, anchor: anchor)
  }
}

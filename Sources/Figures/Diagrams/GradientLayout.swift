/// The ways of gradients under a network diagram, from right to left, with the links of a flow.
extension NetworkLayout {
  static let standard = Palette.orange
  /// The colors of links by the number of blocks that they pass; orange is the standard path.
  private static let linkColors = [
    Palette.blue, Palette.vermillion, Palette.green, Palette.purple, Palette.sky,
  ]

  private func color(_ link: NetworkDiagram.Link) -> RGB {
    Self.linkColors[distanceIndex(link) % Self.linkColors.count]
  }

  /// The rank of a link's length: 0 for the shortest links of the flow, 1 for the next longer ones.
  private func distanceIndex(_ link: NetworkDiagram.Link) -> Int {
    distances.firstIndex(of: link.from - link.to) ?? 0
  }

  private var distances: [Int] {
    Set((diagram.flow?.links ?? []).map { $0.from - $0.to }).sorted()
  }

  var legend: [LegendEntry] {
    guard let flow = diagram.flow else { return diagram.walk?.legend ?? [] }
    let standard = LegendEntry(
      label: "gradient from layer to layer", color: Self.standard, sign: .line(dashes: []))
    return (flow.replacement?.way == .fromBelow ? [] : [standard]) + legend(of: flow)
      + distances.map { distance in
        let links = flow.links.filter { $0.from - $0.to == distance }
        // Some blocks may add links where others multiply them.
        let loads = Set(links.map(\.load)).sorted(by: >).joined(separator: " or ")
        return LegendEntry(
          label: "\(loads) from \(distance) \(distance == 1 ? "layer" : "layers") up",
          color: links.first.map(color) ?? Self.standard, sign: .line(dashes: []))
      }
  }

  /// Draws the gradients under the layers, from right to left.
  func draw(
    _ flow: NetworkDiagram.Flow, _ middle: Double, on drawing: inout Drawing
  ) {
    let y = middle + deepest + Self.flowDepth
    var start = outputStart + Self.terminalWidth / 2
    for index in places.indices.reversed() {
      let (left, right) = (places[index].left, places[index].right)
      step(from: start, to: right, y, into: index, flow, on: &drawing)
      // The line through the layer is its own gradient.
      drawing.stroke(
        .line([Point(right, y), Point(left, y)]),
        color(ofLayer: index, flow).mixed(with: .white, 0.35), width: 7)
      drawing.write(
        diagram.layers[index].name, at: Point((left + right) / 2, y + 3.5), size: 10, bold: true,
        anchor: .middle)
      start = left
    }
    step(from: start, to: Look.margin + Self.terminalWidth / 2, y, into: nil, flow, on: &drawing)
    drawBelow(flow, middle, y, on: &drawing)
    for link in flow.links { draw(link, y, on: &drawing) }
    for link in flow.links { label(link, y, flow, on: &drawing) }
  }

  /// The x at which a link leaves its source, the x at which it reaches its target, and its depth.
  private func route(_ link: NetworkDiagram.Link, _ y: Double) -> (Double, Double, Double) {
    let start =
      places[link.from].left - 9 - Self.slotWidth * Double(routes.slotAtStart(link))
    let end = places[link.to].right + 13 + Self.slotWidth * Double(routes.slotAtEnd(link))
    return (start, end, y + 30 + Double(routes.level(link)) * Self.levelHeight)
  }

  private func draw(_ link: NetworkDiagram.Link, _ y: Double, on drawing: inout Drawing) {
    let (start, end, depth) = route(link, y)
    let corner = min(12, (start - end) / 2)
    var path = Path()
    path.move(to: Point(start, y + 2))
    path.line(to: Point(start, depth - corner))
    path.curve(
      Point(start, depth - corner / 3), Point(start - corner / 3, depth),
      to: Point(start - corner, depth))
    path.line(to: Point(end + corner, depth))
    path.curve(
      Point(end + corner / 3, depth), Point(end, depth - corner / 3), to: Point(end, depth - corner)
    )
    path.line(to: Point(end, y + 12))
    drawing.stroke(path, color(link), width: 2)
    drawing.arrowHead(at: Point(end, y + 4), from: Point(end, depth), color(link))
  }

  /// Prints the quantity that a link carries on its line, where that is long enough, beside the
  /// lines that cross it.
  private func label(
    _ link: NetworkDiagram.Link, _ y: Double, _ flow: NetworkDiagram.Flow,
    on drawing: inout Drawing
  ) {
    let (start, end, depth) = route(link, y)
    let words = "\(link.load)(\(diagram.layers[link.from].name))"
    let half = OutlineFont.bold.width(of: words, size: 11) / 2 + 5
    guard start - end > 2 * half + 30 else { return }
    let crossings = flow.links.filter { routes.level($0) > routes.level(link) }
      .flatMap { [route($0, y).0, route($0, y).1] }
    let middle = (start + end) / 2
    let center =
      stride(from: 0, to: (start - end) / 2 - half - 15, by: 6)
      .flatMap { [middle - $0, middle + $0] }
      .first { x in !crossings.contains { abs($0 - x) < half + 4 } } ?? middle
    drawing.fill(
      .rectangle(x: center - half, y: depth - 8, width: 2 * half, height: 16), .white)
    drawing.write(
      words, at: Point(center, depth + 4), size: 11, bold: true, color: color(link),
      anchor: .middle)
  }
}

/// Where the parts of a network diagram stand, from left to right on one line.
struct NetworkLayout {
  /// A layer's extent and its parts.
  private struct Place {
    var left = 0.0, right = 0.0
    /// The left edge of each box.
    var boxes: [Double] = []
    /// The middles of the merge circles.
    var merges: [Double] = []
    /// Where the skip branches off.
    var branch = 0.0
  }

  private let diagram: NetworkDiagram
  /// Whether a block is one box, because a network with all its convolutions would be too wide.
  private let isCompact: Bool
  private var places: [Place] = []
  private let width: Double
  private let inputEnd: Double, outputStart: Double

  private static let boxWidth = 92.0, boxHeight = 54.0, radius = 11.0
  private static let space = 24.0, blockPadding = 18.0
  private static let terminalWidth = 62.0
  /// The widest drawing with every convolution as a box.
  private static let widest = 2400.0

  init(_ diagram: NetworkDiagram) {
    self.diagram = diagram
    let whole = Self.extent(diagram, isCompact: false)
    isCompact = whole > Self.widest
    inputEnd = Look.margin + Self.terminalWidth
    var x = inputEnd + Self.space
    for layer in diagram.layers {
      let place = Self.place(layer, from: x, isCompact: isCompact)
      places.append(place)
      x = place.right + (diagram.flow == nil ? Self.space : Self.space + 14)
    }
    outputStart = x
    width = max(560, x + Self.terminalWidth + Look.margin)
  }

  private static func extent(_ diagram: NetworkDiagram, isCompact: Bool) -> Double {
    diagram.layers.reduce(2 * (Look.margin + terminalWidth) + space) { x, layer in
      place(layer, from: x, isCompact: isCompact).right + space + 14
    }
  }

  private static func place(
    _ layer: NetworkDiagram.Layer, from left: Double, isCompact: Bool
  ) -> Place {
    var place = Place(left: left)
    var x = left + (layer.isBlock ? blockPadding + 8 : 0)
    place.branch = left + blockPadding / 2
    for index in 0..<(isCompact ? 1 : layer.convolutions.count) {
      if index > 0 { x += space }
      place.boxes.append(x)
      x += boxWidth
    }
    for _ in layer.merge?.signs ?? [] {
      place.merges.append(x + space + radius)
      x += space + 2 * radius
    }
    place.right = x + (layer.isBlock ? blockPadding - 4 : 0)
    return place
  }

  // MARK: - Heights

  private var hasNetworkSkip: Bool { diagram.layers.contains { $0.usedSkip == .networkInput } }

  /// How far above the middle line the parts reach.
  private var above: Double {
    let blocks = diagram.layers.contains { $0.isBlock } ? 80.0 : 44
    return hasNetworkSkip ? 112 : blocks
  }

  /// The levels of links below: one for each number of layers that a link passes.
  private var levels: [NetworkDiagram.Link: Int] {
    let links = (diagram.flow?.links ?? []).sorted {
      ($0.from - $0.to, $0.to) < ($1.from - $1.to, $1.to)
    }
    var taken: [[ClosedRange<Int>]] = []
    var levels: [NetworkDiagram.Link: Int] = [:]
    for link in links {
      // Links that only touch at a layer may share a level.
      let span = link.to * 2 + 1...link.from * 2 - (link.from > link.to ? 1 : 0)
      let level =
        taken.firstIndex { !$0.contains { $0.overlaps(span) } } ?? taken.count
      if level == taken.count { taken.append([]) }
      taken[level].append(span)
      levels[link] = level
    }
    return levels
  }

  private static let flowDepth = 66.0, levelHeight = 30.0

  // MARK: - Drawing

  func drawing() -> Drawing {
    let levels = levels
    let around = Surroundings(diagram, legend: legend, width: width)
    let middle = (around.top + above + 14).rounded()
    var below = 56.0
    if diagram.flow != nil {
      let depth = Double((levels.values.max() ?? -1) + 1)
      below = Self.flowDepth + 34 + depth * Self.levelHeight
    }
    var drawing = around.drawing(width: width, figureBottom: middle + below)
    drawFrames(middle, on: &drawing)
    drawNetworkSkip(middle, on: &drawing)
    drawTerminal("net.in", "1 channel", Look.margin, middle, on: &drawing)
    drawTerminal("net.out", "1 channel", outputStart, middle, on: &drawing)
    var end = inputEnd
    for (layer, place) in zip(diagram.layers, places) {
      let first = place.boxes.first ?? place.left
      drawing.arrow(from: Point(end, middle), to: Point(first, middle), Self.line)
      end = draw(layer, place, middle, on: &drawing)
    }
    drawing.arrow(from: Point(end, middle), to: Point(outputStart, middle), Self.line)
    drawing.write(
      diagram.output, at: Point(outputStart + Self.terminalWidth, middle - 40),
      size: Look.smallSize, color: Look.faint, anchor: .end)
    if let flow = diagram.flow { draw(flow, levels, middle, on: &drawing) }
    return drawing
  }

  private static let line = RGB(0x444444)
  private static let boxFill = RGB(0xE3F1FA), boxEdge = Palette.blue
  private static let frameFill = RGB(0xF7F7F7), frameEdge = RGB(0xBDBDBD)

  private func drawFrames(_ middle: Double, on drawing: inout Drawing) {
    for (layer, place) in zip(diagram.layers, places) where layer.isBlock {
      drawing.shape(
        .rectangle(
          x: place.left, y: middle - 74, width: place.right - place.left, height: 114, radius: 8),
        fill: Self.frameFill, stroke: .init(Self.frameEdge, width: 1))
      drawing.write(
        layer.name, at: Point(place.left + 8, middle - 57), size: Look.smallSize, bold: true)
    }
  }

  private func drawTerminal(
    _ name: String, _ note: String, _ left: Double, _ middle: Double, on drawing: inout Drawing
  ) {
    drawing.shape(
      .rectangle(
        x: left, y: middle - 17, width: Self.terminalWidth, height: 34, radius: 17),
      fill: .white, stroke: .init(Self.line, width: 1.5))
    let center = left + Self.terminalWidth / 2
    drawing.write(name, at: Point(center, middle + 4.5), size: Look.smallSize, anchor: .middle)
    drawing.write(
      note, at: Point(center, middle + 32), size: 11, color: Look.faint, anchor: .middle)
  }

  /// Draws boxes, skip and merge; returns where the layer's arrow leaves.
  private func draw(
    _ layer: NetworkDiagram.Layer, _ place: Place, _ middle: Double, on drawing: inout Drawing
  ) -> Double {
    for (index, left) in place.boxes.enumerated() {
      if index > 0 {
        drawing.arrow(
          from: Point(place.boxes[index - 1] + Self.boxWidth, middle), to: Point(left, middle),
          Self.line)
      }
      drawBox(words(layer, index), left, middle, on: &drawing)
    }
    if !layer.isBlock {
      drawing.write(
        layer.name, at: Point(place.left + 2, middle - 34), size: Look.smallSize, bold: true)
    }
    var end = (place.boxes.last ?? place.left) + Self.boxWidth
    for (center, sign) in zip(place.merges, layer.merge?.signs ?? []) {
      drawing.arrow(
        from: Point(end, middle), to: Point(center - Self.radius, middle), Self.line)
      drawing.shape(
        .circle(Point(center, middle), radius: Self.radius), fill: .white,
        stroke: .init(Self.line, width: 1.5))
      drawing.write(sign, at: Point(center, middle + 5.5), size: 16, bold: true, anchor: .middle)
      end = center + Self.radius
    }
    if let skip = layer.usedSkip, skip != .networkInput {
      drawSkip(skip, place, middle, on: &drawing)
    }
    return end
  }

  /// The lines in a box: kernel, channels, activation.
  private func words(_ layer: NetworkDiagram.Layer, _ index: Int) -> [String] {
    let convolution = layer.convolutions[index]
    let last = layer.convolutions[layer.convolutions.count - 1]
    let count = layer.convolutions.count
    let kernel = "\(convolution.kernel)×\(convolution.kernel)"
    guard isCompact, count > 1 else {
      return [
        "conv \(kernel)", "\(convolution.inputs) → \(convolution.outputs)",
        convolution.activation,
      ]
    }
    return ["\(count)× conv \(kernel)", "\(convolution.inputs) → \(last.outputs)", last.activation]
  }

  private func drawBox(
    _ words: [String], _ left: Double, _ middle: Double, on drawing: inout Drawing
  ) {
    drawing.shape(
      .rectangle(
        x: left, y: middle - Self.boxHeight / 2, width: Self.boxWidth, height: Self.boxHeight,
        radius: 5),
      fill: Self.boxFill, stroke: .init(Self.boxEdge, width: 1.5))
    for (index, word) in words.enumerated() {
      drawing.write(
        word, at: Point(left + Self.boxWidth / 2, middle - 11 + 16 * Double(index)),
        size: index == 0 ? Look.smallSize : 11, bold: index == 0,
        color: index == 0 ? Look.text : Look.faint, anchor: .middle)
    }
  }

  /// Draws a skip within a block: up, over the boxes, down into each merge.
  private func drawSkip(
    _ skip: NetworkDiagram.Skip, _ place: Place, _ middle: Double, on drawing: inout Drawing
  ) {
    let height = middle - 46
    drawing.fill(.circle(Point(place.branch, middle), radius: 3), Self.line)
    let last = place.merges[place.merges.count - 1]
    drawing.stroke(
      .line([Point(place.branch, middle), Point(place.branch, height), Point(last, height)]),
      Self.line, width: 1.5)
    for center in place.merges {
      drawing.arrow(
        from: Point(center, height), to: Point(center, middle - Self.radius), Self.line)
    }
    guard skip == .projection else { return }
    let (left, right) = (place.boxes[0], place.boxes[place.boxes.count - 1] + Self.boxWidth)
    let center = (left + right) / 2
    drawing.shape(
      .rectangle(x: center - 36, y: height - 10, width: 72, height: 20, radius: 4),
      fill: Self.boxFill, stroke: .init(Self.boxEdge, width: 1.5))
    drawing.write(
      "conv 1×1", at: Point(center, height + 4), size: 11, bold: true, anchor: .middle)
  }

  /// Draws the network's input as a line above all blocks, with arrows down to those that join it.
  private func drawNetworkSkip(_ middle: Double, on drawing: inout Drawing) {
    let ends = zip(diagram.layers, places).filter { $0.0.usedSkip == .networkInput }
      .flatMap(\.1.merges)
    guard let last = ends.last else { return }
    let height = middle - 98
    let start = Look.margin + Self.terminalWidth / 2
    drawing.stroke(
      .line([Point(start, middle - 17), Point(start, height), Point(last, height)]), Self.line,
      width: 1.5)
    for end in ends {
      drawing.arrow(from: Point(end, height), to: Point(end, middle - Self.radius), Self.line)
    }
  }

  // MARK: - Gradients

  private static let standard = Palette.orange
  /// The colors of links by the number of blocks that they pass; orange is the standard way.
  private static let linkColors = [
    Palette.blue, Palette.vermillion, Palette.green, Palette.purple, Palette.sky,
  ]

  private func color(_ link: NetworkDiagram.Link) -> RGB {
    Self.linkColors[distanceIndex(link) % Self.linkColors.count]
  }

  /// 0 for the shortest links of the flow, 1 for the next longer ones.
  private func distanceIndex(_ link: NetworkDiagram.Link) -> Int {
    distances.firstIndex(of: link.from - link.to) ?? 0
  }

  private var distances: [Int] {
    Set((diagram.flow?.links ?? []).map { $0.from - $0.to }).sorted()
  }

  private var legend: [LegendEntry] {
    guard let flow = diagram.flow else { return [] }
    let standard = LegendEntry(
      label: "gradient from layer to layer", color: Self.standard, sign: .line(dashes: []))
    return [standard]
      + distances.map { distance in
        let link = flow.links.first { $0.from - $0.to == distance }
        return LegendEntry(
          label: "\(flow.weight)·g from \(distance) \(distance == 1 ? "layer" : "layers") up",
          color: link.map(color) ?? Self.standard, sign: .line(dashes: []))
      }
  }

  /// Draws the gradients under the layers, from right to left.
  private func draw(
    _ flow: NetworkDiagram.Flow, _ levels: [NetworkDiagram.Link: Int], _ middle: Double,
    on drawing: inout Drawing
  ) {
    let y = middle + Self.flowDepth
    var start = outputStart + Self.terminalWidth / 2
    for index in places.indices.reversed() {
      let (left, right) = (places[index].left, places[index].right)
      step(from: start, to: right, y, on: &drawing)
      // Through the layer: its own pullback.
      drawing.stroke(
        .line([Point(right, y), Point(left, y)]), Self.standard.mixed(with: .white, 0.35),
        width: 7)
      drawing.write(
        diagram.layers[index].name, at: Point((left + right) / 2, y + 3.5), size: 10, bold: true,
        anchor: .middle)
      start = left
    }
    step(from: start, to: Look.margin + Self.terminalWidth / 2, y, on: &drawing)
    for (link, level) in levels.sorted(by: { $0.value < $1.value }) {
      draw(link, level, y, flow, on: &drawing)
    }
  }

  private func step(
    from start: Double, to end: Double, _ y: Double, on drawing: inout Drawing
  ) {
    drawing.stroke(.line([Point(start, y), Point(end + 8, y)]), Self.standard, width: 3)
    drawing.arrowHead(at: Point(end, y), from: Point(start, y), Self.standard, size: 13)
  }

  /// Draws a link from where its source hands down to where its target is fed.
  private func draw(
    _ link: NetworkDiagram.Link, _ level: Int, _ y: Double, _ flow: NetworkDiagram.Flow,
    on drawing: inout Drawing
  ) {
    let depth = y + 30 + Double(level) * Self.levelHeight
    let spread = 3 * Double(level % 4)
    let start = Point(places[link.from].left - 6 - spread, y + 2)
    let end = Point(places[link.to].right + 6 + spread, y + 9)
    let corner = 12.0
    var path = Path()
    path.move(to: start)
    path.line(to: Point(start.x, depth - corner))
    path.curve(
      Point(start.x, depth - 4), Point(start.x - 4, depth), to: Point(start.x - corner, depth))
    path.line(to: Point(end.x + corner, depth))
    path.curve(
      Point(end.x + 4, depth), Point(end.x, depth - 4), to: Point(end.x, depth - corner))
    path.line(to: Point(end.x, end.y + 6))
    let color = color(link)
    drawing.stroke(path, color, width: 2)
    drawing.arrowHead(at: end, from: Point(end.x, depth), color)
    let words = "\(flow.weight)·g(\(diagram.layers[link.from].name))"
    let center = (start.x + end.x) / 2
    let width = OutlineFont.bold.width(of: words, size: 11)
    drawing.fill(
      .rectangle(x: center - width / 2 - 4, y: depth - 8, width: width + 8, height: 16), .white)
    drawing.write(
      words, at: Point(center, depth + 4), size: 11, bold: true, color: color, anchor: .middle)
  }
}

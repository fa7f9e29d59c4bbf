/// The places of the parts of a network diagram, from left to right on one line.
struct NetworkLayout {
  /// A layer's extent and its parts.
  struct Place {
    var left = 0.0, right = 0.0
    /// The left edge of each box.
    var boxes: [Double] = []
    /// The middles of the merge circles.
    var merges: [Double] = []
    /// The place where the skip branches off.
    var branch = 0.0
    /// How far it lies below layers of the input's size.
    var drop = 0.0

    /// The left edge of the first box.
    var start: Double { boxes.first ?? left }
  }

  let diagram: NetworkDiagram
  /// Whether a block is drawn as one box, because all convolutions would make the drawing too wide.
  private let isCompact: Bool
  var places: [Place] = []
  private let boxWidth: Double
  private let width: Double
  let inputEnd: Double, outputStart: Double
  let routes: LinkRoutes
  private let reaches: ReachRoutes

  private static let boxHeight = 54.0, radius = 11.0
  private static let space = 24.0, blockPadding = 18.0
  static let terminalWidth = 62.0
  /// The largest width of a drawing with every convolution as a box.
  private static let widest = 2400.0

  init(_ diagram: NetworkDiagram) {
    self.diagram = diagram
    let boxWidth = Self.boxWidth(diagram)
    self.boxWidth = boxWidth
    let whole = Self.extent(diagram, boxWidth, isCompact: false)
    isCompact = whole > Self.widest
    inputEnd = Look.margin + Self.terminalWidth
    routes = LinkRoutes(diagram.flow?.links ?? [])
    reaches = ReachRoutes(diagram)
    var x = inputEnd + Self.gap(before: 0, diagram, routes)
    for (index, layer) in diagram.layers.enumerated() {
      let place = Self.place(layer, from: x, boxWidth, isCompact: isCompact)
      places.append(place)
      x = place.right + Self.gap(before: index + 1, diagram, routes)
    }
    outputStart = x
    width = max(560, x + Self.terminalWidth + Look.margin)
  }

  /// The width of a box: 92 pixels, or what the widest words take.
  private static func boxWidth(_ diagram: NetworkDiagram) -> Double {
    let boxes = diagram.layers.flatMap(\.convolutions)
    let widths = boxes.flatMap { box in
      [
        OutlineFont.bold.width(of: box.title, size: Look.smallSize),
        OutlineFont.regular.width(of: box.activation, size: 11),
      ]
    }
    return max(92, ((widths.max() ?? 0) + 8).rounded(.up))
  }

  /// The width of a drawing without links.
  private static func extent(
    _ diagram: NetworkDiagram, _ boxWidth: Double, isCompact: Bool
  ) -> Double {
    diagram.layers.reduce(2 * (Look.margin + terminalWidth) + space) { x, layer in
      place(layer, from: x, boxWidth, isCompact: isCompact).right + space
    }
  }

  /// The room for the lines that turn beside layer `index`: between layers of two scales, and where a value
  /// that is read further on branches off, or arrives.
  private static func turns(before index: Int, _ diagram: NetworkDiagram) -> Double {
    let scales = diagram.layers.map(\.scale.halvings)
    let (left, right) = (
      index > 0 ? scales[index - 1] : 0, index < scales.count ? scales[index] : 0
    )
    let isTurning =
      left != right
      || diagram.reaches.contains { $0.from == index - 1 || $0.to == index && $0.isInput }
    return isTurning ? 14 : 0
  }

  /// The space before layer `index`, in which links turn down.
  private static func gap(
    before index: Int, _ diagram: NetworkDiagram, _ routes: LinkRoutes
  ) -> Double {
    let turns = turns(before: index, diagram)
    guard diagram.flow != nil else { return space + turns }
    return max(38, 30 + Double(routes.count(inGap: index)) * slotWidth) + turns
  }

  static let slotWidth = 8.0

  private static func place(
    _ layer: NetworkDiagram.Layer, from left: Double, _ boxWidth: Double, isCompact: Bool
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
    place.drop = Double(layer.scale.halvings) * dropHeight
    return place
  }

  // MARK: - Heights

  private var hasBlocks: Bool { diagram.layers.contains { $0.isBlock } }

  /// The height of the lowest line above the layers over the middle line.
  private var reachHeight: Double { hasBlocks ? 98 : 58 }
  private static let reachLevel = 16.0

  /// The height of the parts above the middle line.
  private var above: Double {
    guard reaches.levelCount > 0 else { return hasBlocks ? 80 : 44 }
    return reachHeight + 14 + Double(reaches.levelCount - 1) * Self.reachLevel
  }

  /// How far layers with half as large an image lie lower.
  private static let dropHeight = 64.0
  var deepest: Double { places.map(\.drop).max() ?? 0 }

  static let flowDepth = 66.0, levelHeight = 30.0

  /// The number of lines below that of the gradients.
  private var levelsBelow: Int {
    let isBelow = diagram.flow.map {
      $0.replacement?.way == .fromOutput || !$0.computedTwice.isEmpty
    }
    return routes.levelCount + (isBelow == true ? 1 : 0)
  }

  // MARK: - Drawing

  func drawing() -> Drawing {
    let around = Surroundings(diagram, legend: legend, width: width)
    let middle = (around.top + above + 14).rounded()
    var below = deepest + 56
    if diagram.flow != nil {
      below = deepest + Self.flowDepth + 34 + Double(levelsBelow) * Self.levelHeight
    }
    if diagram.walk != nil { below = deepest + Self.walkDepth + 2 * Self.walkLine }
    var drawing = around.drawing(width: width, figureBottom: middle + below)
    drawFrames(middle, on: &drawing)
    drawReaches(middle, on: &drawing)
    drawTerminal("net.in", "1 channel", Look.margin, middle, on: &drawing)
    drawTerminal("net.out", "1 channel", outputStart, middle, on: &drawing)
    var end = Point(inputEnd, middle)
    for (index, (layer, place)) in zip(diagram.layers, places).enumerated() {
      let line = middle + place.drop
      if diagram.isFedByNeighbor(index) { connect(end, Point(place.start, line), on: &drawing) }
      end = Point(draw(layer, place, line, on: &drawing), line)
    }
    connect(end, Point(outputStart, middle), on: &drawing)
    drawing.write(
      diagram.output, at: Point(outputStart + Self.terminalWidth, middle - 40),
      size: Look.smallSize, color: Look.faint, anchor: .end)
    if let flow = diagram.flow { draw(flow, middle, on: &drawing) }
    if let walk = diagram.walk { draw(walk, middle + deepest, on: &drawing) }
    return drawing
  }

  /// Draws an arrow from a layer to the next; one of another scale is higher or lower.
  private func connect(_ start: Point, _ end: Point, on drawing: inout Drawing) {
    guard start.y != end.y else { return drawing.arrow(from: start, to: end, Self.line) }
    let turn = end.x - 16
    drawing.stroke(
      .line([start, Point(turn, start.y), Point(turn, end.y)]), Self.line, width: 1.5)
    drawing.arrow(from: Point(turn, end.y), to: end, Self.line)
  }

  private static let line = RGB(0x444444)
  private static let boxFill = RGB(0xE3F1FA), boxEdge = Palette.blue
  private static let frameFill = RGB(0xF7F7F7), frameEdge = RGB(0xBDBDBD)

  private func drawFrames(_ middle: Double, on drawing: inout Drawing) {
    for (layer, place) in zip(diagram.layers, places) where layer.isBlock {
      let middle = middle + place.drop
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

  /// Draws boxes, skip and merge; returns the place where the layer's arrow begins.
  private func draw(
    _ layer: NetworkDiagram.Layer, _ place: Place, _ middle: Double, on drawing: inout Drawing
  ) -> Double {
    for (index, left) in place.boxes.enumerated() {
      if index > 0 {
        drawing.arrow(
          from: Point(place.boxes[index - 1] + boxWidth, middle), to: Point(left, middle),
          Self.line)
      }
      drawBox(words(layer, index), left, middle, on: &drawing)
    }
    if !layer.isBlock {
      drawing.write(
        layer.name, at: Point(place.left + 2, middle - 34), size: Look.smallSize, bold: true)
    }
    var end = (place.boxes.last ?? place.left) + boxWidth
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

  /// The lines of text in a box: kernel, channels, activation.
  private func words(_ layer: NetworkDiagram.Layer, _ index: Int) -> [String] {
    let convolution = layer.convolutions[index]
    let last = layer.convolutions[layer.convolutions.count - 1]
    let count = layer.convolutions.count
    let scale = layer.scale.words.isEmpty ? "" : " · \(layer.scale.words)"
    guard isCompact, count > 1 else {
      return [
        convolution.title, "\(convolution.inputs) → \(convolution.outputs)\(scale)",
        convolution.activation,
      ]
    }
    return [
      "\(count)× \(convolution.title)", "\(convolution.inputs) → \(last.outputs)\(scale)",
      last.activation,
    ]
  }

  private func drawBox(
    _ words: [String], _ left: Double, _ middle: Double, on drawing: inout Drawing
  ) {
    drawing.shape(
      .rectangle(
        x: left, y: middle - Self.boxHeight / 2, width: boxWidth, height: Self.boxHeight,
        radius: 5),
      fill: Self.boxFill, stroke: .init(Self.boxEdge, width: 1.5))
    for (index, word) in words.enumerated() {
      drawing.write(
        word, at: Point(left + boxWidth / 2, middle - 11 + 16 * Double(index)),
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
    let (left, right) = (place.boxes[0], place.boxes[place.boxes.count - 1] + boxWidth)
    let center = (left + right) / 2
    drawing.shape(
      .rectangle(x: center - 36, y: height - 10, width: 72, height: 20, radius: 4),
      fill: Self.boxFill, stroke: .init(Self.boxEdge, width: 1.5))
    drawing.write(
      "conv 1×1", at: Point(center, height + 4), size: 11, bold: true, anchor: .middle)
  }

  /// Draws each value that is read further on as a line above all layers, with arrows down to its readers.
  private func drawReaches(_ middle: Double, on drawing: inout Drawing) {
    for (number, (source, ends)) in reaches.sources.enumerated() {
      let height = middle - reachHeight - Double(reaches.levels[number]) * Self.reachLevel
      let start: Point
      if let source {
        start = Point(places[source].right + 8, middle + places[source].drop)
        drawing.fill(.circle(start, radius: 3), Self.line)
      } else {
        start = Point(Look.margin + Self.terminalWidth / 2, middle - 17)
      }
      let targets = ends.flatMap { arrivals($0, middle) }
      let last = targets.map(\.x).max() ?? start.x
      drawing.stroke(
        .line([start, Point(start.x, height), Point(last, height)]), Self.line, width: 1.5)
      for end in ends {
        for target in arrivals(end, middle) {
          guard end.isInput else {
            drawing.arrow(from: Point(target.x, height), to: target, Self.line)
            continue
          }
          drawing.stroke(.line([Point(target.x, height), target]), Self.line, width: 1.5)
          drawing.arrow(from: target, to: Point(places[end.to].start, target.y), Self.line)
        }
      }
    }
  }

  /// The points at which a value reaches its reader: the signs of a block that joins it, the top of the box of
  /// another layer, or the line in front of the layer that is given it.
  private func arrivals(_ reach: NetworkDiagram.Reach, _ middle: Double) -> [Point] {
    let place = places[reach.to]
    let line = middle + place.drop
    if reach.isInput { return [Point(place.left - 14, line)] }
    guard place.merges.isEmpty else {
      return place.merges.map { Point($0, line - Self.radius) }
    }
    return [Point(place.start + boxWidth / 2, line - Self.boxHeight / 2)]
  }
}

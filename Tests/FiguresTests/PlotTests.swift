import Figures
import Testing

@Suite struct PlotTests {
  /// The middles of the circles of one color.
  private func dots(_ drawing: Drawing, _ color: RGB) -> [Point] {
    drawing.marks.compactMap { mark in
      guard case .shape(let path, let fill?, nil) = mark, fill.color == color, fill.opacity == 1,
        path.segments.count == 10
      else { return nil }
      let points = path.points
      let (xs, ys) = (points.map(\.x), points.map(\.y))
      guard let left = xs.min(), let right = xs.max(), let top = ys.min(), let bottom = ys.max()
      else { return nil }
      return Point((left + right) / 2, (top + bottom) / 2)
    }
  }

  private func label(_ drawing: Drawing, _ text: String) -> Point? {
    for case .label(let label) in drawing.marks where label.text == text { return label.place }
    return nil
  }

  @Test(arguments: AxisScale.Kind.allCases)
  func `points stand where the numbers at the axes say`(kind: AxisScale.Kind) throws {
    let values: [Double] = kind == .linear ? [0, 4, 8] : [0.01, 1, 100]
    let plot = Plot(
      title: "", x: .init("x"), y: .init("y", kind),
      series: [.init("a", zip([0.0, 1, 2], values).map { .init(x: $0, y: $1) })])
    let drawing = plot.drawing()
    let dots = dots(drawing, Palette.blue)
    #expect(dots.count == 3)
    #expect(abs(dots[0].y - dots[1].y - (dots[1].y - dots[2].y)) < 1e-6)
    #expect(abs(dots[0].x - dots[1].x - (dots[1].x - dots[2].x)) < 1e-6)
    for (dot, value) in zip(dots, values) {
      let text = NumberLabel(value, significant: 1).printed
      // The label's baseline is 4.5 below its line, which is in the middle of a pixel.
      let place = try #require(label(drawing, text))
      #expect(abs(place.y - 4.5 - dot.y) <= 1, "\(text)")
    }
    let picture = try drawing.picture()
    for dot in dots { #expect(picture.color(Int(dot.x), Int(dot.y)) == Palette.blue) }
    // Between two points, the line.
    let middle = Point((dots[0].x + dots[1].x) / 2, (dots[0].y + dots[1].y) / 2)
    #expect(picture.color(Int(middle.x), Int(middle.y)) == Palette.blue)
  }

  @Test func `NaN interrupts a line and a lone point is a dot`() {
    let values: [Double] = (0..<100).map { $0 == 50 || $0 == 52 ? .nan : Double($0) }
    let plot = Plot(
      title: "", x: .init("x"), y: .init("y"),
      series: [.init("a", values.enumerated().map { .init(x: Double($0), y: $1) })])
    let drawing = plot.drawing()
    let lines = drawing.marks.filter { mark in
      if case .shape(_, nil, let stroke?) = mark { stroke.color == Palette.blue } else { false }
    }
    #expect(lines.count == 2)
    #expect(dots(drawing, Palette.blue).count == 1)
  }

  @Test func `a band reaches from low to high, through the pixels between`() throws {
    let plot = Plot(
      title: "", x: .init("x"), y: .init("y"),
      series: [
        .init("a", [.init(x: 0, y: 5, low: 0, high: 10), .init(x: 1, y: 5, low: 0, high: 10)])
      ])
    let drawing = plot.drawing()
    let band = drawing.marks.compactMap { mark -> [Point]? in
      if case .shape(let path, let fill?, nil) = mark, fill.opacity < 1 { path.points } else { nil }
    }
    let corners = try #require(band.first)
    #expect(band.count == 1 && corners.count == 4)
    let dots = dots(drawing, Palette.blue)
    #expect(abs((corners[0].y + corners[3].y) / 2 - dots[0].y) < 1e-6)
    let inside = try drawing.picture().color(
      Int((dots[0].x + dots[1].x) / 2), Int((corners[0].y + dots[0].y) / 2))
    #expect(inside == RGB.white.mixed(with: Palette.blue, 0.18) || inside != .white)
  }

  @Test func `the spread of runs is their mean, lowest and highest`() {
    let series = Plot.spread(
      "standard", at: [5, 10, 12], [[1, 2, 3], [3, 6], [.nan, 1]])
    #expect(series.label == "standard")
    #expect(series.points.map(\.x) == [5, 10, 12])
    #expect(series.points.map(\.y) == [2, 3, 3])
    #expect(series.points.map(\.low) == [1, 1, 3] && series.points.map(\.high) == [3, 6, 3])
    #expect(Plot.spread("none", at: [], []).points.isEmpty)
    #expect(Plot.spread("broken", at: [1], [[.nan]]).points[0].y.isNaN)
  }

  @Test func `bars are as long as their numbers`() throws {
    let chart = BarChart(
      title: "", groups: ["a", "b", "c"], series: [.init("x", [1, 2, -1])], axis: .init("norm"))
    let bars = chart.drawing().marks.compactMap { mark -> [Double]? in
      guard case .shape(let path, let fill?, nil) = mark, fill.color == Palette.blue else {
        return nil
      }
      return path.points.map(\.x)
    }
    let widths = bars.map { ($0.max() ?? 0) - ($0.min() ?? 0) }
    #expect(widths.count == 3)
    #expect(abs(widths[1] - 2 * widths[0]) < 1e-6 && abs(widths[2] - widths[0]) < 1e-6)
    let text = chart.text(.ascii).dropFirst().map { $0.count { $0 == "#" } }
    #expect(text[1] >= 2 * text[0] - 1 && abs(text[2] - text[0]) <= 1)
  }

  @Test func `a histogram counts each finite number once`() {
    let values: [Float] = [0, 0.9, 1, 1.5, 2, 9.99, 10, .nan, .infinity, -.infinity]
    let histogram = Histogram(title: "", name: "", values: values, bins: 10)
    #expect(histogram.edges == (0...10).map(Double.init))
    #expect(histogram.counts == [2, 2, 1, 0, 0, 0, 0, 0, 0, 2])
    let constant = Histogram(title: "", name: "", values: [7, 7, 7], bins: 40)
    #expect(constant.counts == [3] && constant.edges == [3.5, 10.5])
    #expect(Histogram(title: "", name: "", values: [], bins: 3).counts == [0, 0, 0])
    let large = Histogram(
      title: "", name: "", values: [-.greatestFiniteMagnitude, .greatestFiniteMagnitude], bins: 4)
    #expect(large.counts == [1, 0, 0, 1])
  }

  @Test func `a heat map has the colors of its scale, and the scale beside it`() throws {
    let map = HeatMap(
      title: "", Plane(width: 4, height: 1, values: [-2, 0, .nan, 2]), firstRow: 7, firstColumn: 20)
    #expect(map.scale == ColorScale(limit: 2))
    let drawing = map.drawing()
    let images = drawing.marks.compactMap { mark in
      if case .image(let image) = mark { image } else { nil }
    }
    #expect(images.count == 2 && images[0].scale == map.cell)
    let picture = try drawing.picture()
    let row = images[0].y + 2
    #expect(picture.color(images[0].x + 2, row) == RGB(0x00395C))
    #expect(picture.color(images[0].x + map.cell + 2, row) == RGB(0xF7F7F7))
    #expect(picture.color(images[0].x + 2 * map.cell + 2, row) == Palette.notANumber)
    for text in ["−2.00", "0.00", "nan", "7", "20", "21", "22", "−2", "2"] {
      #expect(label(drawing, text) != nil, "\(text)")
    }
    // The bar runs from the high end down to the low one.
    let bar = images[1]
    #expect(picture.color(bar.x + 3, bar.y) == RGB(0x6E2A00))
    #expect(picture.color(bar.x + 3, bar.y + bar.picture.height - 1) == RGB(0x00395C))
  }

  @Test func `scales are symmetric for numbers of both signs only`() {
    #expect(ColorScale(suiting: [-1, 3]).low == -3)
    #expect(ColorScale(suiting: [1, 3]).low == 1 && ColorScale(suiting: [1, 3]).high == 3)
    #expect(ColorScale(suiting: [-3, -1]).ramp == .sequential)
    for odd: [Float] in [[], [.nan], [0], [5], [-5], [.infinity, 1]] {
      let scale = ColorScale(suiting: odd)
      #expect(scale.low < scale.high && scale.low.isFinite && scale.high.isFinite)
    }
  }

  @Test func `the colors of series differ for every color vision`() {
    let colors = (0..<Palette.count).map(Palette.series)
    #expect(Set(colors).count == Palette.count)
    #expect(Palette.series(Palette.count) == colors[0])
    for color in colors { #expect(color.luma < 0.72, "\(color) is too light on white") }
  }

  @Test func `a diagram shows every link, no two in one place`() throws {
    for count in [3, 7, 12] {
      let links = Samples.links(count)
      let drawing = NetworkDiagram(
        title: "", layers: (1...count).map { Samples.block("b\($0)") },
        flow: .init(name: "dilated", links: links)
      ).drawing()
      // A link is a path with two rounded corners.
      let paths = drawing.marks.compactMap { mark -> [Point]? in
        guard case .shape(let path, nil, let stroke?) = mark, stroke.width == 2,
          path.segments.count == 6
        else { return nil }
        return path.points
      }
      #expect(paths.count == links.count)
      let turns = paths.flatMap { points in [points[0].x, points[points.count - 1].x] }
      #expect(Set(turns.map { Int(($0 * 2).rounded()) }).count == turns.count)
      for (path, link) in zip(paths, links) {
        #expect(path[0].x > path[path.count - 1].x, "\(link) runs from right to left")
      }
    }
  }

  @Test func `kernels have one scale for all, and tiles in order`() throws {
    let kernels = (0..<6).map { Plane(width: 1, height: 1, values: [Float($0) - 2]) }
    let tiles = KernelTiles(
      title: "", outputs: 2, inputs: 3, groups: [.init("c1.weight", kernels)])
    let drawing = tiles.drawing()
    for case .image(let image) in drawing.marks.prefix(while: { mark in
      if case .image(let image) = mark { image.picture.width > 20 } else { true }
    }) {
      let pitch = (image.picture.width + 4) / 3
      for (index, kernel) in kernels.enumerated() {
        let expected = ColorScale(limit: 3).color(of: kernel.values[0])
        #expect(
          image.picture.color(index % 3 * pitch + 3, index / 3 * pitch + 3) == expected)
      }
      return
    }
    Issue.record("There is no picture of the tiles.")
  }

  // MARK: - Text

  @Test func `a falling line falls, in braille and in ASCII`() {
    let plot = Plot(
      title: "", x: .init("epoch"), y: .init("loss"),
      series: [.init("a", (0...100).map { .init(x: Double($0), y: 100 - Double($0)) })])
    let ascii = plot.text(.ascii)
    let columns = ascii.compactMap { line in
      line.firstIndex(of: "*").map { line.distance(from: line.startIndex, to: $0) }
    }
    #expect(columns.count == 14 && columns == columns.sorted() && Set(columns).count == 14)
    #expect(ascii.first == "loss" && ascii.last?.hasSuffix("epoch") == true)
    let braille = plot.text(.unicode)
    let dots = braille.joined().unicodeScalars.count { (0x2801...0x28FF).contains($0.value) }
    #expect(dots > 50)
  }

  @Test func `values that are read further on lie on lines of their own, short ones below`() {
    func routes(_ reaches: [NetworkDiagram.Reach]) -> ReachRoutes {
      ReachRoutes(
        NetworkDiagram(
          title: "", layers: (1...6).map { Samples.block("b\($0)") }, reaches: reaches))
    }
    let nested = routes([.init(from: 0, to: 5), .init(from: 2, to: 4), .init(from: nil, to: 5)])
    #expect(nested.sources.map(\.source) == [nil, 0, 2])
    #expect(nested.levels == [2, 1, 0])
    let apart = routes([.init(from: 0, to: 2), .init(from: 2, to: 5), .init(from: 2, to: 3)])
    #expect(apart.levels == [0, 0] && apart.sources[1].ends.count == 2)
  }

  @Test func `a network as text tells scales, and what is read from further up`() {
    let text = NetworkDiagram(
      title: "",
      layers: [
        Samples.block("b1"), Samples.half(Samples.block("b2")),
        .init(convolution: "c1", Samples.convolution(8, 8)),
      ], reaches: [.init(from: 0, to: 2, isInput: true)]
    ).text(.unicode)
    #expect(text.contains { $0.contains("b2   conv 3×3  8 → 8  relu  1/2") })
    #expect(text.contains { $0.hasSuffix("c1   conv 3×3  8 → 8  relu  from b1") })
  }

  @Test func `a network as text names each layer, its skip and its links`() {
    let text = NetworkDiagram(
      title: "",
      layers: [
        Samples.block("b1", merge: .multiplyAdd), Samples.block("b2", skip: .networkInput),
        Samples.block("b3", skip: .projection),
      ], output: "net.out = net.in − b3",
      flow: .init(name: "dilated", links: [.init(from: 2, to: 0)])
    ).text(.unicode)
    #expect(text.first == "net.in" && text.last == "net.out = net.in − b3")
    #expect(text.contains { $0.contains("b1   conv 3×3  8 → 8  relu") })
    #expect(text.contains { $0.contains("× then + ◀") })
    #expect(text.contains("  + ◀─── net.in"))
    #expect(text.contains { $0.hasSuffix("│ conv 1×1") })
    #expect(text.contains("  ▲  gradient of b1 also from ρ·g(b3)"))
  }
}

import Figures

/// Figures of every kind, ordinary and odd.
enum Samples {
  static let statistics = ["first 1.0  last 0.001", "a second line, with α < β"]

  static let plot = Plot(
    title: "Loss & PSNR", x: .init("epoch"), y: .init("loss", .logarithmic),
    series: [
      .init("standard", (1...30).map { .init(x: Double($0), y: 1 / Double($0 * $0)) }),
      .init(
        "dilated",
        (1...30).map { epoch in
          let y = 2 / Double(epoch)
          return .init(x: Double(epoch), y: y, low: y * 0.8, high: y * 1.3)
        }),
    ], references: [.init("noisy", 0.5)], statistics: statistics)

  static let all: [any Figure] =
    [plot] + oddValues.flatMap(figures) + [many, long, bars] + diagrams + kernels

  private static let oddValues: [[Double]] = [
    [], [3], [2, 2, 2], [.nan, .infinity], [1, .nan, 3, -.infinity, 5], [1e-30, 1e30],
    [-1e30, 0, 1e30], [0, 0], [-4, -2, -9], [.greatestFiniteMagnitude],
    [1e16, 1e16], [-1e16], [3e38, -3e38], [1.4e-45, 0], [1.4e-45], [1, 1.000_000_1],
    [16_777_216, 16_777_217, 16_777_218], [1e16, 1e16, .nan, -.infinity],
    (0..<5000).map { Double($0 % 97) },
  ]

  /// Plots, bars, a histogram and a heat map of the same numbers.
  private static func figures(_ values: [Double]) -> [any Figure] {
    let points = values.enumerated().map { Plot.Point(x: Double($0), y: $1) }
    let floats = values.map { Float($0) }
    let few = Array(values.prefix(20))
    var figures: [any Figure] = AxisScale.Kind.allCases.flatMap { kind -> [any Figure] in
      [
        Plot(
          title: "line", x: .init("x"), y: .init("y", kind), series: [.init("a", points)],
          statistics: ["one"]),
        Plot(
          title: "dots", x: .init("x", kind), y: .init("y", kind),
          series: [.init("a", points, sign: .dots), .init("b", points.reversed())]),
        BarChart(
          title: "bars", groups: few.indices.map { "group \($0)" },
          series: [.init("a", few), .init("b", few.reversed())], axis: .init("norm", kind)),
        Histogram(
          title: "hist", name: "value in HU", values: floats, bins: 17,
          isLogarithmic: kind == .logarithmic),
      ]
    }
    if !floats.isEmpty {
      figures.append(
        HeatMap(
          title: "map", Plane(width: floats.count, height: 1, values: floats), unit: "HU",
          firstRow: 100, statistics: statistics))
    }
    return figures
  }

  private static let many = Plot(
    title: "more series than colors", x: .init("epoch"), y: .init("PSNR in dB"),
    series: (0..<12).map { run in
      .init(
        "run number \(run) with a long name",
        (0..<6).map { .init(x: Double($0), y: Double(run + $0)) })
    })

  private static let long = Plot(
    title: Array(repeating: "a very long title", count: 12).joined(separator: " "),
    x: .init("epoch"), y: .init("loss"), series: [.init("a", [.init(x: 0, y: 0)])],
    statistics: [Array(repeating: "many words", count: 40).joined(separator: " ")])

  private static let bars = BarChart(
    title: "gradients", groups: ["c1", "b1", "a layer with a long name"],
    series: [
      .init("flow standard", [0.5, .nan, 3]), .init("flow dilated", [100, 20, .infinity]),
    ],
    axis: .init("norm", .logarithmic), statistics: statistics)

  // MARK: - Networks

  static func convolution(_ inputs: Int, _ outputs: Int) -> NetworkDiagram.Convolution {
    .init(title: "conv 3×3", inputs: inputs, outputs: outputs, activation: "relu")
  }

  static func block(
    _ name: String, convolutions: Int = 1, merge: NetworkDiagram.Merge? = .add,
    skip: NetworkDiagram.Skip = .block
  ) -> NetworkDiagram.Layer {
    .init(
      block: name, Array(repeating: convolution(8, 8), count: convolutions), merge: merge,
      skip: skip)
  }

  static func box(_ title: String) -> NetworkDiagram.Convolution {
    .init(title: title, inputs: 8, outputs: 8, activation: "")
  }

  /// The layer on images of half the size.
  static func half(_ layer: NetworkDiagram.Layer) -> NetworkDiagram.Layer {
    var layer = layer
    layer.scale = .init("1/2", halvings: 1)
    return layer
  }

  /// All links of the dense dilated flow of `count` blocks.
  static func links(_ count: Int) -> [NetworkDiagram.Link] {
    (0..<count).flatMap { k in (k + 2..<max(k + 2, count)).map { .init(from: $0, to: k) } }
  }

  private static let diagrams: [any Figure] = [
    NetworkDiagram(title: "empty", layers: []),
    NetworkDiagram(
      title: "all parts",
      layers: [
        .init(convolution: "c1", convolution(1, 8)), block("b1"),
        block("b2", merge: .multiplyAdd, skip: .networkInput),
        block("b3", convolutions: 3, merge: .multiply, skip: .projection),
        block("b4", merge: nil), .init(convolution: "c2", convolution(8, 1)),
      ], output: "net.out = net.in − c2", flow: .init(name: "standard"), statistics: statistics),
    NetworkDiagram(
      title: "links", layers: (1...7).map { block("b\($0)") },
      flow: .init(name: "dilated", links: links(7))),
    NetworkDiagram(
      title: "scales",
      layers: [
        .init(convolution: "c1", convolution(1, 8)),
        half(.init(convolution: "p1", box("max pool"))),
        half(block("b1", convolutions: 2)), .init(convolution: "u1", box("up nearest")),
        .init(convolution: "j1", box("join c1")), .init(convolution: "c2", convolution(16, 8)),
        .init(convolution: "j2", box("join net.in")),
      ],
      reaches: [
        .init(from: 0, to: 4), .init(from: 0, to: 5, isInput: true), .init(from: nil, to: 6),
      ]),
    NetworkDiagram(
      title: "wide", layers: (1...30).map { block("b\($0)", convolutions: 3) },
      flow: .init(name: "dilated", links: links(30))),
  ]

  private static let kernels: [any Figure] = [(1, 1, 3), (4, 2, 5), (16, 16, 3), (2, 1, 1)].map {
    outputs, inputs, side in
    let planes = (0..<outputs * inputs).map { index in
      Plane(
        width: side, height: side,
        values: (0..<side * side).map { Float(($0 * 7 + index * 5) % 11 - 5) / 10 })
    }
    return KernelTiles(
      title: "kernels", outputs: outputs, inputs: inputs,
      groups: [.init("c1.weight", planes), .init("c1.weight.grad", planes)],
      statistics: statistics)
  }
}

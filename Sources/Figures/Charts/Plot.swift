/// A plot of lines, points and bands between two axes, such as a metric over epochs.
///
/// NaN and infinities interrupt a line; on a logarithmic axis, so do numbers up to 0.
package struct Plot: Figure {
  /// A point of a line, and the band around it.
  package struct Point: Hashable, Sendable {
    package let x: Double, y: Double
    /// The ends of the band; equal to `y` where there is none.
    package let low: Double, high: Double

    package init(x: Double, y: Double, low: Double? = nil, high: Double? = nil) {
      (self.x, self.y) = (x, y)
      (self.low, self.high) = (low ?? y, high ?? y)
    }
  }

  package struct Series: Hashable, Sendable {
    package enum Sign: Hashable, Sendable {
      case line
      case dots
    }

    package let label: String
    package let points: [Point]
    package let sign: Sign

    package init(_ label: String, _ points: [Point], sign: Sign = .line) {
      (self.label, self.points, self.sign) = (label, points, sign)
    }
  }

  /// A value that the series are compared with, drawn as a dashed line.
  package struct Reference: Hashable, Sendable {
    package let label: String
    package let y: Double

    package init(_ label: String, _ y: Double) { (self.label, self.y) = (label, y) }
  }

  package struct Axis: Hashable, Sendable {
    /// The name with its unit: `psnr in dB`.
    package let name: String
    package let kind: AxisScale.Kind
    /// Whether its values are indices, whole numbers.
    package let isWhole: Bool
    /// Whether a linear axis begins at 0, as that of a power or a share must.
    package let includesZero: Bool

    package init(
      _ name: String, _ kind: AxisScale.Kind = .linear, isWhole: Bool = false,
      includesZero: Bool = false
    ) {
      (self.name, self.kind) = (name, kind)
      (self.isWhole, self.includesZero) = (isWhole, includesZero)
    }
  }

  package let title: String
  package let x: Axis, y: Axis
  package let series: [Series]
  package let references: [Reference]
  package let statistics: [String]

  package init(
    title: String, x: Axis, y: Axis, series: [Series], references: [Reference] = [],
    statistics: [String] = []
  ) {
    (self.title, self.x, self.y) = (title, x, y)
    (self.series, self.references, self.statistics) = (series, references, statistics)
  }

  var xScale: AxisScale {
    AxisScale(
      covering: series.lazy.flatMap(\.points).map(\.x), kind: x.kind, room: 0.02,
      isWhole: x.isWhole)
  }

  var yScale: AxisScale {
    AxisScale(
      covering: series.flatMap(\.points).flatMap { [$0.y, $0.low, $0.high] }
        + references.map(\.y), kind: y.kind, includesZero: y.includesZero)
  }

  /// Whether a legend must name the series.
  var needsLegend: Bool { series.count + references.count > 1 }

  /// The dashes of a series, so that lines differ when colors repeat.
  private func dashes(_ index: Int) -> [Double] {
    let round = index / Palette.count
    return round == 0 ? [] : [Double(8 / round), 5]
  }

  private static let referenceDashes = [5.0, 5.0]

  // MARK: - Drawing

  package func drawing() -> Drawing {
    let width = Double(Look.width)
    let legend =
      series.enumerated().map { index, series in
        LegendEntry(
          label: series.label, color: Palette.series(index),
          sign: series.sign == .dots ? .dot : .line(dashes: dashes(index)))
      }
      + references.map {
        LegendEntry(label: $0.label, color: Look.faint, sign: .line(dashes: Self.referenceDashes))
      }
    let around = Surroundings(self, legend: needsLegend ? legend : [], width: width)
    let bottom = around.top + 420
    let area = PlotArea(x: xScale, y: yScale, width: width, top: around.top, bottom: bottom)
    var drawing = around.drawing(width: width, figureBottom: bottom)
    area.draw(on: &drawing, xName: x.name, yName: y.name)
    for reference in references {
      guard let row = area.y.position(of: reference.y) else { continue }
      let y = area.bottom - row * (area.bottom - area.top)
      drawing.stroke(
        .line([Figures.Point(area.left, y), Figures.Point(area.right, y)]), Look.faint,
        width: 1.5, dashes: Self.referenceDashes)
    }
    for (index, series) in series.enumerated() {
      drawBand(series, Palette.series(index), area, on: &drawing)
    }
    for (index, series) in series.enumerated() {
      draw(series, Palette.series(index), dashes(index), area, on: &drawing)
    }
    return drawing
  }

  private func drawBand(
    _ series: Series, _ color: RGB, _ area: PlotArea, on drawing: inout Drawing
  ) {
    for run in runs(series, { area.point($0.x, $0.low) != nil && area.point($0.x, $0.high) != nil })
    where run.contains(where: { $0.low < $0.high }) {
      let upper = run.compactMap { area.point($0.x, $0.high) }
      let lower = run.reversed().compactMap { area.point($0.x, $0.low) }
      drawing.fill(.polygon(upper + lower), color, opacity: 0.18)
    }
  }

  private func draw(
    _ series: Series, _ color: RGB, _ dashes: [Double], _ area: PlotArea, on drawing: inout Drawing
  ) {
    let runs = runs(series, { area.point($0.x, $0.y) != nil })
      .map { $0.compactMap { area.point($0.x, $0.y) } }
    if series.sign == .line {
      for run in runs where run.count > 1 {
        drawing.stroke(.line(run), color, width: 2, dashes: dashes)
      }
    }
    // Few points are marked, and so is a single one, which has no line.
    let marksAll = series.sign == .dots || series.points.count <= 40
    for run in runs where marksAll || run.count == 1 {
      for point in run {
        drawing.fill(.circle(point, radius: series.sign == .dots ? 3.5 : 3), color)
      }
    }
  }

  /// The runs of points without a gap, within which every point has a position.
  private func runs(_ series: Series, _ isPlaced: (Point) -> Bool) -> [[Point]] {
    series.points.reduce(into: [[]]) { runs, point in
      if isPlaced(point) {
        runs[runs.count - 1].append(point)
      } else if runs[runs.count - 1].isEmpty == false {
        runs.append([])
      }
    }.filter { !$0.isEmpty }
  }
}

extension Plot {
  /// Makes a series of a contestant's runs: their mean, with a band from the lowest to the highest.
  ///
  /// - Parameters:
  ///   - label: The contestant's name.
  ///   - places: The x of the metric's values.
  ///   - curves: The metric at those places, one curve for each run; shorter ones end earlier.
  /// - Returns: The series.
  package static func spread(
    _ label: String, at places: [Double], _ curves: [[Double]]
  ) -> Series {
    Series(
      label,
      places.enumerated().map { index, x in
        let values = curves.compactMap { index < $0.count ? $0[index] : nil }.filter(\.isFinite)
        let mean = values.reduce(0, +) / Double(values.count)
        return Point(x: x, y: mean, low: values.min(), high: values.max())
      })
  }
}

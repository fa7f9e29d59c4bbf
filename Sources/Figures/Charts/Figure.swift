/// A figure that is drawn, or written as text, from numbers.
package protocol Figure: Sendable {
  var title: String { get }

  /// Short lines of statistics under the figure, also for readers who do not see it.
  var statistics: [String] { get }

  func drawing() -> Drawing

  /// The figure without its statistics as lines of at most 79 characters.
  func text(_ style: TextStyle) -> [String]
}

/// The kind of characters in which figures are written.
package enum TextStyle: String, CaseIterable, Hashable, Sendable {
  /// Braille dots, blocks and lines.
  case unicode = "text"
  /// ASCII characters only.
  case ascii

  func number(_ label: NumberLabel) -> String {
    self == .unicode ? label.printed : label.plain
  }

  /// The widest line of a figure in characters.
  static let columns = 79
}

// MARK: - Title, legend and statistics

/// The name of a series in a legend, with its sign.
struct LegendEntry: Hashable, Sendable {
  enum Sign: Hashable, Sendable {
    case line(dashes: [Double])
    case square
    case dot
  }

  let label: String
  let color: RGB
  let sign: Sign
}

/// The title and legend above a figure, and the statistics below it.
struct Surroundings {
  private let title: [String]
  private let rows: [[(entry: LegendEntry, x: Double)]]
  private let statistics: [String]
  private let description: String
  private let name: String

  private static let titleLine = 25.0, legendLine = 22.0, statisticsLine = 18.0
  private static let swatch = 26.0

  init(_ figure: some Figure, legend: [LegendEntry] = [], width: Double) {
    name = figure.title
    description = figure.statistics.joined(separator: "\n")
    let room = width - 2 * Look.margin
    title = OutlineFont.bold.wrap(figure.title, size: Look.titleSize, width: room)
    statistics = figure.statistics.flatMap {
      OutlineFont.regular.wrap($0, size: Look.smallSize, width: room)
    }
    var rows: [[(entry: LegendEntry, x: Double)]] = []
    var x = Double.infinity
    for entry in legend {
      let needed =
        Self.swatch + 6 + OutlineFont.regular.width(of: entry.label, size: Look.textSize)
      if x + needed > width - Look.margin {
        rows.append([])
        x = Look.margin
      }
      rows[rows.count - 1].append((entry, x))
      x += needed + 22
    }
    self.rows = rows
  }

  /// The top of the figure itself.
  var top: Double {
    Look.margin + Self.titleLine * Double(title.count) + Self.legendLine * Double(rows.count) + 4
  }

  /// The height of the lines under the figure.
  var bottom: Double {
    statistics.isEmpty
      ? Look.margin : Self.statisticsLine * Double(statistics.count) + Look.margin + 4
  }

  /// An empty drawing for a figure that ends at `height`, with title, legend and statistics.
  func drawing(width: Double, figureBottom: Double) -> Drawing {
    var drawing = Drawing(
      width: Int(width.rounded(.up)), height: Int((figureBottom + bottom).rounded(.up)),
      title: name, description: description)
    var y = Look.margin + 14
    for line in title {
      drawing.write(
        line, at: Point(Look.margin, y), size: Look.titleSize, bold: true, color: RGB(0x1A1A1A))
      y += Self.titleLine
    }
    y += 1
    for row in rows {
      for (entry, x) in row { draw(entry, at: Point(x, y), on: &drawing) }
      y += Self.legendLine
    }
    y = figureBottom + 20
    for line in statistics {
      drawing.write(line, at: Point(Look.margin, y), size: Look.smallSize, color: Look.faint)
      y += Self.statisticsLine
    }
    return drawing
  }

  private func draw(_ entry: LegendEntry, at place: Point, on drawing: inout Drawing) {
    let middle = place.y - 4.5
    switch entry.sign {
    case .line(let dashes):
      drawing.stroke(
        .line([Point(place.x + 1, middle), Point(place.x + Self.swatch - 1, middle)]), entry.color,
        width: 2.5, dashes: dashes)
    case .square:
      drawing.fill(
        .rectangle(x: place.x + 8, y: middle - 6, width: 12, height: 12, radius: 2), entry.color)
    case .dot:
      drawing.fill(.circle(Point(place.x + 13, middle), radius: 4), entry.color)
    }
    drawing.write(entry.label, at: Point(place.x + Self.swatch + 6, place.y))
  }
}

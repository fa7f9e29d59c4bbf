/// The counts of numbers between evenly spaced edges.
///
/// A bin includes its lower edge, the last one both. NaN and infinities are in none.
package struct Histogram: Figure {
  package let title: String
  /// The quantity that is counted, with its unit.
  package let name: String
  /// The edges of the bins in ascending order, one more than there are bins.
  package let edges: [Double]
  package let counts: [Int]
  /// Whether bars are as high as the logarithm of the count.
  package let isLogarithmic: Bool
  package private(set) var statistics: [String]

  /// Counts `values` in `bins` bins from the smallest to the largest; if all are equal, in a single
  /// bin around them.
  ///
  /// Once `shouldStop`, called from time to time, returns true, the rest is not counted.
  package init(
    title: String, name: String, values: [Float], bins: Int, isLogarithmic: Bool = false,
    statistics: [String] = [], shouldStop: () -> Bool = { false }
  ) {
    precondition(bins > 0, "A histogram has at least one bin.")
    let starts = stride(from: 0, to: values.count, by: Self.part)
    var (lowest, highest) = (Float.infinity, -Float.infinity)
    for start in starts where !shouldStop() {
      for value in values[start..<min(start + Self.part, values.count)] where value.isFinite {
        lowest = min(lowest, value)
        highest = max(highest, value)
      }
    }
    var (low, high) = (Double(lowest), Double(highest))
    if low > high { (low, high) = (0, 1) }
    var bins = bins
    if low == high {
      let half = low == 0 ? 0.5 : abs(low) / 2
      (low, high, bins) = (low - half, high + half, 1)
    }
    var counts = [Int](repeating: 0, count: bins)
    for start in starts where !shouldStop() {
      for value in values[start..<min(start + Self.part, values.count)] where value.isFinite {
        // The ends may be of a part only once counting has stopped.
        let place = (Double(value) - low) / (high - low) * Double(bins)
        counts[Int(min(max(place, 0), Double(bins - 1)))] += 1
      }
    }
    (self.title, self.name, self.counts) = (title, name, counts)
    edges = (0...bins).map { low + (high - low) * Double($0) / Double(bins) }
    (self.isLogarithmic, self.statistics) = (isLogarithmic, statistics)
  }

  /// The number of values between two looks at whether to go on.
  private static let part = 1 << 20

  /// The same histogram with other lines of statistics.
  package func telling(_ statistics: [String]) -> Histogram {
    var other = self
    other.statistics = statistics
    return other
  }

  private var xScale: AxisScale { AxisScale(covering: edges, room: 0.01) }

  /// A logarithmic axis begins below 1, so that a count of 1 is visible.
  private var yScale: AxisScale {
    isLogarithmic
      ? AxisScale(
        covering: [0.5] + counts.filter { $0 > 0 }.map(Double.init), kind: .logarithmic, room: 0)
      : AxisScale(covering: counts.map(Double.init), includesZero: true)
  }

  private var countName: String { isLogarithmic ? "count (log)" : "count" }

  /// The height of a bar, 0 to 1.
  private func height(_ count: Int, _ scale: AxisScale) -> Double {
    count == 0 ? 0 : min(max(scale.position(of: Double(count)) ?? 0, 0), 1)
  }

  package func drawing() -> Drawing {
    let width = Double(Look.width)
    let around = Surroundings(self, width: width)
    let bottom = around.top + 380
    let area = PlotArea(x: xScale, y: yScale, width: width, top: around.top, bottom: bottom)
    var drawing = around.drawing(width: width, figureBottom: bottom)
    area.draw(on: &drawing, xName: name, yName: countName)
    // Bars that are wide enough have a gap of a pixel between them.
    let gap = (area.right - area.left) / Double(counts.count) > 6 ? 1.0 : 0
    for (index, count) in counts.enumerated() where count > 0 {
      guard let start = area.x.position(of: edges[index]),
        let end = area.x.position(of: edges[index + 1])
      else { continue }
      let (left, right) = (column(start, area), column(end, area))
      let size = height(count, area.y) * (area.bottom - area.top)
      drawing.fill(
        .rectangle(x: left, y: area.bottom - size, width: right - left - gap, height: size),
        Palette.blue)
    }
    return drawing
  }

  private func column(_ position: Double, _ area: PlotArea) -> Double {
    (area.left + position * (area.right - area.left)).rounded()
  }

  package func text(_ style: TextStyle) -> [String] {
    let rows = 10
    let scale = yScale
    let ticks = scale.ticks(atMost: 4)
    let gutter = style.gutter(ticks)
    let columns = TextStyle.columns - gutter
    var grid = CharacterGrid(columns: columns, rows: rows)
    let eighths: [Character] = Array(" ▁▂▃▄▅▆▇█")
    for column in 0..<columns {
      // Each column shows the fullest of its bins, so that no single bin is lost.
      let first = column * counts.count / columns
      let last = max(first, ((column + 1) * counts.count + columns - 1) / columns - 1)
      let fullest = counts[first...min(last, counts.count - 1)].max() ?? 0
      var size = Int((height(fullest, scale) * Double(rows * 8)).rounded())
      if fullest > 0 { size = max(size, 1) }
      for row in 0..<rows {
        let part = min(max(size - 8 * row, 0), 8)
        if style == .unicode {
          grid[rows - 1 - row, column] = eighths[part]
        } else if part >= 4 || (part > 0 && row == 0) {
          grid[rows - 1 - row, column] = "#"
        }
      }
    }
    var labels: [Int: String] = [:]
    for tick in ticks {
      guard let position = scale.position(of: tick.value), (0...1).contains(position) else {
        continue
      }
      labels[min(rows - 1, Int(Double(rows) * (1 - position)))] = style.number(tick.label)
    }
    let ends = [edges[0], edges[edges.count - 1]].map {
      style.number(NumberLabel($0, significant: 4))
    }
    let free = max(2, columns - ends[0].count - ends[1].count - name.count)
    let half = String(repeating: " ", count: free / 2)
    let rest = String(repeating: " ", count: free - free / 2)
    let space = String(repeating: " ", count: gutter)
    return [countName] + style.framed(grid.lines, labels: labels, gutter: gutter, columns: columns)
      + ["\(space)\(ends[0])\(half)\(name)\(rest)\(ends[1])"]
  }
}

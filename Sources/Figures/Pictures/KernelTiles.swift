/// A figure of a convolution's kernels as tiles: a row for each output channel, a column for each
/// input channel; with their gradients beside them, if any.
///
/// All tiles of a group share one scale, symmetric about zero and printed beside them.
package struct KernelTiles: Figure {
  /// Kernels of one kind, `[O, I, kH, kW]`.
  package struct Group: Hashable, Sendable {
    package let name: String
    /// The kernels row by row: output 0 with all inputs, then output 1.
    package let kernels: [Plane]

    package init(_ name: String, _ kernels: [Plane]) { (self.name, self.kernels) = (name, kernels) }

    fileprivate var scale: ColorScale {
      ColorScale(
        limit: kernels.reduce(0) { limit, kernel in
          kernel.values.reduce(limit) { $1.isFinite ? max($0, Double(abs($1))) : $0 }
        })
    }
  }

  package let title: String
  package let outputs: Int, inputs: Int
  package let groups: [Group]
  package let statistics: [String]

  package init(
    title: String, outputs: Int, inputs: Int, groups: [Group], statistics: [String] = []
  ) {
    precondition(
      groups.allSatisfy { $0.kernels.count == outputs * inputs && !$0.kernels.isEmpty },
      "Each group has a kernel for each pair of channels.")
    (self.title, self.outputs, self.inputs) = (title, outputs, inputs)
    (self.groups, self.statistics) = (groups, statistics)
  }

  private var kernel: (width: Int, height: Int) {
    (groups[0].kernels[0].width, groups[0].kernels[0].height)
  }

  /// The side of a weight in pixels, so that a group is about 400 pixels wide and high.
  private var cell: Int {
    let side = max(inputs * (kernel.width + 1), outputs * (kernel.height + 1))
    return min(24, max(2, 400 / side))
  }

  private var gap: Int { cell > 4 ? 4 : 2 }
  private var tileWidth: Int { kernel.width * cell + gap }
  private var tileHeight: Int { kernel.height * cell + gap }

  /// Whether a drawing of tiles of `outputs` × `inputs` kernels of this size has at most about
  /// 4000 pixels a side.
  package static func fits(outputs: Int, inputs: Int, width: Int, height: Int) -> Bool {
    inputs * (2 * width + 2) <= 1900 && outputs * (2 * height + 2) <= 4000
  }

  package func drawing() -> Drawing {
    let gutter = 34.0
    let mapWidth = Double(inputs * tileWidth)
    let mapHeight = Double(outputs * tileHeight)
    let pitch =
      gutter + mapWidth + 16 + ColorScale.barWidth + ColorScale.labelWidth
    let width = max(420, 2 * Look.margin + pitch * Double(groups.count))
    let around = Surroundings(self, width: width)
    let top = (around.top + 46).rounded()
    let barHeight = max(mapHeight, 110)
    let bottom = top + barHeight + 10
    var drawing = around.drawing(width: width, figureBottom: bottom)
    for (index, group) in groups.enumerated() {
      let left = (Look.margin + pitch * Double(index) + gutter).rounded()
      drawing.write(group.name, at: Point(left, around.top + 14), bold: true)
      drawing.write(
        "input channel", at: Point(left, around.top + 31), size: 11, color: Look.faint)
      drawing.put(picture(group), x: Int(left), y: Int(top))
      label(inputs, tileWidth) { number, place in
        drawing.write(
          number, at: Point(left + place, top - 3), size: 11, color: Look.faint, anchor: .middle)
      }
      label(outputs, tileHeight) { number, place in
        drawing.write(
          number, at: Point(left - 5, top + place + 4), size: 11, color: Look.faint, anchor: .end)
      }
      group.scale.draw(
        on: &drawing, x: left + mapWidth + 12, y: top, height: barHeight - Double(gap))
    }
    return drawing
  }

  /// Prints the numbers of channels along a side, as many as fit.
  private func label(_ count: Int, _ pitch: Int, _ write: (String, Double) -> Void) {
    let step = max(1, (20 + pitch - 1) / pitch)
    for index in stride(from: 0, to: count, by: step) {
      write("\(index)", Double(index * pitch) + Double(pitch - gap) / 2)
    }
  }

  /// The tiles of a group on white ground.
  private func picture(_ group: Group) -> Picture {
    let (width, height) = (inputs * tileWidth - gap, outputs * tileHeight - gap)
    var samples = [UInt16](repeating: 255, count: width * height * 3)
    let scale = group.scale
    for (index, kernel) in group.kernels.enumerated() {
      let (left, top) = (index % inputs * tileWidth, index / inputs * tileHeight)
      for y in 0..<kernel.height * cell {
        for x in 0..<kernel.width * cell {
          let color = scale.color(of: kernel.values[y / cell * kernel.width + x / cell]).samples
          let start = ((top + y) * width + left + x) * 3
          samples.replaceSubrange(start..<start + 3, with: color)
        }
      }
    }
    return Picture(width: width, height: height, color: .rgb, samples: samples)
  }

  // MARK: - Text

  /// The number of output channels that the text shows.
  private static let writtenOutputs = 4

  package func text(_ style: TextStyle) -> [String] {
    let written = min(outputs, Self.writtenOutputs)
    return groups.flatMap { group in
      let numbers = group.kernels.prefix(written * inputs).map { kernel in
        kernel.values.map { style.number(NumberLabel(Double($0), significant: 3)) }
      }
      let width = (numbers.joined().map(\.count).max() ?? 0) + 2
      let lines = (0..<written).flatMap { output in
        rows(Array(numbers[output * inputs..<(output + 1) * inputs]), output, width: width)
      }
      return [group.name] + lines
        + (outputs > written ? ["\(outputs - written) more output channels"] : [])
    }
  }

  /// The kernels of one output channel side by side, as numbers.
  private func rows(_ kernels: [[String]], _ output: Int, width: Int) -> [String] {
    let shown = max(1, min(inputs, TextStyle.columns / (width * kernel.width + 2)))
    let more = shown < inputs ? ", inputs 0 to \(shown - 1) of \(inputs)" : ""
    return ["output \(output)\(more)"]
      + (0..<kernel.height).map { y in
        kernels.prefix(shown).map { numbers in
          numbers[y * kernel.width..<(y + 1) * kernel.width].map { number in
            String(repeating: " ", count: width - number.count) + number
          }.joined()
        }.joined(separator: "  ")
      }
  }
}

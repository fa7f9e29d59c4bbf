extension NetworkDiagram {
  /// How far a pass has come, by layer.
  package struct Walk: Hashable, Sendable {
    /// How far it has come in a layer.
    package enum Progress: Hashable, Sendable, CaseIterable {
      case done, here, pending

      fileprivate var color: RGB {
        switch self {
        case .done: Palette.blue
        case .here: Palette.vermillion
        case .pending: RGB(0xDDDDDD)
        }
      }
    }

    package let forward: [Progress], backward: [Progress]

    package init(forward: [Progress], backward: [Progress]) {
      (self.forward, self.backward) = (forward, backward)
    }

    var legend: [LegendEntry] {
      Progress.allCases.map { LegendEntry(label: "\($0)", color: $0.color, sign: .square) }
    }
  }
}

extension NetworkLayout {
  /// The height of the first bar below the lowest layer, and from one to the next.
  static let walkDepth = 62.0, walkLine = 22.0

  /// Draws a bar under each layer for the forward pass, and one for the backward pass.
  func draw(_ walk: NetworkDiagram.Walk, _ line: Double, on drawing: inout Drawing) {
    let rows = [("forward", walk.forward), ("backward", walk.backward)]
    for (row, (name, states)) in rows.enumerated() {
      let y = line + Self.walkDepth + Double(row) * Self.walkLine
      drawing.write(
        name, at: Point(Look.margin, y + 4), size: Look.smallSize, color: Look.faint)
      for (place, state) in zip(places, states) {
        let width = place.right - place.left
        drawing.fill(
          .rectangle(x: place.left, y: y - 5, width: width, height: 10, radius: 3), state.color)
      }
    }
  }
}

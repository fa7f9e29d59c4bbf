// A network from top to bottom in characters, skips at the right.

extension NetworkDiagram {
  package func text(_ style: TextStyle) -> [String] {
    let lines = layers.enumerated().flatMap { index, layer in
      Self.lines(of: layer, from: inputName(of: index)) + links(to: index)
        + notes(on: index)
    }
    let all = ["net.in"] + lines + [output.isEmpty ? "net.out" : output]
    return style == .unicode ? all : all.map(Self.inASCII)
  }

  /// The lines that say what a layer is fed with instead of a gradient, and that its values are computed twice.
  private func notes(on index: Int) -> [String] {
    guard let flow else { return [] }
    let name = layers[index].name
    let instead = flow.replacement.map { other in
      other.layers.contains(index) ? ["  ▲  \(name) is fed with \(other.sign): \(other.words)"] : []
    }
    let again = flow.computedTwice.contains { $0.contains(index) }
    return (instead ?? []) + (again ? ["  ▲  \(name) is computed twice"] : [])
  }

  private static let skipColumn = 34

  /// The name of the value that a layer is given instead of that before it; nil for the usual one.
  private func inputName(of index: Int) -> String? {
    reaches.first { $0.to == index && $0.isInput }.map { reach in
      reach.from.map { layers[$0].name } ?? "net.in"
    }
  }

  private static func lines(of layer: Layer, from input: String?) -> [String] {
    let notes = [layer.scale.words, input.map { "from \($0)" } ?? ""]
    let words = layer.convolutions.enumerated().map { index, convolution in
      let name = (index == 0 ? layer.name : "").clipped(to: 4)
      let facts =
        [
          convolution.title, "\(convolution.inputs) → \(convolution.outputs)",
          convolution.activation,
        ] + (index == 0 ? notes : [])
      return "  ▼  \(name) " + facts.filter { !$0.isEmpty }.joined(separator: "  ")
    }
    guard let merge = layer.merge else { return words }
    let signs = merge.signs.joined(separator: " then ")
    guard layer.skip != .networkInput else { return words + ["  \(signs) ◀─── net.in"] }
    let rule = String(repeating: "─", count: skipColumn)
    return ["  ├─\(rule)╮"]
      + words.enumerated().map { index, text in
        let note = index == 0 && layer.skip == .projection ? " conv 1×1" : ""
        return "\(text.clipped(to: skipColumn + 4))│\(note)"
      } + ["  \(signs) ◀\(rule.dropFirst(signs.count))╯"]
  }

  /// The lines that list the links which end at a layer.
  private func links(to index: Int) -> [String] {
    guard let flow else { return [] }
    let ending = flow.links.filter { $0.to == index }.sorted { $0.from < $1.from }
    guard !ending.isEmpty else { return [] }
    let isProduct = ending.allSatisfy(\.isFactor)
    let start = "  ▲  gradient of \(layers[index].name) also from \(isProduct ? "ρ·" : "")"
    var lines = [start]
    for (position, link) in ending.enumerated() {
      let isLast = position + 1 == ending.count
      let sign = isProduct ? "·" : " + "
      let term = "\(link.load)(\(layers[link.from].name))\(isLast ? "" : sign)"
      if lines[lines.count - 1].count + term.count > Self.columns {
        lines.append(String(repeating: " ", count: start.count))
      }
      lines[lines.count - 1] += term
    }
    return lines
  }

  /// The largest length of a line.
  private static let columns = 79

  /// The text with each sign replaced by an ASCII one, so that columns stay.
  private static func inASCII(_ text: String) -> String {
    let signs: [Character: Character] = [
      "▼": "v", "▲": "^", "◀": "-", "─": "-", "│": "|", "├": "+", "╮": ".", "╯": "'", "×": "x",
      "→": ">", "·": "*", "ρ": "r", "−": "-",
    ]
    return String(text.map { signs[$0] ?? $0 })
  }
}

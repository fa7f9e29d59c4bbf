// A network from top to bottom in characters, skips at the right.

extension NetworkDiagram {
  package func text(_ style: TextStyle) -> [String] {
    var lines = ["net.in"]
    for (index, layer) in layers.enumerated() {
      lines += Self.lines(of: layer).map { style == .unicode ? $0 : Self.inASCII($0) }
      lines += links(to: index, style)
    }
    lines.append(output.isEmpty ? "net.out" : style == .unicode ? output : Self.inASCII(output))
    return lines
  }

  private static let skipColumn = 34

  private static func lines(of layer: Layer) -> [String] {
    let words = layer.convolutions.map {
      "conv \($0.kernel)×\($0.kernel)  \($0.inputs) → \($0.outputs)  \($0.activation)"
    }
    guard let merge = layer.merge else {
      return words.enumerated().map { index, text in
        "  ▼  \((index == 0 ? layer.name : "").clipped(to: 4)) \(text)"
      }
    }
    let signs = merge.signs.joined(separator: " then ")
    guard layer.skip != .networkInput else {
      return words.enumerated().map { index, text in
        "  ▼  \((index == 0 ? layer.name : "").clipped(to: 4)) \(text)"
      } + ["  \(signs)◀─── net.in"]
    }
    let rule = String(repeating: "─", count: skipColumn)
    let note = layer.skip == .projection ? "  conv 1×1" : ""
    return ["  ├─\(rule)╮"]
      + words.enumerated().map { index, text in
        "  ▼  \((index == 0 ? layer.name : "").clipped(to: 4)) \(text)"
          .clipped(to: skipColumn + 4) + "│" + (index == 0 ? note : "")
      }
      + ["  \(signs)◀" + String(rule.dropFirst(signs.count - 1)) + "╯"]
  }

  /// What else is fed to a layer in the backward pass.
  private func links(to index: Int, _ style: TextStyle) -> [String] {
    guard let flow else { return [] }
    let sources = flow.links.filter { $0.to == index }.map(\.from).sorted()
    guard !sources.isEmpty else { return [] }
    let sum = sources.map { "\(flow.weight)·g(\(layers[$0].name))" }.joined(separator: " + ")
    let text = "  ▲  gradient of \(layers[index].name) also from \(sum)"
    return style.joined([style == .unicode ? text : Self.inASCII(text)])
  }

  private static func inASCII(_ text: String) -> String {
    let signs: [Character: String] = [
      "▼": "v", "▲": "^", "◀": "-", "─": "-", "│": "|", "├": "+", "╮": ".", "╯": "'", "×": "x",
      "→": "->", "·": "*", "ρ": "rho", "−": "-",
    ]
    return text.map { signs[$0] ?? String($0) }.joined()
  }
}

// What figures of characters have in common: axes, boxes, lines of words.

extension TextStyle {
  /// Rows with an axis at their left, numbers at it, and an axis under them.
  ///
  /// - Parameters:
  ///   - rows: The characters of each row.
  ///   - labels: What is written at some of the rows.
  ///   - gutter: The width of what stands before the rows.
  ///   - columns: The length of the lower axis.
  /// - Returns: The lines from top to bottom.
  func framed(
    _ rows: [String], labels: [Int: String], gutter: Int, columns: Int
  ) -> [String] {
    let signs = self == .unicode ? (tick: "┤", side: "│") : (tick: "+", side: "|")
    let corner = self == .unicode ? "└" : "+"
    return rows.enumerated().map { index, row in
      let label = labels[index] ?? ""
      let space = String(repeating: " ", count: max(0, gutter - 2 - label.count))
      return "\(space)\(label) \(label.isEmpty ? signs.side : signs.tick)\(row)"
    } + [String(repeating: " ", count: gutter - 1) + corner + rule(columns)]
  }

  /// Rows of `columns` characters in a box.
  func boxed(_ rows: [String], columns: Int) -> [String] {
    guard self == .unicode else {
      return ["+\(rule(columns))+"] + rows.map { "|\($0)|" } + ["+\(rule(columns))+"]
    }
    return ["┌\(rule(columns))┐"] + rows.map { "│\($0)│" } + ["└\(rule(columns))┘"]
  }

  private func rule(_ count: Int) -> String {
    String(repeating: self == .unicode ? "─" : "-", count: count)
  }

  /// The space that numbers and an axis take before the rows.
  func gutter(_ ticks: [AxisScale.Tick]) -> Int {
    (ticks.map { number($0.label).count }.max() ?? 0) + 2
  }

  /// Words side by side, as many in a line as fit.
  func joined(_ words: [String]) -> [String] {
    words.filter { !$0.isEmpty }.reduce(into: []) { lines, word in
      if let last = lines.last, last.count + 2 + word.count <= TextStyle.columns {
        lines[lines.count - 1] = "\(last)  \(word)"
      } else {
        lines.append(word)
      }
    }
  }
}

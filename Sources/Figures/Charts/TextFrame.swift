// Parts that figures in characters share: axes, boxes, lines of words.

extension TextStyle {
  /// Returns rows with an axis and its numbers at their left, and an axis under them.
  ///
  /// - Parameters:
  ///   - rows: The characters of each row.
  ///   - labels: The labels of some rows, by their index.
  ///   - gutter: The width of the labels and the axis before the rows.
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

  /// Returns rows of `columns` characters in a box.
  func boxed(_ rows: [String], columns: Int) -> [String] {
    guard self == .unicode else {
      return ["+\(rule(columns))+"] + rows.map { "|\($0)|" } + ["+\(rule(columns))+"]
    }
    return ["┌\(rule(columns))┐"] + rows.map { "│\($0)│" } + ["└\(rule(columns))┘"]
  }

  private func rule(_ count: Int) -> String {
    String(repeating: self == .unicode ? "─" : "-", count: count)
  }

  /// The width of the numbers and an axis before the rows.
  func gutter(_ ticks: [AxisScale.Tick]) -> Int {
    (ticks.map { number($0.label).count }.max() ?? 0) + 2
  }

  /// Joins words to lines, with as many in each as fit.
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

import CommandLanguage

/// The command at a position in a notebook's cell.
package struct CellPlace: Hashable, Sendable {
  /// The command's text up to the position.
  package let before: String
  /// The whole command.
  package let command: String

  /// Finds the command.
  ///
  /// - Parameters:
  ///   - text: The text of the cell.
  ///   - position: The position, in Unicode scalars.
  package init(in text: String, at position: Int) {
    var lines: [String.UnicodeScalarView] = [.init()]
    var (row, column) = (0, 0)
    for (index, scalar) in text.unicodeScalars.enumerated() {
      if scalar == "\n" {
        lines.append(.init())
      } else {
        lines[lines.count - 1].append(scalar)
      }
      if index < position { (row, column) = (lines.count - 1, lines[lines.count - 1].count) }
    }
    var first = 0
    var follower = ContinuedLine.Follower()
    for index in 0..<row where !follower.goesOn(after: String(lines[index])) {
      first = index + 1
      follower = ContinuedLine.Follower()
    }
    var last = first
    follower = ContinuedLine.Follower()
    while last + 1 < lines.count, follower.goesOn(after: String(lines[last])) { last += 1 }
    func command(_ lines: some Sequence<String.UnicodeScalarView>) -> String {
      lines.map { line in PastedText.command(in: String(line)) ?? String(line) }
        .joined(separator: "\n")
    }
    var typed = String.UnicodeScalarView()
    typed.append(contentsOf: lines[row].prefix(column))
    before = command(lines[first..<row] + [typed])
    self.command = command(lines[first...max(last, row)])
  }
}

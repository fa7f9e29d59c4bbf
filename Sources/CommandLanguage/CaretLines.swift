/// Draws a line of a command with a caret line below it.
enum CaretLines {
  /// The physical line that holds `range`, and the carets that underline it.
  static func lines(under range: Range<Int>, of line: String) -> [String] {
    let characters = Array(line)
    let start = min(max(range.lowerBound, 0), characters.count)
    let lineStart = characters[..<start].lastIndex(of: "\n").map { $0 + 1 } ?? 0
    let lineEnd = characters[start...].firstIndex(of: "\n") ?? characters.count
    let end = min(max(range.upperBound, start + 1), max(lineEnd, start + 1))
    let shown = VisibleText.visible(String(characters[lineStart..<lineEnd]))
    let before = VisibleText.columns(of: characters[lineStart..<start])
    let marked = max(1, VisibleText.columns(of: characters[start..<min(end, lineEnd)]))
    let carets = String(repeating: " ", count: before) + "^"
    return [shown, carets + String(repeating: "~", count: marked - 1)]
  }
}

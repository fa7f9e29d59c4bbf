/// Draws a line of a command with a caret line below it.
enum CaretLines {
  /// The number of columns when no terminal is known.
  private static let widest = 400

  /// The physical line that holds `range`, and the carets that underline it; of a line that is wider
  /// than `columns`, the part around the carets.
  static func lines(under range: Range<Int>, of line: String, columns: Int?) -> [String] {
    let characters = Array(line)
    let start = min(max(range.lowerBound, 0), characters.count)
    let lineStart = characters[..<start].lastIndex(of: "\n").map { $0 + 1 } ?? 0
    let lineEnd = characters[start...].firstIndex(of: "\n") ?? characters.count
    let end = min(max(range.upperBound, start + 1), max(lineEnd, start + 1))
    let width = max(8, columns ?? widest)
    let window = window(
      around: start..<min(end, lineEnd), in: characters, lineStart..<lineEnd, columns: width)
    let (head, tail) = (window.lowerBound > lineStart, window.upperBound < lineEnd)
    let part = String(characters[window])
    let shown = (head ? "…" : "") + VisibleText.visible(part) + (tail ? "…" : "")
    let before =
      (head ? 1 : 0) + VisibleText.columns(of: characters[window.lowerBound..<start])
    let marked = max(
      1, VisibleText.columns(of: characters[start..<min(end, window.upperBound)]))
    let carets = String(repeating: " ", count: before) + "^"
    return [shown, carets + String(repeating: "~", count: marked - 1)]
  }

  /// The characters of `line` that fit into `columns` with an ellipsis at each cut: the beginning of
  /// `range`, and as much around it as there is room for, most of it before.
  private static func window(
    around range: Range<Int>, in characters: [Character], _ line: Range<Int>, columns: Int
  ) -> Range<Int> {
    // Each character takes a column or two.
    let ends = characters[line].prefix(columns + 1)
    if ends.count <= columns, VisibleText.columns(of: ends) <= columns { return line }
    var (lower, upper) = (range.lowerBound, range.lowerBound)
    var room = columns - 2
    func take(_ index: Int) -> Bool {
      room -= VisibleText.columns(of: CollectionOfOne(characters[index]))
      return room >= 0
    }
    let share = columns / 2
    while upper < range.upperBound, room > share, take(upper) { upper += 1 }
    while lower > line.lowerBound, room > columns / 4, take(lower - 1) { lower -= 1 }
    while upper < line.upperBound, room > 0, take(upper) { upper += 1 }
    while lower > line.lowerBound, room > 0, take(lower - 1) { lower -= 1 }
    return lower..<upper
  }
}

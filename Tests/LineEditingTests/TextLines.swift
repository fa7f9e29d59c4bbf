import LineEditing

/// A source that returns the lines of a text.
final class TextLines: LineSource {
  private var lines: ArraySlice<String>

  init(_ text: String) {
    let lines = text.utf8.split(separator: 10, omittingEmptySubsequences: false)
    self.lines =
      lines.map { String(decoding: $0.last == 13 ? $0.dropLast() : $0, as: UTF8.self) }[...]
    if self.lines.last?.isEmpty == true { self.lines.removeLast() }
  }

  func next(prompt: String, after before: String) -> LineEvent {
    lines.popFirst().map { .line($0) } ?? .end
  }

  func propose(_ line: String) {}

  var emptyLine = ""

  var hasWaiting: Bool { !lines.isEmpty }

  func dropTypedAhead() -> Int {
    defer { lines = [] }
    return lines.count
  }
}

/// What a source of lines gives when it is asked for the next one.
package enum LineEvent: Hashable, Sendable {
  /// A line without its end.
  case line(String)
  /// The person pressed Ctrl-C: the line so far is dropped.
  case interrupted
  /// There are no more lines.
  case end
}

/// Whatever lines come from: a terminal with an editor, a pipe, a text.
package protocol LineSource: AnyObject {
  /// The next line, after showing `prompt` where somebody can see it; `before` are the lines so far
  /// of a command that goes on.
  func next(prompt: String, after before: String) -> LineEvent

  /// Puts a line before the person, to run with Enter, to change, or to drop.
  func propose(_ line: String)

  /// What an empty line stands for; nothing else than itself while this is empty.
  var emptyLine: String { get set }

  /// Whether lines, or parts of one, wait to be read.
  var hasWaiting: Bool { get }

  /// Drops what was typed or pasted and waits to be read; answers with the number of pasted lines.
  func dropTypedAhead() -> Int
}

/// The lines of a text.
package final class TextLines: LineSource {
  private var lines: ArraySlice<String>

  package init(_ text: String) {
    let lines = text.utf8.split(separator: 10, omittingEmptySubsequences: false)
    self.lines =
      lines.map { String(decoding: $0.last == 13 ? $0.dropLast() : $0, as: UTF8.self) }[...]
    if self.lines.last?.isEmpty == true { self.lines.removeLast() }
  }

  package func next(prompt: String, after before: String) -> LineEvent {
    lines.popFirst().map { .line($0) } ?? .end
  }

  package func propose(_ line: String) {}

  package var emptyLine = ""

  package var hasWaiting: Bool { !lines.isEmpty }

  package func dropTypedAhead() -> Int {
    defer { lines = [] }
    return lines.count
  }
}

/// The result of asking a source for its next line.
package enum LineEvent: Hashable, Sendable {
  /// A line without its end.
  case line(String)
  /// The person pressed Ctrl-C: the line so far is dropped.
  case interrupted
  /// There are no more lines.
  case end
}

/// A source of lines: a terminal with an editor, or a pipe.
package protocol LineSource: AnyObject {
  /// Returns the next line, after showing `prompt` on a terminal; `before` are the previous lines
  /// of a command that goes on.
  func next(prompt: String, after before: String) -> LineEvent

  /// Offers a line to the person, to run with Enter, to change, or to drop.
  func propose(_ line: String)

  /// The line that an empty line stands for; empty if it stands for itself.
  var emptyLine: String { get set }

  /// Whether lines, or parts of one, wait to be read.
  var hasWaiting: Bool { get }

  /// Drops typed or pasted input that waits to be read; returns the number of pasted lines.
  func dropTypedAhead() -> Int
}

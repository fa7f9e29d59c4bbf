import CommandLanguage
import Foundation
import LineEditing

/// Shows a long text a screen at a time, at a terminal.
///
/// A pager would read keys, or be a separate program. Here, an empty line shows the next screen,
/// and every other line is a command as always, so that only the prompt reads the keyboard.
struct Pages {
  private var rest: ArraySlice<String> = []

  /// Shows the first screen of `lines`; the rest waits.
  mutating func begin(_ lines: [String]) {
    rest = lines[...]
    showNext()
  }

  /// Whether there is nothing left to show.
  var isEmpty: Bool { rest.isEmpty }

  /// Shows the next screen.
  mutating func showNext() {
    let size = TerminalSize()
    // Two rows are left free, for the line under the text and for the prompt.
    var room = max(1, size.rows - 2)
    var count = 0
    for line in rest {
      // A word that is wider than the screen continues in the next row.
      room -= max(1, (VisibleText.columns(of: line) + size.columns - 1) / size.columns)
      guard room >= 0 || count == 0 else { break }
      count += 1
    }
    for line in rest.prefix(count) { Console.print(line) }
    rest = rest.dropFirst(count)
    guard !rest.isEmpty else { return }
    let lines = rest.count == 1 ? "line" : "lines"
    Console.print("-- \(rest.count) more \(lines): Enter shows them --")
  }

  /// Drops the rest.
  mutating func drop() { rest = [] }
}

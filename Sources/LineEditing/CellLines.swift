/// A source that returns the lines of a text that is there as a whole, such as a notebook's cell.
///
/// Of a pasted transcript it returns the commands alone.
package final class CellLines: LineSource {
  private var lines: ArraySlice<String>
  package var emptyLine = ""

  package init(_ text: String) {
    // The last line has an end, so that it runs.
    lines = PastedText(text + "\n").lines[...]
  }

  package func next(prompt: String, after before: String) -> LineEvent {
    lines.popFirst().map { .line($0) } ?? .end
  }

  package func propose(_ line: String) {}

  package var hasWaiting: Bool { !lines.isEmpty }

  package func dropTypedAhead() -> Int {
    defer { lines = [] }
    return lines.count
  }

  /// The commands, comments and blank lines of a cell in order, each with the number of its first
  /// line, from 1.
  package static func commands(in text: String) -> [CommandLines.CommandLine] {
    var lines = CommandLines(CellLines(text))
    var commands: [CommandLines.CommandLine] = []
    while case .command(let command) = lines.next() { commands.append(command) }
    return commands
  }
}

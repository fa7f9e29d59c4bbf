import CEdit

/// The lines that the history keys of a prompt select: those of earlier sessions and of this one.
package final class LineHistory {
  /// The lines, oldest first.
  package private(set) var lines: [String]
  /// The number of lines from before this session.
  package let earlierCount: Int
  private let file: HistoryFile?
  /// The same lines for libedit's own keys.
  let forLibedit: OpaquePointer?
  /// The position of the arrow keys, the beginning that they search, and the line that they show;
  /// nil before they are used.
  private var search: (index: Int, prefix: String, shown: String)?

  /// Loads the lines of a file, to which new ones are added.
  package init(file: HistoryFile?) {
    self.file = file
    lines = file?.lines() ?? []
    earlierCount = lines.count
    forLibedit = history_init()
    if let forLibedit {
      _ = cedit_history_size(forLibedit, CInt(HistoryFile.lineLimit))
      for line in lines { _ = cedit_history_enter(forLibedit, line) }
    }
  }

  deinit { if let forLibedit { history_end(forLibedit) } }

  /// The lines from before this session.
  package var earlier: [String] { Array(lines.prefix(earlierCount)) }

  /// Adds a line, unless it is blank or begins with a space.
  package func add(_ line: String) {
    search = nil
    guard let first = line.first, first != " ", !line.allSatisfy(\.isWhitespace) else { return }
    lines.append(line)
    if let forLibedit { _ = cedit_history_enter(forLibedit, line) }
    file?.append(line)
  }

  /// The next older line with the beginning of `line`, from which the arrow keys started; nil if
  /// there is none.
  package func older(than line: String) -> String? { step(from: line, by: -1) }

  /// The next newer line with that beginning, at last the typed one; nil if there is none.
  package func newer(than line: String) -> String? { step(from: line, by: 1) }

  private func step(from line: String, by step: Int) -> String? {
    var (index, prefix) = (lines.count, line)
    if let search, search.shown == line { (index, prefix) = (search.index, search.prefix) }
    index += step
    while lines.indices.contains(index) {
      if lines[index].hasPrefix(prefix), lines[index] != line {
        search = (index, prefix, lines[index])
        return lines[index]
      }
      index += step
    }
    guard step > 0, line != prefix else { return nil }
    search = (lines.count, prefix, prefix)
    return prefix
  }
}

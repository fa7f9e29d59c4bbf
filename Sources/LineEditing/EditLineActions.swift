import CEdit
import CommandLanguage
import Foundation

/// What the keys of a line do.
extension EditLine {
  // MARK: - Completion

  /// Completes the word before the cursor, or lists what it may become.
  func complete() -> CInt {
    let typed = textBeforeCursor
    let completion = completion(before + typed)
    let word = String(typed.unicodeScalars.suffix(completion.replacedScalars))
    if completion.insertion != word,
      completion.insertion.unicodeScalars.count >= word.unicodeScalars.count
    {
      return replace(last: completion.replacedScalars, by: completion.insertion)
    }
    guard completion.candidates.count > 1 || completion.insertion.isEmpty else {
      return CC_REFRESH_BEEP
    }
    return list(completion)
  }

  /// Lists what may come next; in quotes and comments, a question mark is one.
  func question() -> CInt {
    let completion = completion(before + textBeforeCursor)
    guard !completion.isInText else { return insert("?") }
    return list(completion)
  }

  private func list(_ completion: Completion) -> CInt {
    let lines = completion.list(columns: TerminalSize().columns)
    guard !lines.isEmpty else { return CC_REFRESH_BEEP }
    show(String(repeating: "\n", count: rowsBelowCursor + 1) + lines.joined(separator: "\n") + "\n")
    _ = cedit_redraw(editor)
    return CC_NORM
  }

  // MARK: - Paste

  /// Takes what is pasted: lines run one after the other, the rest goes into the line.
  func paste() -> CInt {
    let pasted = PastedText(clipboard)
    clipboard = ""
    guard let first = pasted.lines.first else { return insert(pasted.rest) }
    pending = pasted.lines.dropFirst()
    rest = pasted.rest
    keys.putBack(.character("\r"))
    return insert(first)
  }

  // MARK: - History

  /// Puts another line in place of the one that is edited.
  func replaceLine(_ other: (LineHistory, String) -> String?) -> CInt {
    guard let line = other(history, text) else { return CC_REFRESH_BEEP }
    _ = el_cursor(editor, CInt(Int16.max))
    return replace(last: text.unicodeScalars.count, by: line)
  }

  // MARK: - The line

  /// The line as it is.
  var text: String { parts.before + parts.after }

  private var textBeforeCursor: String { parts.before }

  private var parts: (before: String, after: String) {
    guard let line = el_line(editor)?.pointee, let start = line.buffer, let cursor = line.cursor,
      let end = line.lastchar
    else { return ("", "") }
    func text(_ start: UnsafePointer<CChar>, _ end: UnsafePointer<CChar>) -> String {
      let bytes = UnsafeRawBufferPointer(start: start, count: max(0, end - start))
      return String(decoding: bytes, as: UTF8.self)
    }
    return (text(start, cursor), text(cursor, end))
  }

  private func insert(_ text: String) -> CInt { replace(last: 0, by: text) }

  /// Puts `text` in place of the last `count` characters before the cursor.
  private func replace(last count: Int, by text: String) -> CInt {
    if count > 0 { el_deletestr(editor, CInt(count)) }
    if !text.isEmpty { _ = el_insertstr(editor, text) }
    return CC_REFRESH
  }

  // MARK: - Hints

  /// The least columns that a hint is worth, and the gap before it.
  private static let (leastHint, hintGap) = (12, 2)
  /// Whether letters may be dim or red.
  private static let hasStyles =
    ProcessInfo.processInfo.environment["NO_COLOR"].map(\.isEmpty) ?? true

  /// Shows at the right what the line would do, while nobody types.
  ///
  /// libedit knows nothing of it: the cursor returns to its place, and the hint is gone before
  /// libedit sees the next key.
  func showHint() {
    let columns = TerminalSize().columns
    let line = text
    let end = CommandLines.prompt.count + Self.columns(of: line)
    // The last column stays free: writing there would begin another row in some terminals.
    let room = columns - 1 - end - Self.hintGap
    guard room >= Self.leastHint, let hint = hint(before + line), !hint.text.isEmpty else { return }
    let shown = hint.text(in: room)
    let column = columns - VisibleText.columns(of: shown)
    let (start, stop) =
      Self.hasStyles ? (hint.isFault ? "\u{1B}[31m" : "\u{1B}[2m", "\u{1B}[0m") : ("", "")
    hintColumn = end + 1
    show("\u{1B}7\u{1B}[\(column)G\(start)\(shown)\(stop)\u{1B}8")
  }

  /// Takes the hint away, with everything behind the line.
  func clearHint() {
    guard let column = hintColumn else { return }
    hintColumn = nil
    show("\u{1B}7\u{1B}[\(column)G\u{1B}[K\u{1B}8")
  }

  // MARK: - The screen

  /// In which row below the prompt's a column of the line is.
  private func row(_ text: String) -> Int {
    (CommandLines.prompt.count + Self.columns(of: text)) / TerminalSize().columns
  }

  /// The columns that libedit gives a text.
  private static func columns(of text: String) -> Int {
    text.unicodeScalars.reduce(0) { $0 + Int(cedit_columns($1.value)) }
  }

  /// How many rows of the line are below the cursor.
  var rowsBelowCursor: Int { row(text) - row(textBeforeCursor) }

  /// Draws the line anew in a terminal of another size.
  func adoptSize() {
    let rows = row(textBeforeCursor)
    show((rows > 0 ? "\u{1B}[\(rows)A" : "") + "\r\u{1B}[J")
    el_resize(editor)
    _ = cedit_redraw(editor)
  }

  /// Writes to the terminal beside libedit, which has written all it had before it reads a key.
  func show(_ text: String) {
    try? Descriptor.write(text.utf8, to: STDOUT_FILENO)
  }
}

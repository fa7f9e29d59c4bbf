import CEdit
import CommandLanguage
import Foundation

/// The functions of the keys in a line.
extension EditLine {
  // MARK: - Completion

  /// Completes the word before the cursor, or lists its possible continuations.
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

  /// Lists possible continuations; in quotes and comments, a question mark is inserted.
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

  /// Handles a paste: its lines run one after the other, the rest goes into the line.
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

  /// Replaces the line that is edited by another.
  func replaceLine(_ other: (LineHistory, String) -> String?) -> CInt {
    guard let line = other(history, text) else { return CC_REFRESH_BEEP }
    _ = el_cursor(editor, CInt(Int16.max))
    return replace(last: text.unicodeScalars.count, by: line)
  }

  // MARK: - The line

  /// The present line.
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

  /// Replaces the last `count` characters before the cursor by `text`.
  private func replace(last count: Int, by text: String) -> CInt {
    if count > 0 { el_deletestr(editor, CInt(count)) }
    if !text.isEmpty { _ = el_insertstr(editor, text) }
    return CC_REFRESH
  }

  // MARK: - Hints

  /// The smallest width of a hint in columns, and the gap before it.
  private static let (leastHint, hintGap) = (12, 2)
  /// Whether letters may be dim or colored.
  private static let hasStyles =
    ProcessInfo.processInfo.environment["NO_COLOR"].map(\.isEmpty) ?? true

  /// Shows a hint at the right of the line while no key is pressed.
  ///
  /// libedit does not know of it: the cursor returns to its place, and the hint is removed before
  /// libedit sees the next key.
  func showHint() {
    let columns = TerminalSize().columns
    let line = text
    let end = CommandLines.prompt.count + Self.columns(of: line)
    // The last column stays free, since writing there would begin another row in some terminals.
    let room = columns - 1 - end - Self.hintGap
    guard room >= Self.leastHint, let hint = hint(before + line), !hint.text.isEmpty else { return }
    let shown = hint.text(in: room)
    let column = columns - VisibleText.columns(of: shown)
    let (start, stop) =
      Self.hasStyles ? (hint.isFault ? "\u{1B}[31m" : "\u{1B}[2m", "\u{1B}[0m") : ("", "")
    hintColumn = end + 1
    show("\u{1B}7\u{1B}[\(column)G\(start)\(shown)\(stop)\u{1B}8")
  }

  /// Removes the hint, with everything behind the line.
  func clearHint() {
    guard let column = hintColumn else { return }
    hintColumn = nil
    show("\u{1B}7\u{1B}[\(column)G\u{1B}[K\u{1B}8")
  }

  // MARK: - The screen

  /// The row of the line's end, counted from the row of the prompt.
  private func row(_ text: String) -> Int {
    (CommandLines.prompt.count + Self.columns(of: text)) / TerminalSize().columns
  }

  /// The number of columns that libedit gives a text.
  private static func columns(of text: String) -> Int {
    text.unicodeScalars.reduce(0) { $0 + Int(cedit_columns($1.value)) }
  }

  /// The number of the line's rows below the cursor.
  var rowsBelowCursor: Int { row(text) - row(textBeforeCursor) }

  /// Redraws the line in a terminal of another size.
  func adoptSize() {
    let rows = row(textBeforeCursor)
    show((rows > 0 ? "\u{1B}[\(rows)A" : "") + "\r\u{1B}[J")
    el_resize(editor)
    _ = cedit_redraw(editor)
  }

  /// Writes to the terminal directly; libedit has no output pending when it reads a key.
  func show(_ text: String) {
    try? Descriptor.write(text.utf8, to: STDOUT_FILENO)
  }
}

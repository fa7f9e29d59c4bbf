import CEdit
package import CommandLanguage
import Foundation

/// A source of lines that are typed at a terminal and edited with libedit.
///
/// Keys are those of emacs or vi, by the person's `.editrc` under the name `backflow`. Tab
/// completes, `?` lists continuations, the arrow keys select earlier lines with the same beginning.
package final class EditLine: LineSource {
  let editor: OpaquePointer
  let keys: KeyReader
  let history: LineHistory
  /// Returns the possible continuations of a text.
  let completion: (String) -> Completion
  /// Returns a hint for a line, or nil.
  let hint: (String) -> Hint?
  /// The column of the screen where the hint begins; nil while there is none.
  var hintColumn: Int?
  /// Whether keys go to a search, which has its own row on the screen.
  private var isSearching = false

  /// The prompt, kept for libedit, which does not copy it.
  private let prompt: UnsafeMutablePointer<CChar>
  /// The previous lines of a command that goes on.
  private(set) var before = ""
  /// Pasted lines that wait to be read.
  var pending: ArraySlice<String> = []
  /// The rest of a paste, which the editor gets after them.
  var rest = ""
  /// The text that the paste key inserts.
  var clipboard = ""
  package var emptyLine = ""
  private var wasInterrupted = false
  /// The terminal's answers about its abilities.
  package private(set) var answers = TerminalAnswers()
  /// The time that the first prompt waits for answers; a distant terminal may answer later.
  private static let patience = Duration.milliseconds(40)

  /// Takes over the terminal; nil when there is none, or one that can only print.
  ///
  /// - Parameters:
  ///   - prompt: The text of the prompt.
  ///   - history: The earlier lines for the arrow keys.
  ///   - completion: Returns the possible continuations of a text.
  ///   - hint: Returns a hint on the effect or the fault of a line, or nil.
  package init?(
    prompt: String, history: LineHistory, completion: @escaping (String) -> Completion,
    hint: @escaping (String) -> Hint?
  ) {
    guard isatty(STDIN_FILENO) == 1, TerminalSize.canDraw(), Self.chooseUTF8() else { return nil }
    // The settings are saved before libedit changes anything.
    TerminalState.take()
    guard let editor = cedit_init("backflow") else {
      TerminalState.giveBack()
      return nil
    }
    (self.editor, self.history) = (editor, history)
    (self.completion, self.hint) = (completion, hint)
    self.prompt = strdup(prompt)
    keys = KeyReader(descriptor: STDIN_FILENO, signals: TerminalState.signals)
    _ = cedit_set_client(editor, Unmanaged.passUnretained(self).toOpaque())
    _ = cedit_set_prompt(editor) { EditLine.of($0)?.prompt }
    _ = cedit_set_reader(editor) { EditLine.of($0)?.read(into: $1) ?? 0 }
    if let lines = history.forLibedit { _ = cedit_set_history(editor, lines) }
    _ = cedit_set_keys(editor, "emacs")
    // The person's settings come first, then the necessary ones.
    _ = el_source(editor, nil)
    bindKeys()
    ask()
  }

  /// Asks the terminal about its abilities; keys pressed meanwhile wait.
  private func ask() {
    // Linux's own console may print the question on the screen.
    guard ProcessInfo.processInfo.environment["TERM"] != "linux" else { return }
    show(TerminalAnswers.questions)
    let end = ContinuousClock.now + Self.patience
    var others: [KeyReader.Key] = []
    while !answers.isComplete, let key = keys.next(within: end - .now) {
      if case .reply(let reply) = key { answers.take(reply) } else { others.append(key) }
    }
    for key in others.reversed() { keys.putBack(key) }
  }

  deinit {
    el_end(editor)
    TerminalState.giveBack()
    free(prompt)
  }

  package func next(prompt: String, after before: String) -> LineEvent {
    if let line = pending.popFirst() {
      show("\(prompt)\(line)\n")
      return .line(line)
    }
    self.before = before
    keys.escapeIsKey = isVi
    wasInterrupted = false
    isSearching = false
    if !rest.isEmpty {
      keys.putBack(.paste(rest))
      rest = ""
    }
    TerminalState.setEditing(true)
    var count: CInt = 0
    let text = el_gets(editor, &count).map { String(cString: $0) }
    TerminalState.setEditing(false)
    TerminalState.remember()
    guard let text, count > 0 else {
      pending = []
      return wasInterrupted ? .interrupted : .end
    }
    // A Ctrl-C after the line's end is for the command.
    if keys.takeInterrupt() { raise(SIGINT) }
    let line = text.last == "\n" ? String(text.dropLast()) : text
    return .line(PastedText.command(in: line) == nil ? line : firstOfPaste(line))
  }

  /// Returns the first line of a transcript that the terminal pastes without marks; the rest waits.
  private func firstOfPaste(_ line: String) -> String {
    guard keys.hasNext else { return line }
    var text = line + "\n"
    while let key = keys.next(within: .milliseconds(PastedText.pause)) {
      guard case .character(let character) = key else {
        keys.putBack(key)
        break
      }
      text.unicodeScalars.append(character)
    }
    let paste = PastedText(text)
    (pending, rest) = (paste.lines.dropFirst(), paste.rest)
    return paste.lines.first ?? line
  }

  package var hasWaiting: Bool { !pending.isEmpty || !rest.isEmpty || keys.hasNext }

  package func propose(_ line: String) {
    if pending.isEmpty, rest.isEmpty, !keys.hasNext { rest = line }
  }

  package func dropTypedAhead() -> Int {
    TerminalState.forgetInterrupt()
    keys.drop()
    rest = ""
    defer { pending = [] }
    return pending.count
  }

  /// The object behind an editor in libedit's callbacks.
  private static func of(_ editor: OpaquePointer?) -> EditLine? {
    guard let editor, let client = cedit_client(editor) else { return nil }
    return Unmanaged<EditLine>.fromOpaque(client).takeUnretainedValue()
  }

  /// Selects UTF-8 for keys and screen, independent of the locale: Backflow writes only UTF-8.
  ///
  /// libedit crashes on characters that the locale lacks. Only the character type is changed, so
  /// that numbers keep their points.
  private static func chooseUTF8() -> Bool {
    ["", "C.UTF-8", "en_US.UTF-8"].contains { (name: String) in
      setlocale(LC_CTYPE, name) != nil && String(cString: cedit_codeset()) == "UTF-8"
    }
  }

  // MARK: - Keys

  private func bindKeys() {
    bind("^I", "backflow-complete", "Complete the word") { e, _ in
      EditLine.run(e) { $0.complete() }
    }
    bind("?", "backflow-list", "List what may come next") { e, _ in
      EditLine.run(e) { $0.question() }
    }
    bind(Self.name(of: .paste("")), "backflow-paste", "Take what is pasted") { e, _ in
      EditLine.run(e) { $0.paste() }
    }
    bind(Self.name(of: .up), "backflow-older", "Go to the older line that begins alike") { e, _ in
      EditLine.run(e) { $0.replaceLine { $0.older(than: $1) } }
    }
    bind(Self.name(of: .down), "backflow-newer", "Go to the newer line that begins alike") { e, _ in
      EditLine.run(e) { $0.replaceLine { $0.newer(than: $1) } }
    }
    _ = cedit_bind(editor, "^R", "em-inc-search-prev")
    // No command holds a control character; and Ctrl-C would be read as one for a moment.
    _ = cedit_bind(editor, "^V", "ed-unassigned")
    // libedit's own commands and an external editor are switched off. In vi, such a binding would
    // take the x after escape.
    if String(cString: cedit_keys(editor)) == "emacs" {
      _ = cedit_bind(editor, "\\ex", "ed-unassigned")
    }
    // A "." that repeats "r." in an empty line would repeat itself endlessly, and ignore Ctrl-C.
    for key in [":", "v", ".", "@"] { _ = cedit_bind_alternative(editor, key, "ed-unassigned") }
    // Ctrl-S would freeze the screen. While a command runs, keys wait unchanged for the next line.
    cedit_set_terminal(editor, "-d", "-ixon")
    for flag in ["-ixon", "-icanon", "-echo"] { cedit_set_terminal(editor, "-x", flag) }
  }

  /// Binds a key to one of our functions.
  private func bind(
    _ key: String, _ name: String, _ help: String,
    to function: @convention(c) (OpaquePointer?, CInt) -> UInt8
  ) {
    _ = cedit_add_function(editor, name, help, function)
    _ = cedit_bind(editor, key, name)
    // In vi's command mode, "?" searches.
    if key != "?" { _ = cedit_bind_alternative(editor, key, name) }
  }

  private static func run(_ editor: OpaquePointer?, _ body: (EditLine) -> CInt) -> UInt8 {
    UInt8(of(editor).map(body) ?? CC_ERROR)
  }

  /// The character that represents a key of several characters; no keyboard sends it.
  private static func character(of key: KeyReader.Key) -> UInt8 {
    switch key {
    case .paste: 0x80
    case .up: 0x81
    default: 0x82
    }
  }

  /// The key in the notation of `bind`.
  private static func name(of key: KeyReader.Key) -> String {
    "\\" + String(character(of: key), radix: 8)
  }

  /// Moves the cursor back into the line, before libedit writes there.
  ///
  /// In vi's command mode, "$" in an empty line leaves it before the line, and "N" without a match
  /// behind it. Moving it makes libedit check its place.
  private func keepCursorInLine() {
    let place = el_cursor(editor, 0)
    if place == 0 { return }
    _ = el_cursor(editor, place < 0 ? 1 : -1)
    if place > 0 { _ = el_cursor(editor, place - el_cursor(editor, 0)) }
  }

  /// Reads the next character for libedit: 1, or 0 at the end, or −1 after Ctrl-C.
  private func read(into place: UnsafeMutablePointer<wchar_t>?) -> CInt {
    TerminalState.remember()
    keepCursorInLine()
    while true {
      if !isSearching, !keys.hasNext { showHint() }
      let key = keys.next()
      clearHint()
      switch key {
      case .character(let character):
        if ["\r", "\n"].contains(character), takesEmptyLine {
          keys.putBack(key)
          clipboard = emptyLine
          place?.pointee = wchar_t(Self.character(of: .paste("")))
          return 1
        }
        noteSearch(character)
        place?.pointee = wchar_t(character.value)
        return 1
      case .paste(let text):
        clipboard = text
        place?.pointee = wchar_t(Self.character(of: key))
        return 1
      case .up, .down:
        place?.pointee = wchar_t(Self.character(of: key))
        return 1
      case .interrupt:
        wasInterrupted = true
        show(String(repeating: "\n", count: rowsBelowCursor) + "^C")
        return -1
      case .resize:
        adoptSize()
      case .resume:
        // A shell may send the signal twice.
        show("\r\u{1B}[J")
        _ = cedit_redraw(editor)
      case .reply(let reply):
        answers.take(reply)
      case .end:
        return 0
      }
    }
  }

  /// Whether Enter is pressed in an empty line that stands for another, which is shown first.
  private var takesEmptyLine: Bool {
    !emptyLine.isEmpty && !isSearching && before.isEmpty && text.isEmpty
  }

  private var isVi: Bool { String(cString: cedit_keys(editor)) == "vi" }

  /// Records that a search begins; hints return with the next line.
  ///
  /// Only libedit knows which keys of vi are commands: after escape, any key may begin a search.
  private func noteSearch(_ key: Unicode.Scalar) {
    if key == "\u{12}" || key == "\u{13}" || (key == "\u{1B}" && isVi) { isSearching = true }
  }
}

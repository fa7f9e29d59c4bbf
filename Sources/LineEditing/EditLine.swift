import CEdit
package import CommandLanguage
import Foundation

/// Lines that somebody types at a terminal, edited with libedit.
///
/// Keys are those of emacs or vi, as the person's `.editrc` says under the name `backflow`. Tab
/// completes, `?` lists what may come next, the arrow keys walk through the lines that begin alike.
package final class EditLine: LineSource {
  let editor: OpaquePointer
  let keys: KeyReader
  let history: LineHistory
  /// What may come after a text.
  let completion: (String) -> Completion
  /// What a line would do, when somebody wants to know.
  let hint: (String) -> Hint?
  /// Where on the screen the hint begins, while there is one.
  var hintColumn: Int?
  /// Whether keys go to a search, which has a row of its own.
  private var isSearching = false

  /// The prompt for libedit, which keeps no copy.
  private let prompt: UnsafeMutablePointer<CChar>
  /// The lines before this one, of a command that goes on.
  private(set) var before = ""
  /// Lines that were pasted and wait.
  var pending: ArraySlice<String> = []
  /// What was pasted after them, for the editor.
  var rest = ""
  /// What the paste key inserts.
  var clipboard = ""
  package var emptyLine = ""
  private var wasInterrupted = false
  /// What the terminal has said about itself.
  package private(set) var answers = TerminalAnswers()
  /// How long the first prompt waits for it; a far terminal may answer later.
  private static let patience = Duration.milliseconds(40)

  /// Takes over the terminal; none when there is none that can do more than print.
  ///
  /// - Parameters:
  ///   - prompt: What the prompt looks like.
  ///   - history: The lines to walk through.
  ///   - completion: What may come after a text.
  ///   - hint: What a line would do, or what is wrong with it.
  package init?(
    prompt: String, history: LineHistory, completion: @escaping (String) -> Completion,
    hint: @escaping (String) -> Hint?
  ) {
    guard isatty(STDIN_FILENO) == 1, TerminalSize.canDraw(), Self.chooseUTF8() else { return nil }
    // Before libedit changes anything.
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
    // First what the person likes, then what must be.
    _ = el_source(editor, nil)
    bindKeys()
    ask()
  }

  /// Asks the terminal what it can show; keys that are pressed meanwhile wait.
  private func ask() {
    // Linux's own console may write the question on the screen.
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
    // Pressed after the line's end, Ctrl-C is for the command.
    if keys.takeInterrupt() { raise(SIGINT) }
    let line = text.last == "\n" ? String(text.dropLast()) : text
    return .line(PastedText.command(in: line) == nil ? line : firstOfPaste(line))
  }

  /// The first line of a transcript that this terminal pastes without marks; the rest waits.
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

  /// The editor that libedit calls back.
  private static func of(_ editor: OpaquePointer?) -> EditLine? {
    guard let editor, let client = cedit_client(editor) else { return nil }
    return Unmanaged<EditLine>.fromOpaque(client).takeUnretainedValue()
  }

  /// Chooses UTF-8 for keys and screen, whatever the locale: all that Backflow writes is UTF-8.
  ///
  /// libedit crashes on other characters than the locale's. Only characters follow the locale, so
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
    // No command has a control character in it; and Ctrl-C would be one for an instant.
    _ = cedit_bind(editor, "^V", "ed-unassigned")
    // libedit's own commands, and an editor in a shell, have no place here.
    // In vi, such a binding would take the x after escape.
    if String(cString: cedit_keys(editor)) == "emacs" {
      _ = cedit_bind(editor, "\\ex", "ed-unassigned")
    }
    // A "." that repeats "r." in an empty line would repeat itself for ever, deaf to Ctrl-C.
    for key in [":", "v", ".", "@"] { _ = cedit_bind_alternative(editor, key, "ed-unassigned") }
    // Ctrl-S would freeze the screen. While a command runs, keys wait for the next line as they are.
    cedit_set_terminal(editor, "-d", "-ixon")
    for flag in ["-ixon", "-icanon", "-echo"] { cedit_set_terminal(editor, "-x", flag) }
  }

  /// Binds a key to a function of our own.
  private func bind(
    _ key: String, _ name: String, _ help: String,
    to function: @convention(c) (OpaquePointer?, CInt) -> UInt8
  ) {
    _ = cedit_add_function(editor, name, help, function)
    _ = cedit_bind(editor, key, name)
    // In vi's commands, "?" searches.
    if key != "?" { _ = cedit_bind_alternative(editor, key, name) }
  }

  private static func run(_ editor: OpaquePointer?, _ body: (EditLine) -> CInt) -> UInt8 {
    UInt8(of(editor).map(body) ?? CC_ERROR)
  }

  /// The character that stands for a key that is more than one; no keyboard gives it.
  private static func character(of key: KeyReader.Key) -> UInt8 {
    switch key {
    case .paste: 0x80
    case .up: 0x81
    default: 0x82
    }
  }

  /// The key as `bind` writes it.
  private static func name(of key: KeyReader.Key) -> String {
    "\\" + String(character(of: key), radix: 8)
  }

  /// Puts the cursor back into the line, before libedit writes where it is.
  ///
  /// In vi's commands, "$" in an empty line leaves it before the line, and "N" that finds nothing
  /// behind it. Moving it makes libedit look where it may be.
  private func keepCursorInLine() {
    let place = el_cursor(editor, 0)
    if place == 0 { return }
    _ = el_cursor(editor, place < 0 ? 1 : -1)
    if place > 0 { _ = el_cursor(editor, place - el_cursor(editor, 0)) }
  }

  /// Gives libedit the next character: 1, or 0 at the end, or −1 after Ctrl-C.
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
        // A shell may say so twice.
        show("\r\u{1B}[J")
        _ = cedit_redraw(editor)
      case .reply(let reply):
        answers.take(reply)
      case .end:
        return 0
      }
    }
  }

  /// Whether Enter is pressed in an empty line that stands for something, which is shown first.
  private var takesEmptyLine: Bool {
    !emptyLine.isEmpty && !isSearching && before.isEmpty && text.isEmpty
  }

  private var isVi: Bool { String(cString: cedit_keys(editor)) == "vi" }

  /// Notes that a search begins; hints come back with the next line.
  ///
  /// Which keys of vi are commands only libedit knows: after escape, any may search.
  private func noteSearch(_ key: Unicode.Scalar) {
    if key == "\u{12}" || key == "\u{13}" || (key == "\u{1B}" && isVi) { isSearching = true }
  }
}

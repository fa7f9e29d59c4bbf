import ArgumentParser
import CommandLanguage
import Commands
import Foundation
import Handouts
import Ledgers
import LineEditing
import Tensors
import Transcripts

/// Options of all commands that run lines.
struct HostOptions: ParsableArguments {
  @Option(name: .customLong("let"), help: "Give a let of the session its value: NAME=VALUE.")
  var overrides: [String] = []

  @Option(help: "How many threads work at once (default: all cores). Results do not depend on it.")
  var threads: Int?

  @Flag(help: "Print one JSON object a line for each command, and nothing else.")
  var json = false

  func validate() throws {
    for text in overrides where !text.dropFirst().contains("=") {
      throw ValidationError("--let \(text): expected NAME=VALUE.")
    }
    if let threads, !(1...1024).contains(threads) {
      throw ValidationError("--threads \(threads): expected 1 to 1024.")
    }
  }

  var variables: [String: String] {
    Dictionary(
      overrides.compactMap { text in
        guard let sign = text.firstIndex(of: "=") else { return nil }
        return (String(text[..<sign]), String(text[text.index(after: sign)...]))
      }, uniquingKeysWith: { $1 })
  }
}

/// Runs commands for a person, a script or a replay: shows and records their output.
final class Host {
  let runner: CommandRunner<Workspace>
  var recorder = Recorder()
  /// The lines of the session, so that they can be edited.
  var lines = SessionLines()
  /// The session before each edit that `undo` can take back.
  var edits: [EditedSession] = []
  /// The number of the line that ran last.
  private(set) var lastLine = 0
  /// The files that the session may read and write now; lines from a file may do less than a
  /// person.
  var files: Files { runner.workspace.files }
  let isJSON: Bool
  /// Keeps every command on disk during a prompt.
  private lazy var recovery = Recovery(in: StateFolder.sessions)
  /// Whether the session is kept on disk until it is saved.
  var recovers = false
  /// Shows pictures in the terminal; nil when none are shown.
  private var display: TerminalDisplay?
  /// The rest of a long help that was not shown yet.
  var pages = Pages()
  /// Whether help is shown a screen at a time now.
  var showsPages: () -> Bool = { false }
  /// The file name before `LINE:` in errors; nil at the prompt.
  private var source: String?
  private let foreword: Foreword

  /// Makes a host.
  ///
  /// - Parameters:
  ///   - options: The options of the program.
  ///   - files: Where lines read and write.
  ///   - source: The name of the file whose lines run; nil for lines that a person types.
  ///   - shown: Takes the progress and the early warnings of commands; nil to show them here.
  init(
    _ options: HostOptions, files: Files, source: String?,
    progress shown: (@Sendable (ProgressUpdate) -> Void)? = nil
  ) {
    if let threads = options.threads { Parallelism.threads = threads }
    requireMemoryForBLAS()
    self.source = source
    isJSON = options.json
    let isJSON = options.json
    let progress = shown ?? { if !isJSON { Console.show($0) } }
    let foreword = Foreword()
    self.foreword = foreword
    runner = .session(
      files: files, overrides: options.variables,
      progress: { update in
        if let warning = update.warning, !isJSON, shown == nil {
          foreword.show(warning)
        } else {
          progress(update)
        }
      },
      interruption: Interrupts.interruption)
    runner.wantsEverything = isJSON
    Interrupts.install()
    runner.keepSession = { [unowned self] command, arguments in
      switch command {
      case .exportSession: try export(arguments)
      case .packSession: try pack(arguments)
      default: try save(arguments)
      }
    }
    runner.editSession = { [unowned self] in try edit($0) }
    runner.readSession = { [unowned self] in
      try SessionWithin(self.files, $0).lines(atPrompt: recovers)
    }
    runner.replaySession = { [unowned self] in
      try SessionWithin(self.files, $0).replay(progress: progress)
    }
  }

  /// The stamp of this session.
  var stamps: [Stamp] { Stamps.here(seed: runner.workspace.seed) }

  /// Shows a command in the form in which it is typed, before it runs, since it may take long.
  func echo(_ command: String) {
    if !isJSON { Console.print(command.asTyped) }
  }

  /// Records a command that was run, and shows its output.
  func take(_ execution: Execution) {
    record(execution, runner.workspace.takeTrace())
    show(execution)
  }

  /// Records a command that was run, with its changes.
  func record(_ execution: Execution, _ trace: Trace) {
    Console.clearProgress()
    lastLine = execution.line
    if takesEditBack(execution) { return }
    lines.add(execution, trace, to: &recorder)
    if recovers { keep(execution) }
  }

  /// Records notes for the reader.
  func note(_ text: String) {
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      recorder.add(note: String(line))
      lines.add(note: String(line), line: lastLine)
    }
    if recovers {
      keeping { () throws(SessionError) in try recovery.keepNotes(of: recorder, stamps: stamps) }
    }
  }

  /// Takes typed lines from now on, which are not lines of a file.
  func handOver() {
    source = nil
    recovers = !isJSON
    keepMoments()
  }

  /// Keeps the state before each line, so that what an edit does not reach need not run again.
  func keepMoments() {
    runner.keepsMoments = true
    runner.workspace.keepPastTrainings()
  }

  /// Shows the output of a command.
  func show(_ execution: Execution) {
    if isJSON { return Console.print(execution.json.text) }
    let shown = foreword.takeCount()
    switch execution.result {
    case .success(let outcome):
      let isHelp = [SessionCommand.help.spec, SessionCommand.apropos.spec].contains(execution.spec)
      if isHelp, showsPages() {
        return pages.begin(outcome.screen(columns: TerminalSize().columns).flatMap(\.rows))
      }
      show(outcome, after: shown)
      if let turns = outcome.turns { show(outcome.pictures, turns) }
      for remark in outcome.remarks { Console.error(VisibleText.visible(remark)) }
    case .failure(let error):
      for line in error.kept?.outcome.printedLines ?? [] { Console.print(line) }
      let place = source.map { "\($0):\(execution.line): " } ?? ""
      let isSeen = isatty(STDERR_FILENO) == 1
      let lines = error.rendered(columns: isSeen ? TerminalSize(of: STDERR_FILENO).columns : nil)
      for line in lines.dropLast() { Console.error(line) }
      Console.error(place + (lines.last ?? ""))
    }
  }

  /// Shows lines and pictures: at a terminal in rows that fit, elsewhere whole.
  ///
  /// The first `count` lines are warnings that were shown before the work began and are not
  /// repeated at a terminal.
  private func show(_ outcome: Outcome, after count: Int) {
    guard isatty(STDOUT_FILENO) == 1 else {
      for line in outcome.printedLines.dropFirst(count) { Console.print(line) }
      return
    }
    for part in outcome.screen(columns: TerminalSize().columns) {
      for row in part.rows { Console.print(row) }
      if let picture = part.picture, outcome.turns == nil { show(picture) }
    }
  }

  /// Shows pictures under their lines from now on, by the terminal's answers and `set pictures`.
  func showPictures(_ answers: @escaping () -> TerminalAnswers?) {
    let display = TerminalDisplay(answers: answers) { [unowned self] in runner.workspace.pictures }
    self.display = display
    runner.describeTerminal = { display.outcome }
  }

  /// Shows a picture under its line.
  private func show(_ picture: RecordedPicture) {
    guard let display, !Interrupts.interruption.isRequested, let path = place(of: picture) else {
      return
    }
    display.show(path)
  }

  /// Shows pictures in turn under their lines.
  private func show(_ pictures: [RecordedPicture], _ turns: Outcome.Turns) {
    display?.show(pictures.compactMap(place), turns) { Interrupts.interruption.isRequested }
  }

  private func place(of picture: RecordedPicture) -> String? {
    picture.place ?? (try? files.reading(picture.path))
  }

  /// Prints lines that are not the result of a command, unless only JSON is wanted.
  func say(_ lines: [String]) {
    guard !isJSON else { return }
    let columns = isatty(STDOUT_FILENO) == 1 ? TerminalSize().columns : .max
    for line in lines {
      // Lines to be typed are not wrapped.
      let rows = line.hasPrefix("  ") ? [line] : TextWrapping.rows(of: line, columns: columns)
      for row in rows { Console.print(row) }
    }
  }

  /// Shows the result of a replay.
  func show(_ report: ReplayReport, file: String) {
    if isJSON { return Console.print(report.json.text) }
    for line in report.lines(file: file) { Console.print(line) }
  }

  /// Warns of values from outside that no `let` asked for.
  func warnOfUnusedVariables() {
    for name in runner.unusedOverrides {
      Console.error("warning: --let \(name)=…: the session has no 'let \(name)'")
    }
  }

  /// Keeps a command on disk, so that an unsaved session can be recovered; reports the first
  /// failure.
  private func keep(_ execution: Execution) {
    keeping { () throws(SessionError) in
      try recovery.keep(
        recorder, after: execution, picturesFrom: files.output.path, stamps: stamps)
    }
  }

  /// Writes the kept session anew, since its lines are others now.
  func keepEdit() {
    guard recovers else { return }
    recovery.beginAnew()
    keeping { () throws(SessionError) in try recovery.keepNotes(of: recorder, stamps: stamps) }
  }

  private func keeping(_ body: () throws(SessionError) -> Void) {
    do throws(SessionError) {
      try body()
    } catch {
      recovers = false
      Console.error("warning: this session is not kept until you save it: \(error)")
    }
  }

  /// Flushes the kept session to the disk, while the program is idle.
  func settle() { if recovers { recovery.settle() } }

  /// Ends the keeping; returns the file with unsaved work, or nil.
  func endRecovery() -> String? {
    guard recovers else { return nil }
    recovery.end()
    return recovery.holdsWork ? recovery.paths.file : nil
  }

  private func save(_ arguments: Arguments) throws -> Outcome {
    let name = SessionPaths(named: try arguments.path("name")).file
    let replacing: Replacing = arguments.flagIfGiven("replace") == true ? .all : .own
    let includingErrors = try arguments.flag("errors")
    let place = try arguments.blaming("name") { () throws(CommandError) in
      try saveTranscript(name, in: files, replacing, includingErrors: includingErrors)
    }
    if recovers { recovery.discard() }
    var outcome = Outcome("saved  \(file: name, at: place)")
    outcome.add(file: name, at: place)
    return outcome
  }

  /// Writes the session so far as a pack.
  private func pack(_ arguments: Arguments) throws -> Outcome {
    let file = try arguments.path("file")
    guard file.lowercased().hasSuffix(".zip") else {
      throw arguments.error(
        at: "file", .wrongValue, "a pack is written as .zip", hint: "\(file).zip")
    }
    let pack = try packed(as: file, arguments).encoded()
    let place = try arguments.write(pack, to: file, in: files)
    var outcome = Outcome("packed  \(file: file, at: place)")
    outcome.add(file: file, at: place)
    return outcome
  }

  /// Writes the session so far, or a saved one, as a page.
  private func export(_ arguments: Arguments) throws -> Outcome {
    let file = try arguments.path("file")
    guard let form = HandoutForm(file: file) else {
      throw arguments.error(
        at: "file", .wrongValue, "a page is written as .html, .md or .ipynb", hint: "\(file).html")
    }
    let session = try arguments.blaming("session") { () throws(CommandError) in
      try arguments.pathIfGiven("session").map { path throws(CommandError) in
        try files.readingSession(path)
      }
    }
    let handout = try Handout(
      session.map { path in try SessionPack(at: path) } ?? packed(as: file, arguments),
      for: Handout.Audience(rawValue: try arguments.choice("for")) ?? .everybody,
      commands: runner.commands.map(\.spec))
    let pages = handout.files(form, named: file)
    let places = try arguments.blaming("file") { () throws(CommandError) in
      try files.write(pages.map { Files.Item(path: $0.path, data: $0.data) }, arguments.replacing)
    }
    var outcome = Outcome()
    for (page, place) in zip(pages, places) { outcome.add(file: page.path, at: place) }
    outcome.say("exported  \(file: file, at: places.first)  \(handout.facts)")
    outcome.warnings = handout.warnings
    return outcome
  }

  /// The session so far with its pictures, named after the file to be made from it.
  private func packed(
    as file: String, _ arguments: Arguments
  ) throws(CommandError) -> SessionPack {
    let disk = FileManager.default.temporaryDirectory
    let folder = disk.appending(path: "backflow-pack-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    let name = URL(filePath: file).deletingPathExtension().lastPathComponent
    let paths = SessionPaths(named: folder.appending(path: name).path)
    do {
      try FileManager.default.createDirectory(
        at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
      try recorder.save(to: paths, picturesFrom: files.output.path, stamps: stamps)
    } catch {
      // The person knows nothing of the folder.
      let reason = (error as? SessionError)?.message
      throw arguments.error(
        at: "file", .file,
        "\(file) \(reason ?? "cannot be written: \(SystemReason.words(error))")",
        hint: "make room on the disk of \(disk.path), where its parts are gathered, or set TMPDIR "
          + "to a folder with more")
    }
    do throws(SessionError) {
      return try SessionPack(collecting: paths)
    } catch {
      throw arguments.error(at: "file", .file, "\(file) \(error.message)")
    }
  }
}

extension Host {
  /// Writes the session so far with its pictures, ledger and curves, all or nothing.
  ///
  /// - Parameters:
  ///   - name: The session file.
  ///   - files: The files of the session that writes.
  ///   - replacing: Which existing files may be replaced; of pictures, only those of a session that
  ///     was saved under this name.
  ///   - includingErrors: Whether failed commands are written.
  /// - Returns: Where the session file is.
  /// - Throws: `CommandError`; then nothing has changed.
  func saveTranscript(
    _ name: String, in files: Files, _ replacing: Replacing, includingErrors: Bool = false
  ) throws(CommandError) -> String {
    let place = try files.writing(name)
    let paths = SessionPaths(file: place)
    let old = paths.recordedPictures.map { "\(paths.pictures)/\($0)" }
    let own = Set([paths.file, paths.ledger, paths.curves] + old)
    let folder = name.dropLast(paths.name.count + ".session".count)
    func typed(_ place: String) -> String {
      "\(folder)\(place.dropFirst(paths.folder.count + 1))"
    }
    // The file that the person named is checked first, so that an error is about that.
    try files.requireFree(name, replacing)
    do {
      let staged = try recorder.staged(
        as: paths, picturesFrom: self.files.output.path, stamps: stamps,
        includingErrors: includingErrors)
      try files.commit(staged, naming: typed) { place in
        replacing != .all || own.contains(place) ? replacing : .own
      }
    } catch let error as SessionError {
      throw CommandError(
        .file, "\(error)".replacing(paths.folder + "/", with: folder),
        hint: "choose another place, or make room")
    } catch {
      var failure = commandError(error)
      if failure.code == .exists, replacing == .all {
        failure.hint = "give the session another name: files of others stay"
      }
      throw failure
    }
    return place
  }
}

extension String {
  /// The command with `> ` before each of its lines, as in a transcript.
  fileprivate var asTyped: String {
    split(separator: "\n", omittingEmptySubsequences: false).map { "> \($0)" }
      .joined(separator: "\n")
  }
}

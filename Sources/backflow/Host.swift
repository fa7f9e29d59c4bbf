import ArgumentParser
import CommandLanguage
import Commands
import Foundation
import Handouts
import Ledgers
import LineEditing
import Tensors
import Transcripts

/// Options of everything that runs commands.
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

/// Runs commands for a person, a script or a replay: shows what comes back, and records it.
final class Host {
  let runner: CommandRunner<Workspace>
  private(set) var recorder = Recorder()
  /// The number of the line that ran last.
  private(set) var lastLine = 0
  private let files: Files
  let isJSON: Bool
  /// Keeps every command on disk while somebody types.
  private lazy var recovery = Recovery(in: StateFolder.sessions)
  /// Whether what is shown is kept until it is saved.
  var recovers = false
  /// Shows pictures, when somebody sees them.
  private var display: TerminalDisplay?
  /// What stands before `LINE:` in errors; none at the prompt.
  private let source: String?
  private let foreword: Foreword

  init(_ options: HostOptions, files: Files, source: String?) {
    if let threads = options.threads { Parallelism.threads = threads }
    requireMemoryForBLAS()
    self.files = files
    self.source = source
    isJSON = options.json
    let isJSON = options.json
    let progress: @Sendable (ProgressUpdate) -> Void = { if !isJSON { Console.show($0) } }
    let foreword = Foreword()
    self.foreword = foreword
    runner = .session(
      files: files, overrides: options.variables,
      progress: { update in
        if let warning = update.warning, !isJSON {
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
    runner.readSession = { try SessionWithin(files, $0).lines() }
    runner.replaySession = { try SessionWithin(files, $0).replay(progress: progress) }
  }

  /// The stamp of this session.
  var stamps: [Stamp] { Stamps.here(seed: runner.workspace.seed) }

  /// Shows a command as it would be typed, before it runs, since it may take long.
  func echo(_ command: String) {
    if !isJSON { Console.print(command.asTyped) }
  }

  /// Records a command that was run, and shows what it gave back.
  func take(_ execution: Execution) {
    record(execution, runner.workspace.takeTrace())
    show(execution)
  }

  /// Records a command that was run, and what it changed.
  func record(_ execution: Execution, _ trace: Trace) {
    Console.clearProgress()
    recorder.add(execution, trace)
    lastLine = execution.line
    if recovers { keep(execution) }
  }

  /// Shows what a command gave back.
  func show(_ execution: Execution) {
    if isJSON { return Console.print(execution.json.text) }
    let shown = foreword.takeCount()
    switch execution.result {
    case .success(let outcome):
      for line in outcome.typedLines.dropFirst(shown) {
        Console.print(line.text)
        if case .picture(let picture) = line, outcome.turns == nil { show(picture) }
      }
      if let turns = outcome.turns { show(outcome.pictures, turns) }
      for remark in outcome.remarks { Console.error(VisibleText.visible(remark)) }
    case .failure(let error):
      let place = source.map { "\($0):\(execution.line): " } ?? ""
      let lines = error.rendered
      for line in lines.dropLast() { Console.error(line) }
      Console.error(place + (lines.last ?? ""))
    }
  }

  /// Shows pictures under their lines from now on, as the terminal's answers and `set pictures` say.
  func showPictures(_ answers: @escaping () -> TerminalAnswers?) {
    let display = TerminalDisplay(answers: answers) { [unowned self] in runner.workspace.pictures }
    self.display = display
    runner.describeTerminal = { display.outcome }
  }

  /// Shows a picture under its line.
  private func show(_ picture: CommandLanguage.Picture) {
    guard let display, let path = try? files.reading(picture.path) else { return }
    display.show(path)
  }

  /// Shows pictures in turn under their lines.
  private func show(_ pictures: [CommandLanguage.Picture], _ turns: Outcome.Turns) {
    let paths = pictures.compactMap { try? files.reading($0.path) }
    display?.show(paths, turns) { Interrupts.interruption.isRequested }
  }

  /// Prints lines that are no command's result, unless only JSON is wanted.
  func say(_ lines: [String]) {
    if !isJSON { for line in lines { Console.print(line) } }
  }

  /// The last line of a replay.
  func show(_ report: ReplayReport, file: String) {
    if isJSON { return Console.print(report.json.text) }
    for line in report.lines(file: file) { Console.print(line) }
  }

  /// Warns of values from outside that nothing asked for.
  func warnOfUnusedVariables() {
    for name in runner.unusedOverrides {
      Console.error("warning: --let \(name)=…: the session has no 'let \(name)'")
    }
  }

  /// Keeps a command in the session that can be got back; says once if that fails.
  private func keep(_ execution: Execution) {
    do throws(SessionError) {
      try recovery.keep(
        recorder, after: execution, picturesFrom: files.output.path, stamps: stamps)
    } catch {
      recovers = false
      Console.error("warning: this session is not kept until you save it: \(error)")
    }
  }

  /// Ends the keeping; answers with the file that holds what was not saved.
  func endRecovery() -> String? {
    guard recovers else { return nil }
    recovery.end()
    return recovery.holdsWork ? recovery.paths.file : nil
  }

  private func save(_ arguments: Arguments) throws -> Outcome {
    let name = SessionPaths(named: try arguments.path("name"))
    let place = try arguments.blaming("name") { () throws(CommandError) in
      try files.writing(name.file)
    }
    _ = try saveTranscript(place, includingErrors: try arguments.flag("errors"))
    if recovers { recovery.discard() }
    var outcome = Outcome(OutputLine("saved  \(name.file)"))
    outcome.add(file: name.file)
    return outcome
  }

  /// Writes the session so far as one file.
  private func pack(_ arguments: Arguments) throws -> Outcome {
    let file = try arguments.path("file")
    guard file.lowercased().hasSuffix(".zip") else {
      throw arguments.error(
        at: "file", .wrongValue, "a pack is written as .zip", hint: "\(file).zip")
    }
    let pack = try packed(as: file).encoded()
    try arguments.blaming("file") { () throws(CommandError) in try files.write(pack, to: file) }
    var outcome = Outcome(OutputLine("packed  \(file)"))
    outcome.add(file: file)
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
        try files.reading(path)
      }
    }
    let handout = try Handout(
      session.map { path in try SessionPack(at: path) } ?? packed(as: file))
    var outcome = Outcome()
    for page in handout.files(form, named: file, commands: runner.commands.map(\.spec)) {
      try arguments.blaming("file") { () throws(CommandError) in
        try files.write(page.data, to: page.path)
      }
      outcome.add(file: page.path)
    }
    outcome.say("exported  \(file)  \(handout.facts)")
    outcome.warnings = handout.warnings
    return outcome
  }

  /// The session so far with its pictures, under the name of a file that is made of it.
  private func packed(as file: String) throws -> SessionPack {
    let folder = FileManager.default.temporaryDirectory
      .appending(path: "backflow-pack-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    try FileManager.default.createDirectory(
      at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    let name = URL(filePath: file).deletingPathExtension().lastPathComponent
    let session = try saveTranscript(SessionPaths(named: folder.appending(path: name).path).file)
    return try SessionPack(collecting: SessionPaths(file: session))
  }
}

extension Host {
  /// Writes the session so far, with its pictures and ledger; answers with its path.
  func saveTranscript(
    _ file: String, includingErrors: Bool = false
  ) throws(SessionError) -> String {
    let paths = SessionPaths(file: file)
    try paths.makeFolder()
    try recorder.save(
      to: paths, picturesFrom: files.output.path, stamps: stamps,
      includingErrors: includingErrors)
    return file
  }
}

extension String {
  /// The command as a transcript shows it, with `> ` before each of its lines.
  fileprivate var asTyped: String {
    split(separator: "\n", omittingEmptySubsequences: false).map { "> \($0)" }
      .joined(separator: "\n")
  }
}

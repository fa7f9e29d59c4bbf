import ArgumentParser
import CommandLanguage
import Commands
import Foundation
import Ledgers
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
  /// What stands before `LINE:` in errors; none at the prompt.
  private let source: String?

  init(_ options: HostOptions, files: Files, source: String?) {
    if let threads = options.threads { Parallelism.threads = threads }
    self.files = files
    self.source = source
    isJSON = options.json
    let isJSON = options.json
    runner = .session(
      files: files, overrides: options.variables,
      progress: { update in if !isJSON { Console.show(update) } },
      interruption: Interrupts.interruption)
    runner.wantsEverything = isJSON
    Interrupts.install()
    runner.saveSession = { [unowned self] arguments in try save(arguments) }
    runner.readSession = { try SessionWithin(files, $0).lines() }
    runner.replaySession = { try SessionWithin(files, $0).replay() }
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
    recorder.add(execution, trace)
    lastLine = execution.line
    if recovers { keep(execution) }
  }

  /// Shows what a command gave back.
  func show(_ execution: Execution) {
    if isJSON { return Console.print(execution.json.text) }
    switch execution.result {
    case .success(let outcome):
      for line in outcome.lines { Console.print(line) }
      for remark in outcome.remarks { Console.error(VisibleText.visible(remark)) }
    case .failure(let error):
      let place = source.map { "\($0):\(execution.line): " } ?? ""
      let lines = error.rendered
      for line in lines.dropLast() { Console.error(line) }
      Console.error(place + (lines.last ?? ""))
    }
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

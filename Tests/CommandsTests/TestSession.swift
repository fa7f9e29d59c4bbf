import CommandLanguage
import Commands
import Foundation
import TestSupport
import Transcripts

/// A session in a temporary folder of its own, which goes when it ends.
final class TestSession {
  let folder: URL
  let runner: CommandRunner<Workspace>
  private var recorder = Recorder()
  private var line = 0

  /// Begins a session whose relative paths are also read from `sessionFolder`.
  init(sessionFolder: URL? = nil, variables: [String: String] = [:]) {
    folder = FileManager.default.temporaryDirectory
      .appending(path: "backflow-\(UUID().uuidString)")
    runner = .session(
      files: Files(script: folder, session: sessionFolder), overrides: variables)
    runner.keepSession = { [unowned self] command, arguments in
      // Pages and packs are the program's; its own tests make them.
      guard command == .saveSession else { return Outcome() }
      let name = SessionPaths(named: try arguments.path("name")).file
      let paths = SessionPaths(file: try runner.workspace.files.writing(name))
      try recorder.save(to: paths, picturesFrom: folder.path, stamps: [])
      return Outcome()
    }
    // Lines are edited by the program; its own tests do.
    runner.editSession = { _ in Outcome() }
    runner.readSession = { [unowned self] arguments in
      let paths = try sessionFile(arguments)
      return try SessionFile(path: paths.file).asLines(called: paths.name)
    }
    runner.replaySession = { [unowned self] arguments in
      var outcome = Outcome()
      let report = try Replayer.replayInTemporaryFolder(
        try sessionFile(arguments).file, stamps: []
      ) { output in
        CommandRunner.session(files: Files(script: URL(filePath: output), session: folder))
      }
      for line in report.lines(file: "session") { outcome.say(OutputLine(line)) }
      return outcome
    }
  }

  /// The session file that `run` or `replay` names.
  private func sessionFile(_ arguments: Arguments) throws -> SessionPaths {
    let name = SessionPaths(named: try arguments.path("file")).file
    return SessionPaths(file: try runner.workspace.files.reading(name))
  }

  deinit {
    try? FileManager.default.removeItem(at: folder)
  }

  /// Runs a line; throws its error.
  @discardableResult
  func run(_ text: String) throws -> Outcome {
    line += 1
    guard let execution = runner.run(text, line: line) else { return Outcome() }
    recorder.add(execution)
    return try execution.result.get()
  }

  /// Runs lines; throws the first error.
  func run(lines: [String]) throws {
    for line in lines { try run(line) }
  }

  /// The result of a line at a path such as `noisy.psnr`.
  func number(_ text: String, _ path: String) throws -> Double {
    guard let number = try run(text).result.value(at: path)?.numeric else {
      throw MissingResult(command: text, path: path)
    }
    return number
  }

  /// The variables of `let`, as `NAME=VALUE`.
  var variables: [String] {
    runner.variables.values { _ in true }.map { "\($0.name)=\($0.value)" }
  }

  /// The SHA-256 of a tensor.
  func fingerprint(_ name: String) throws -> String {
    guard case .string(let text)? = try run("stats \(name)").result["sha256"] else { return "" }
    return text
  }
}

/// A command whose result lacks what a test asked for.
private struct MissingResult: Error {
  let command: String
  let path: String
}

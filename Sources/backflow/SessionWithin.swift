import CommandLanguage
import Commands
import Foundation
import Transcripts

/// A session file that a command names: `run FILE`, `replay FILE`.
struct SessionWithin {
  private let arguments: Arguments
  private let files: Files
  private let paths: SessionPaths
  private let session: SessionFile

  /// Reads the file, with or without `.session` in its name.
  init(_ files: Files, _ arguments: Arguments) throws(CommandError) {
    let name = try arguments.path("file")
    let place = try arguments.blaming("file") { () throws(CommandError) in
      try files.readingSession(name)
    }
    (self.files, self.arguments) = (files, arguments)
    do throws(SessionError) {
      paths =
        SessionPack.isPack(place)
        ? try SessionPack(reading: place).unpack(into: files.output.appending(path: "packed").path)
        : SessionPaths(file: place)
      session = try SessionFile(path: paths.file)
    } catch {
      throw arguments.error(
        at: "file", .file, "\(name)\(error.line.map { ":\($0)" } ?? ""): \(error.message)",
        hint: "name a file of 'session save', a pack or a script",
        status: .badInput)
    }
  }

  /// Returns the lines, to be run as if they were typed.
  ///
  /// At a prompt, a recovered session continues: its lines become lines of the new one, whose
  /// record must not need a file that is deleted later.
  func lines(atPrompt: Bool = false) -> Outcome {
    guard atPrompt, paths.folder == StateFolder.sessions.path else {
      return session.asLines(called: paths.name)
    }
    var outcome = Outcome()
    outcome.plays = session.lines
    return outcome
  }

  /// Replays the session in a workspace of its own.
  func replay(progress: @escaping @Sendable (ProgressUpdate) -> Void) throws -> Outcome {
    let output = files.output.appending(path: "replay-\(paths.name)")
    let inner = Files(script: output, session: URL(filePath: paths.folder))
    let runner = CommandRunner.session(
      files: inner, progress: progress, interruption: Interrupts.interruption)
    // A session that replays itself would never end; running other sessions is allowed.
    runner.readSession = { try SessionWithin(inner, $0).lines() }
    let replayer = Replayer(
      paths: paths, outputFolder: output.path, stamps: Stamps.here(seed: runner.workspace.seed),
      pictures: .png(differencesIn: inner))
    let report = try replayer.replay(on: runner, trace: { runner.workspace.takeTrace() })
    if report.ending == .interrupted {
      throw arguments.error(
        "interrupted", "the replay was interrupted", hint: "type the line again to run it",
        status: .interrupted)
    }
    var outcome = Outcome()
    for line in report.lines(file: paths.file) { outcome.say(OutputLine(line)) }
    outcome.result = report.json
    return outcome
  }
}

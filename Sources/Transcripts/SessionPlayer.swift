package import CommandLanguage

/// Runs the commands of a session one after the other.
package struct SessionPlayer {
  /// The reason why a session ended.
  package enum Ending: Hashable, Sendable {
    /// Every command ran, or the session said `quit`.
    case finished
    /// The next command was at the line to stop at.
    case reachedLine
    /// A command failed, with this exit status.
    case failed(ExitStatus)
    /// A person interrupted a command.
    case interrupted
    /// The `watch` function ended the session.
    case stopped
  }

  /// The line to stop at: commands from there on do not run; nil to run all.
  package var stopLine: Int?
  /// Whether to go on after a command that failed.
  package var keepsGoing: Bool

  package init(stopLine: Int? = nil, keepsGoing: Bool = false) {
    self.stopLine = stopLine
    self.keepsGoing = keepsGoing
  }

  /// Runs the commands of a session; calls `note` with each note for the reader, `announce` before
  /// each command, and `watch` after it, which returns whether to go on.
  package func play(
    _ session: SessionFile, on runner: any LineRunner,
    note: (_ text: String) -> Void = { _ in },
    announce: (_ entry: SessionFile.Entry) -> Void = { _ in },
    watch: (_ entry: SessionFile.Entry, _ execution: Execution) throws -> Bool
  ) rethrows -> Ending {
    var failure: ExitStatus?
    let stopLine = stopLine ?? .max
    for part in session.parts {
      guard case .entry(let entry) = part else {
        if case .note(let text, let line) = part, line < stopLine { note(text) }
        continue
      }
      if entry.line >= stopLine { return .reachedLine }
      announce(entry)
      guard let execution = runner.run(entry.command, line: entry.line) else { continue }
      guard try watch(entry, execution) else { return .stopped }
      if let error = execution.error {
        guard error.status != .interrupted else { return .interrupted }
        failure = failure ?? error.status
        guard keepsGoing else { return .failed(error.status) }
      }
      if execution.outcome?.wasInterrupted == true { return .interrupted }
      if execution.outcome?.quits == true { break }
    }
    return failure.map { .failed($0) } ?? .finished
  }
}

package import CommandLanguage
package import Ledgers

extension CommandRunner where Workspace == Commands.Workspace {
  /// A runner of all commands on an empty workspace.
  ///
  /// - Parameters:
  ///   - files: Where the session reads and writes.
  ///   - commands: What lines may say; the whole table, or with commands of others.
  ///   - overrides: Values from outside that replace those of `let`.
  ///   - progress: Shows the progress of a command.
  ///   - interruption: Tells a command to stop.
  /// - Returns: The runner; it keeps what a ledger asks for.
  package static func session(
    files: Files, commands: [Command<Workspace>] = commandTable,
    overrides: [String: String] = [:],
    progress: @escaping @Sendable (ProgressUpdate) -> Void = { _ in },
    interruption: Interruption = Interruption()
  ) -> CommandRunner {
    let runner = CommandRunner(
      commands: commands, topics: helpTopics,
      workspace: Workspace(files: files, commands: commands),
      overrides: overrides, progress: progress, interruption: interruption,
      describe: commandError)
    runner.undoRules = .workspace
    runner.enterScript = { workspace in
      let files = workspace.files
      let confined = files.asScript
      workspace.files = confined
      return { workspace in
        guard !files.isConfined else { return }
        let limit = workspace.files.disk.limit
        workspace.files = files
        // A limit that the file lowered stays.
        if limit != confined.disk.limit { _ = workspace.files.disk.setLimit(limit) }
      }
    }
    runner.workspace.startTracing()
    return runner
  }
}

extension Trace {
  /// The changes made by the last command of a runner; empty if it has no workspace of Backflow.
  package static func taken(from runner: any LineRunner) -> Trace {
    (runner as? CommandRunner<Workspace>)?.workspace.takeTrace() ?? Trace()
  }
}

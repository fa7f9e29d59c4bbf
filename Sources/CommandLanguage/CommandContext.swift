import Synchronization

/// A wish to stop, set by a signal handler and read by a long command after each step.
package final class Interruption: Sendable {
  /// That of the command that runs on this thread; nil where nothing can be interrupted, or where a
  /// command sees to it itself.
  @TaskLocal package static var ofCommand: Interruption?

  private let count = Atomic<Int>(0)

  package init() {}

  /// Notes one more wish to stop.
  package func request() { count.add(1, ordering: .relaxed) }

  /// Forgets earlier wishes, before the next command.
  package func reset() { count.store(0, ordering: .relaxed) }

  /// Whether somebody asked to stop.
  package var isRequested: Bool { requests > 0 }

  /// How often somebody asked: once to stop after the step, twice to drop the step.
  package var requests: Int { count.load(ordering: .relaxed) }
}

extension CommandError {
  /// What a command throws that was asked to stop and has nothing to keep.
  package static var interrupted: CommandError {
    CommandError(
      "interrupted", "interrupted; all is as before", hint: "type the line again to run it",
      status: .interrupted)
  }
}

/// How far a long command is; shown at a terminal, never recorded.
package struct ProgressUpdate: Sendable {
  /// What is being done.
  package let text: String
  /// The part that is done, from 0 to 1, when it is known.
  package let fraction: Double?
  /// How many things are done, and what they are, for a rate.
  package let count: Int?
  package let things: String
  /// Numbers whose course is drawn, the oldest first.
  package let trend: [Double]
  /// What is said at the end, if there is room.
  package let note: String?
  /// A warning that is shown at once, and stays; the outcome's ``Outcome/foreword`` holds it, too.
  package var warning: String?

  package init(
    _ text: String, fraction: Double? = nil, count: Int? = nil, things: String = "",
    trend: [Double] = [], note: String? = nil
  ) {
    (self.text, self.fraction, self.note) = (text, fraction, note)
    (self.count, self.things) = (count, things)
    self.trend = trend
  }
}

extension ProgressUpdate {
  /// A warning that is known before the work begins.
  package init(warning: String) {
    self.init("")
    self.warning = warning
  }
}

/// What surrounds a command while it runs.
package struct CommandContext: Sendable {
  /// The line of the file, or of the session at the prompt.
  package let line: Int
  /// The variables of `let`.
  package let variables: Variables
  /// The last result of each command, by the command's name.
  package let results: [String: JSONValue]
  /// Shows progress.
  package let progress: @Sendable (ProgressUpdate) -> Void
  /// Says whether to stop.
  package let interruption: Interruption
  /// Whether results are read by a program, which gets what costs time without asking.
  package let wantsEverything: Bool

  package init(
    line: Int = 1, variables: Variables = Variables(), results: [String: JSONValue] = [:],
    progress: @escaping @Sendable (ProgressUpdate) -> Void = { _ in },
    interruption: Interruption = Interruption(), wantsEverything: Bool = false
  ) {
    self.wantsEverything = wantsEverything
    self.line = line
    self.variables = variables
    self.results = results
    self.progress = progress
    self.interruption = interruption
  }

  /// Whether somebody asked to stop, for work that asks from several threads.
  package var shouldStop: @Sendable () -> Bool { { [interruption] in interruption.isRequested } }

  /// Throws when somebody asked to stop a command that has nothing to keep.
  package func stopIfInterrupted() throws(CommandError) {
    if interruption.isRequested { throw .interrupted }
  }

  /// The number that `COMMAND.field` names in the last result of a command.
  package func result(at path: String) -> JSONValue? {
    let parts = path.split(separator: ".", maxSplits: 1)
    guard parts.count == 2 else { return nil }
    return results[parts[0].lowercased()]?.value(at: String(parts[1]))
  }
}

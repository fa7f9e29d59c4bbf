import Synchronization

/// A request to stop, set by a signal handler and read by a long command after each step.
package final class Interruption: Sendable {
  /// The interruption of the command that runs on this thread; nil where nothing can be
  /// interrupted, or where a command handles it itself.
  @TaskLocal package static var ofCommand: Interruption?

  private let count = Atomic<Int>(0)
  private let steps = Atomic<Bool>(false)

  package init() {}

  /// Whether the command works in steps, of which a second request drops the present one.
  package var dropsStep: Bool {
    get { steps.load(ordering: .relaxed) }
    set { steps.store(newValue, ordering: .relaxed) }
  }

  /// Counts one more request to stop.
  package func request() { count.add(1, ordering: .relaxed) }

  /// Forgets earlier requests, before the next command.
  package func reset() { count.store(0, ordering: .relaxed) }

  /// Whether the command was asked to stop.
  package var isRequested: Bool { requests > 0 }

  /// The number of requests: one to stop after the step, two to drop the step.
  package var requests: Int { count.load(ordering: .relaxed) }
}

extension CommandError {
  /// The error of a command that was interrupted and has no partial result.
  package static var interrupted: CommandError {
    CommandError(
      "interrupted", "interrupted; all is as before", hint: "type the line again to run it",
      status: .interrupted)
  }
}

/// The progress of a long command; shown at a terminal, never recorded.
package struct ProgressUpdate: Sendable {
  /// A text that says which part of the work is done.
  package let text: String
  /// The fraction of the work that is done, from 0 to 1; nil if unknown.
  package let fraction: Double?
  /// The number of things that are done, from which the rate is computed, and their name.
  package let count: Int?
  package let things: String
  /// The values of a sparkline, the oldest first.
  package let trend: [Double]
  /// A remark at the end of the line, shown if there is room.
  package let note: String?
  /// A warning that is shown at once, and stays; ``Outcome/foreword`` holds it, too.
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
  /// An update with a warning that is known before the work begins.
  package init(warning: String) {
    self.init("")
    self.warning = warning
  }
}

/// The surroundings of a command while it runs: line, variables, results, progress.
package struct CommandContext: Sendable {
  /// The number of the line in the file, or in the session at the prompt.
  package let line: Int
  /// The variables of `let`.
  package let variables: Variables
  /// The last result of each command, by the command's name.
  package let results: [String: JSONValue]
  /// Shows an update of the progress.
  package let progress: @Sendable (ProgressUpdate) -> Void
  /// The request to stop, which the command reads.
  package let interruption: Interruption
  /// Whether a program reads the results, so that slow parts are computed without being asked for.
  package let wantsEverything: Bool

  package init(
    line: Int = 1, variables: Variables = Variables(), results: [String: JSONValue] = [:],
    progress: @escaping @Sendable (ProgressUpdate) -> Void = { _ in },
    interruption: Interruption = Interruption(), wantsEverything: Bool = false
  ) {
    (self.wantsEverything, self.line, self.variables) = (wantsEverything, line, variables)
    (self.results, self.progress, self.interruption) = (results, progress, interruption)
  }

  /// A function that tells whether the command was asked to stop, for work on several threads.
  package var shouldStop: @Sendable () -> Bool { { [interruption] in interruption.isRequested } }

  /// Throws ``CommandError/interrupted`` if the command was asked to stop.
  package func stopIfInterrupted() throws(CommandError) {
    if interruption.isRequested { throw .interrupted }
  }

  /// The value that `COMMAND.field` names in the last result of a command; nil if there is none.
  package func result(at path: String) -> JSONValue? {
    let parts = path.split(separator: ".", maxSplits: 1)
    guard parts.count == 2 else { return nil }
    return results[parts[0].lowercased()]?.value(at: String(parts[1]))
  }
}

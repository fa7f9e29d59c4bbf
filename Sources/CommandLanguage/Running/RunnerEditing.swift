/// Lines that run again, for `edit`.
extension CommandRunner {
  /// A line of the session that ran.
  package struct Line: Hashable, Sendable {
    package let number: Int
    /// The command, which does exactly the work that is recorded.
    package let text: String

    package init(_ number: Int, _ text: String) { (self.number, self.text) = (number, text) }
  }

  /// Keeps the state before a line.
  func keepMoment(before text: String, line: Int) {
    guard editSession != nil else { return }
    if keepsMoments {
      moments.add(moment(before: text), before: line, undoRules)
    } else if moments.first == nil {
      moments.begin(moment(before: text))
    }
  }

  /// Everything that an edit changes in the runner.
  package struct Past {
    let moments: LineMoments<Workspace>
    let history: [(line: Int, text: String)]
  }

  /// The past, to which ``comeBack(to:)`` returns.
  package var past: Past { Past(moments: moments, history: history) }

  /// Makes a past the present one again; the state itself comes back by `undo`.
  package func comeBack(to past: Past) { (moments, history) = (past.moments, past.history) }

  /// Lists lines in the history as an edit has numbered them.
  package func renumberHistory(by lines: [(line: Int, text: String)]) { history = lines }

  /// Whether the state before a line is known.
  package func knowsMoment(before line: Int) -> Bool { moments.before(line) != nil }

  /// Runs lines one after the other from the state before the first of them.
  ///
  /// - Parameters:
  ///   - lines: The lines.
  ///   - start: The line before which the state is that to begin with; nil for that of the beginning.
  ///   - prepare: Prepares the workspace.
  ///   - each: Takes each command with its outcome, while the workspace is as after it.
  /// - Throws: The error of the first line that fails; then all is as before.
  package func runAgain(
    _ lines: [Line], from start: Int?, prepare: (inout Workspace) -> Void,
    each: (Execution) -> Void
  ) throws(CommandError) {
    let (before, outer, kept) = (moment(before: ""), undoLog, past)
    guard let first = start.map(moments.before) ?? moments.first else { return }
    restore(first)
    prepare(&workspace)
    moments.removeAll(from: start ?? .min)
    undoLog = outer.emptied
    defer {
      undoLog = outer
      history = kept.history
    }
    for line in lines {
      let execution = run(line.text, line: line.number)
      guard let execution else { continue }
      if execution.error != nil, execution.error?.kept == nil || interruption.isRequested {
        restore(before)
        comeBack(to: kept)
        throw failure(of: execution, line)
      }
      each(execution)
    }
  }

  func failure(of execution: Execution, _ line: Line) -> CommandError {
    var error = execution.error ?? .interrupted
    if error.status != .interrupted {
      error.message = "line \(line.number) would fail: \(error.message)"
    }
    error.kept = nil
    return error
  }
}

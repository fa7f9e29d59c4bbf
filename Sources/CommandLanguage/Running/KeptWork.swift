/// The work of a failed command that stays, such as updates of a training.
package struct KeptWork: Equatable, Sendable {
  /// The command to record, which does this work and no more.
  package let command: String
  /// The outcome of that command.
  package let outcome: Outcome

  package init(_ command: String, _ outcome: Outcome) {
    (self.command, self.outcome) = (command, outcome)
  }

  package static func == (a: KeptWork, b: KeptWork) -> Bool {
    a.command == b.command && a.outcome.lines == b.outcome.lines
  }
}

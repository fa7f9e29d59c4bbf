/// The part of a failed command that was done and stays.
package struct KeptWork: Equatable, Sendable {
  /// The command that does this part and no more, as it is recorded.
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

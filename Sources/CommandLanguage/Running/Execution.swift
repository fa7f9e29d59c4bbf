/// The record of one command that was run: its text and its result.
package struct Execution: Sendable {
  /// The number of the line in the file, or in the session at the prompt.
  package let line: Int
  /// The command as typed, with its line breaks.
  package let text: String
  /// The table entry, unless the name was unknown.
  package let spec: CommandSpec?
  /// The time that the command took, in seconds.
  package let seconds: Double
  /// The outcome of the command, or its error.
  package let result: Result<Outcome, CommandError>

  package init(
    line: Int, text: String, spec: CommandSpec?, seconds: Double,
    result: Result<Outcome, CommandError>
  ) {
    (self.line, self.text, self.spec, self.seconds) = (line, text, spec, seconds)
    self.result = result
  }

  /// The outcome, if the command went well.
  package var outcome: Outcome? { try? result.get() }

  /// The error, if it did not.
  package var error: CommandError? {
    if case .failure(let error) = result { error } else { nil }
  }

  /// The execution as one object for `--json`.
  package var json: JSONValue {
    let start: [JSONValue.Member] = [
      .init("line", .integer(line)),
      .init("command", .string(ContinuedLine.joined(text))),
      .init("status", error == nil ? "ok" : "error"),
      .init("seconds", .number((seconds * 1e6).rounded() / 1e6)),
    ]
    switch result {
    case .success(let outcome):
      return .object(
        start + [
          .init("result", outcome.placedResult),
          .init(
            "warnings", .list(outcome.foreword + outcome.warnings + outcome.remarks) { .string($0) }
          ),
          .init("files", .list(outcome.files) { Self.json($0) }),
        ])
    case .failure(let error):
      return .object(
        start + [
          .init(
            "error",
            [
              "code": .string(error.code.rawValue), "message": .string(error.message),
              "hint": error.hint.map { .string($0) } ?? .null,
            ])
        ])
    }
  }

  private static func json(_ file: Outcome.File) -> JSONValue {
    var members: [JSONValue.Member] = [.init("path", .string(file.place ?? file.path))]
    if let fingerprint = file.fingerprint { members.append(.init("px", .string(fingerprint))) }
    return .object(members)
  }
}

/// An object that runs command lines.
package protocol LineRunner: AnyObject {
  /// Runs one command line; nil for a blank line or a comment.
  func run(_ text: String, line: Int) -> Execution?
}

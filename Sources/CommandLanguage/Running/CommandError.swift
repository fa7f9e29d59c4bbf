/// An error of a command: the fault, the expectation, and the cure.
package struct CommandError: Error, Sendable, Equatable {
  /// A stable word for programs that read `--json`.
  package struct Code: RawRepresentable, Hashable, Sendable, ExpressibleByStringLiteral {
    package let rawValue: String

    package init(rawValue: String) { self.rawValue = rawValue }

    package init(stringLiteral value: String) { rawValue = value }

    package static let unknownCommand: Code = "unknown-command"
    package static let unknownKey: Code = "unknown-key"
    package static let unknownName: Code = "unknown-name"
    package static let unknownVariable: Code = "unknown-variable"
    package static let missingArgument: Code = "missing-argument"
    package static let missingValue: Code = "missing-value"
    package static let surplusArgument: Code = "surplus-argument"
    package static let repeatedArgument: Code = "repeated-argument"
    package static let wrongValue: Code = "wrong-value"
    package static let wrongUnit: Code = "wrong-unit"
    package static let outOfRange: Code = "out-of-range"
    package static let syntax: Code = "syntax"
    package static let shape: Code = "shape"
    package static let file: Code = "file"
    /// A file exists that must not be replaced.
    package static let exists: Code = "exists"
    package static let data: Code = "data"
    package static let state: Code = "state"
    package static let expectation: Code = "expectation"
    package static let limit: Code = "limit"
    package static let notFailed: Code = "not-failed"
    package static let failed: Code = "failed"
  }

  /// A stable word for the kind of error.
  package var code: Code
  /// The fault and the expectation, in one line.
  package var message: String
  /// The cure: the nearest name, or a line to type.
  package var hint: String?
  /// The range of the line's characters that are wrong, where the error points.
  package var range: Range<Int>?
  /// The command line the range belongs to, as typed.
  package var line: String?
  /// The program's exit status when a script stops at this error.
  package var status: ExitStatus
  /// The work that was done before the error, such as the steps of a training that met a NaN.
  package var kept: KeptWork?

  package init(
    _ code: Code, _ message: String, hint: String? = nil, range: Range<Int>? = nil,
    line: String? = nil, status: ExitStatus = .commandFailed
  ) {
    (self.code, self.message, self.hint, self.range) = (code, message, hint, range)
    (self.line, self.status) = (line, status)
  }

  /// The error in one line: message and cure.
  package var summary: String {
    let text = hint.map { "\(message); \($0)" } ?? message
    return VisibleText.visible(text)
  }

  /// The error for a person: the line, a caret line under it, then message and cure.
  package var rendered: [String] { rendered(columns: nil) }

  /// The error for a person, with the part of the line that fits into `columns`.
  package func rendered(columns: Int?) -> [String] {
    guard let line, let range else { return ["error: \(summary)"] }
    return CaretLines.lines(under: range, of: line, columns: columns) + ["error: \(summary)"]
  }

  /// The error with its message cut to fit a screen, since it may quote a word of a megabyte.
  package var shortened: CommandError {
    var error = self
    error.message = VisibleText.cut(message, to: Self.longestMessage)
    error.hint = hint.map { VisibleText.cut($0, to: Self.longestMessage) }
    return error
  }

  private static let longestMessage = 2000
}

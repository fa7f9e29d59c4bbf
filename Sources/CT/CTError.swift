/// An error of reading or writing CT data, with a message for a person.
package struct CTError: Error, Hashable, Sendable, CustomStringConvertible {
  /// A short, stable word such as `truncated` or `bad-rescale`.
  package let code: String
  /// The file, the fault and the expectation, in one line.
  package let message: String
  /// The cure; empty when there is none.
  package let hint: String

  package init(_ code: String, _ message: String, hint: String = "") {
    (self.code, self.message, self.hint) = (code, message, hint)
  }

  /// The message, followed by the hint after a dash.
  package var description: String {
    hint.isEmpty ? message : "\(message) — \(hint)"
  }
}

/// An error of reading or writing CT data, told for people.
package struct CTError: Error, Hashable, Sendable, CustomStringConvertible {
  /// A short, stable word such as `truncated` or `bad-rescale`.
  package let code: String
  /// One line: which file, what was found, what was expected.
  package let message: String
  /// The cure, or empty when there is none.
  package let hint: String

  package init(_ code: String, _ message: String, hint: String = "") {
    self.code = code
    self.message = message
    self.hint = hint
  }

  /// The message, followed by the hint after a dash.
  package var description: String {
    hint.isEmpty ? message : "\(message) — \(hint)"
  }
}

/// Why a network cannot be built or used as a user asked.
package struct NetworkError: Error, Hashable, Sendable {
  /// A short stable word, such as `channels`.
  package let code: String
  /// What was found and what was expected, in one line.
  package let message: String
  /// The line to type, or another cure.
  package let hint: String

  package init(code: String, _ message: String, hint: String) {
    self.code = code
    self.message = message
    self.hint = hint
  }
}

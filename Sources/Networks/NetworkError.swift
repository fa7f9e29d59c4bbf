/// The error of a network that cannot be built or used as asked.
package struct NetworkError: Error, Hashable, Sendable {
  /// A short stable word, such as `channels`.
  package let code: String
  /// The fault and the expectation, in one line.
  package let message: String
  /// The line to type, or another cure.
  package let hint: String

  package init(code: String, _ message: String, hint: String) {
    self.code = code
    self.message = message
    self.hint = hint
  }
}

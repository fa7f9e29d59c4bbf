/// Why data cannot be used as a user asked.
package struct DataError: Error, Hashable, Sendable {
  /// A short stable word, such as `split`.
  package let code: String
  /// What was found and what was expected, in one line.
  package let message: String
  /// What to do about it.
  package let hint: String

  package init(code: String, _ message: String, hint: String) {
    (self.code, self.message, self.hint) = (code, message, hint)
  }
}

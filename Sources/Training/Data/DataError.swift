/// The error of data that cannot be used as asked.
package struct DataError: Error, Hashable, Sendable {
  /// A short stable word, such as `split`.
  package let code: String
  /// The fault and the expectation, in one line.
  package let message: String
  /// The cure.
  package let hint: String

  package init(code: String, _ message: String, hint: String) {
    (self.code, self.message, self.hint) = (code, message, hint)
  }
}

/// What is wrong with an index, a shape or a tensor file that a user gave.
package struct TensorError: Error, Hashable, Sendable {
  /// A short stable word, such as `index` or `npy`.
  package let code: String
  /// What was found and what was expected, in one line.
  package let message: String
  /// What to do about it.
  package let hint: String

  package init(code: String, _ message: String, hint: String = "") {
    self.code = code
    self.message = message
    self.hint = hint
  }
}

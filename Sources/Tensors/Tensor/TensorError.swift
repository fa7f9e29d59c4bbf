/// The error of an index, a shape or a tensor file that cannot be used.
package struct TensorError: Error, Hashable, Sendable {
  /// A short stable word, such as `index` or `npy`.
  package let code: String
  /// The fault and the expectation, in one line.
  package let message: String
  /// The cure.
  package let hint: String

  package init(code: String, _ message: String, hint: String = "") {
    self.code = code
    self.message = message
    self.hint = hint
  }
}

/// A session file that cannot be read or written: where and why.
package struct SessionError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The file.
  package let file: String
  /// The line of the file with the fault; nil if there is none.
  package let line: Int?
  /// The fault, the expectation, and the cure.
  package let message: String

  package init(_ file: String, line: Int? = nil, _ message: String) {
    (self.file, self.line, self.message) = (file, line, message)
  }

  /// `first.session:12: …`.
  package var description: String {
    "\(file)\(line.map { ":\($0)" } ?? ""): \(message)"
  }
}

/// What can go wrong with pictures: a code for programs, a sentence for people, and a cure.
package struct PictureError: Error, Hashable, Sendable, CustomStringConvertible {
  package enum Code: String, Hashable, Sendable {
    /// A file that cannot be opened, read, written or renamed.
    case file = "picture.file"
    /// Bytes that are no PNG, or a broken one.
    case broken = "picture.broken"
    /// A good PNG of a kind that is not read here.
    case unsupported = "picture.unsupported"
    /// A size that no picture can have, or two sizes that differ.
    case size = "picture.size"
    /// A window that DICOM does not allow.
    case window = "picture.window"
  }

  package let code: Code
  package let message: String
  package let hint: String

  package init(_ code: Code, _ message: String, hint: String) {
    self.code = code
    self.message = message
    self.hint = hint
  }

  package var description: String { "\(message) (\(hint))" }
}

/// An error with a picture: a code for programs, a sentence for people, and a cure.
package struct PictureError: Error, Hashable, Sendable, CustomStringConvertible {
  package enum Code: String, Hashable, Sendable {
    /// A file that cannot be opened, read, written or renamed.
    case file = "picture.file"
    /// Bytes that are not a PNG, or are a broken one.
    case broken = "picture.broken"
    /// A valid PNG of a kind that is not supported.
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
    (self.code, self.message, self.hint) = (code, message, hint)
  }

  package var description: String { "\(message) (\(hint))" }
}

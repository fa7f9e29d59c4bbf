package import CommandLanguage
import Figures
package import Foundation

extension Arguments {
  /// The files that may be replaced: those that are known, or all with `replace=yes`.
  package var replacing: Replacing { flagIfGiven("replace") == true ? .all : .known }

  /// Writes data to the path of the argument `name`; errors point at it.
  ///
  /// - Parameters:
  ///   - data: The bytes.
  ///   - path: The file.
  ///   - files: Where the session writes.
  ///   - name: The argument.
  ///   - isPicture: Whether the record shows the file.
  /// - Returns: Where the file is.
  /// - Throws: `CommandError` when it cannot be written.
  package func write(
    _ data: Data, to path: String, in files: Files, named name: String = "file",
    isPicture: Bool = false
  ) throws(CommandError) -> String {
    try blaming(name) { () throws(CommandError) in
      try files.write(data, to: path, replacing, isPicture: isPicture)
    }
  }

  /// Writes a picture to `path`, as ``write(_:to:in:named:isPicture:)`` writes data.
  func write(_ png: PNG, to path: String, in files: Files) throws -> String {
    try write(Data(try png.encoded()), to: path, in: files, isPicture: true)
  }
}

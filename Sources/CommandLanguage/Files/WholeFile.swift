package import Foundation

/// Writes files so that they are complete or absent.
package enum WholeFile {
  /// The failure of a step of writing.
  package struct Failure: Error, Hashable, Sendable, CustomStringConvertible {
    /// The file that could not be written.
    package let path: String
    /// The reason: `no space left on device`.
    package let description: String
  }

  /// Writes `data` under another name, through to the disk, and then renames the file; if a step
  /// fails, the old file stays.
  ///
  /// - Parameters:
  ///   - data: The bytes.
  ///   - path: The file; a symbolic link is replaced, not followed.
  ///   - isPrivate: Whether only this person may read it.
  /// - Throws: `Failure`; then the new file is removed.
  package static func write(
    _ data: Data, to path: String, isPrivate: Bool = false
  ) throws(Failure) {
    let files = WholeFiles(isPrivate: isPrivate)
    try files.add(data, as: path)
    try files.commit()
  }

  /// The number of bytes that go to the disk between two looks at whether the command goes on.
  private static let part = 16 << 20

  /// Writes `data` to a new file, through to the disk; returns the reason if that fails or the
  /// command that runs is asked to stop, else nil.
  static func store(_ data: Data, in file: String, mode: mode_t) -> String? {
    let descriptor = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
    guard descriptor >= 0 else { return SystemReason.ofLastCall }
    var reason: String?
    do throws(Descriptor.Failure) {
      var rest = data[...]
      while rest.count > part, reason == nil {
        try Descriptor.write(rest.prefix(part), to: descriptor)
        rest = rest.dropFirst(part)
        // A write to the disk cannot be interrupted, so each piece is small.
        if Interruption.ofCommand != nil { fdatasync(descriptor) }
        if Interruption.ofCommand?.isRequested == true { reason = "interrupted" }
      }
      if reason == nil { try Descriptor.write(rest, to: descriptor) }
    } catch {
      reason = error.description
    }
    if reason == nil, fsync(descriptor) != 0 { reason = SystemReason.ofLastCall }
    if close(descriptor) != 0, reason == nil { reason = SystemReason.ofLastCall }
    return reason
  }
}

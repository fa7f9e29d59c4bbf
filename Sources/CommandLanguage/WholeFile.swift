package import Foundation

/// Writes files that are whole or absent.
package enum WholeFile {
  /// A step that failed.
  package struct Failure: Error, Hashable, Sendable, CustomStringConvertible {
    /// The file that could not be written.
    package let path: String
    /// The system's few words: `no space left on device`.
    package let description: String
  }

  /// Writes `data` under another name, through to the disk, and then renames it; what was there
  /// before stays until then, and stays for good if a step fails.
  ///
  /// - Parameters:
  ///   - data: The bytes.
  ///   - path: The file; a symbolic link is replaced, not followed.
  ///   - isPrivate: Whether only this person may read it.
  /// - Throws: `Failure`; nothing is left of the attempt.
  package static func write(
    _ data: Data, to path: String, isPrivate: Bool = false
  ) throws(Failure) {
    let files = WholeFiles(isPrivate: isPrivate)
    try files.add(data, as: path)
    try files.commit()
  }

  /// Writes `data` to a new file, through to the disk; the reason when that fails.
  static func store(_ data: Data, in file: String, mode: mode_t) -> String? {
    let descriptor = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
    guard descriptor >= 0 else { return SystemReason.ofLastCall }
    var reason: String?
    do throws(Descriptor.Failure) {
      try Descriptor.write(data, to: descriptor)
    } catch {
      reason = error.description
    }
    if fsync(descriptor) != 0, reason == nil { reason = SystemReason.ofLastCall }
    if close(descriptor) != 0, reason == nil { reason = SystemReason.ofLastCall }
    return reason
  }
}

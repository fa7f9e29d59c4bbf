package import Foundation

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Writes files that are whole or absent.
package enum WholeFile {
  /// A step that failed, in the system's few words: `no space left on device`.
  package struct Failure: Error, Hashable, Sendable, CustomStringConvertible {
    package let description: String
  }

  /// Writes `data` beside `path` under another name, through to the disk, and then renames it; what
  /// was there before stays until then, and stays for good if a step fails.
  ///
  /// - Parameters:
  ///   - data: The bytes.
  ///   - path: The file; a symbolic link is replaced, not followed.
  ///   - isPrivate: Whether only this person may read it.
  /// - Throws: `Failure`; nothing is left of the attempt.
  package static func write(
    _ data: Data, to path: String, isPrivate: Bool = false
  ) throws(Failure) {
    let temporary = "\(path).\(getpid()).part"
    unlink(temporary)
    let mode: mode_t = isPrivate ? 0o600 : 0o666
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
    guard descriptor >= 0 else { throw failure }
    var error = store(data, descriptor)
    if fsync(descriptor) != 0, error == nil { error = failure }
    if close(descriptor) != 0, error == nil { error = failure }
    if error == nil, rename(temporary, path) != 0 { error = failure }
    guard let error else { return }
    unlink(temporary)
    throw error
  }

  private static func store(_ data: Data, _ descriptor: Int32) -> Failure? {
    do throws(Descriptor.Failure) {
      try Descriptor.write(data, to: descriptor)
      return nil
    } catch {
      return Failure(description: error.description)
    }
  }

  private static var failure: Failure {
    Failure(description: SystemReason.ofLastCall)
  }
}

import CommandLanguage
import Foundation

/// The file of all lines that were typed, shared by all prompts of one person.
///
/// Each line is added at once, under a lock, so that two prompts lose nothing. Other people cannot
/// read the file.
package struct HistoryFile: Sendable {
  /// The number of lines that stay when the file is cut, and the size in bytes above which it is.
  package static let lineLimit = 10_000
  private static let sizeLimit = 4 << 20

  package let path: String

  package init(path: String) { self.path = path }

  /// The lines, oldest first; empty when there is no file.
  package func lines() -> [String] {
    (try? withFile { text(of: $0) })?.suffix(Self.lineLimit) ?? []
  }

  /// Adds a line; errors of writing are ignored.
  package func append(_ line: String) {
    try? withFile { descriptor in
      try? Descriptor.write((line + "\n").utf8, to: descriptor)
      guard lseek(descriptor, 0, SEEK_END) > Self.sizeLimit else { return }
      // Half of the file is removed, so that cutting is rare.
      var size = 0
      let kept = text(of: descriptor).suffix(Self.lineLimit).reversed().prefix { line in
        size += line.utf8.count + 1
        return size <= Self.sizeLimit / 2
      }.reversed()
      // The file is rewritten in place, since programs that wait for the lock have it open.
      guard ftruncate(descriptor, 0) == 0 else { return }
      try? Descriptor.write((kept.joined(separator: "\n") + "\n").utf8, to: descriptor)
    }
  }

  private struct Failure: Error {}

  /// Opens the file for this person alone, and locks it while `body` runs.
  private func withFile<Result>(_ body: (Int32) -> Result) throws -> Result {
    try FileManager.default.createDirectory(
      at: URL(filePath: path).deletingLastPathComponent(), withIntermediateDirectories: true,
      attributes: [.posixPermissions: 0o700])
    let descriptor = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw Failure() }
    defer { close(descriptor) }
    while flock(descriptor, LOCK_EX) != 0 { guard errno == EINTR else { throw Failure() } }
    _ = fchmod(descriptor, 0o600)
    return body(descriptor)
  }

  private func text(of descriptor: Int32) -> [String] {
    lseek(descriptor, 0, SEEK_SET)
    let bytes = (try? Descriptor.read(descriptor, atMost: .max)) ?? []
    return bytes.split(separator: 10).map { String(decoding: $0, as: UTF8.self) }
  }
}

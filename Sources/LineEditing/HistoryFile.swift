import Foundation

/// The file of all lines that were typed, shared by all prompts of one person.
///
/// Each line is added at once, under a lock, so that two prompts lose nothing. Nobody else may read
/// it.
package struct HistoryFile: Sendable {
  /// How many lines stay when the file is cut, and the size in bytes that makes it so.
  package static let lineLimit = 10_000
  private static let sizeLimit = 4 << 20

  package let path: String

  package init(path: String) { self.path = path }

  /// The lines, oldest first; none when there is no file.
  package func lines() -> [String] {
    (try? withFile { text(of: $0) })?.suffix(Self.lineLimit) ?? []
  }

  /// Adds a line; a file that cannot be written is no reason to stop.
  package func append(_ line: String) {
    try? withFile { descriptor in
      write(line + "\n", to: descriptor)
      guard lseek(descriptor, 0, SEEK_END) > Self.sizeLimit else { return }
      // Half of it goes, so that this is rare.
      var size = 0
      let kept = text(of: descriptor).suffix(Self.lineLimit).reversed().prefix { line in
        size += line.utf8.count + 1
        return size <= Self.sizeLimit / 2
      }.reversed()
      // Written in place: whoever waits for the lock has this very file open.
      guard ftruncate(descriptor, 0) == 0 else { return }
      write(kept.joined(separator: "\n") + "\n", to: descriptor)
    }
  }

  private struct Failure: Error {}

  /// Opens the file for this person alone, and keeps all others out meanwhile.
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
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = read(descriptor, &chunk, chunk.count)
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { break }
      bytes += chunk.prefix(count)
    }
    return bytes.split(separator: 10).map { String(decoding: $0, as: UTF8.self) }
  }

  private func write(_ text: String, to descriptor: Int32) {
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
      let count = bytes.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { return }
      bytes.removeFirst(count)
    }
  }
}

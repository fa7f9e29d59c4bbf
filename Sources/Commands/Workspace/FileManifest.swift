import CommandLanguage
import Fingerprints
package import Foundation
import Synchronization

/// The files that Backflow wrote in a place, each with the SHA-256 of its bytes, one a line as
/// `sha256sum` writes them.
///
/// The digest tells whether a file was changed since it was written. Lines are added before the
/// files get their names, so that a run that is killed leaves no file unknown.
package final class FileManifest: Sendable {
  /// The largest manifest that is read.
  private static let mostBytes = 64 << 20

  private let path: String
  /// The folder from which files below it are named.
  private let folder: String
  /// The digests by file name; nil before the manifest is read.
  private let digests = Mutex<[String: Set<String>]?>(nil)

  /// The manifest `.backflow-files` of a script's output folder.
  package init(of folder: URL) {
    self.folder = folder.standardizedFileURL.path
    path = folder.appending(path: ".backflow-files").path
  }

  /// A manifest of files in any folder.
  package init(file: URL) {
    path = file.path
    folder = "/"
  }

  /// Whether Backflow wrote a file with these bytes at this place.
  func holds(_ place: String, _ digest: SHA256Digest) -> Bool {
    digests.withLock { digests in
      let known = digests ?? read()
      digests = known
      return known[name(of: place)]?.contains("\(digest)") ?? false
    }
  }

  /// Records files that are about to be written; a file that cannot be recorded cannot be replaced
  /// in a later run.
  func add(_ files: [(place: String, digest: SHA256Digest)]) {
    digests.withLock { digests in
      var known = digests ?? read()
      var lines = ""
      for (place, digest) in files {
        let name = name(of: place)
        guard !name.contains("\n"), known[name, default: []].insert("\(digest)").inserted else {
          continue
        }
        lines += "\(digest)  \(name)\n"
      }
      digests = known
      if !lines.isEmpty { append(lines) }
    }
  }

  private func name(of place: String) -> String {
    let root = folder.hasSuffix("/") ? folder : folder + "/"
    return place.hasPrefix(root) ? String(place.dropFirst(root.count)) : place
  }

  private func read() -> [String: Set<String>] {
    var digests: [String: Set<String>] = [:]
    let descriptor = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
    guard descriptor >= 0 else { return [:] }
    let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    let data = (try? file.read(upToCount: Self.mostBytes)) ?? Data()
    for line in data.split(separator: 10) {
      let text = String(decoding: line, as: UTF8.self)
      guard let gap = text.firstRange(of: "  ") else { continue }
      digests[String(text[gap.upperBound...]), default: []].insert(String(text[..<gap.lowerBound]))
    }
    return digests
  }

  private func append(_ lines: String) {
    try? FileManager.default.createDirectory(
      atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    let flags = O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC
    let descriptor = open(path, flags, 0o666)
    guard descriptor >= 0 else { return }
    let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    try? file.write(contentsOf: Data(lines.utf8))
  }
}

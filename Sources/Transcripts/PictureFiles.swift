import CommandLanguage
import Foundation

/// Moves pictures between folders.
enum PictureFiles {
  /// Copies `names` from one folder to another; a name that leads out of a folder is an error.
  static func copy(
    _ names: some Sequence<String>, from source: String, to target: String
  ) throws(SessionError) {
    for name in names {
      guard isInside(name) else {
        throw SessionError(target, "the picture \"\(name)\" is not inside the output folder")
      }
      let from = path(source, name)
      let to = path(target, name)
      guard from != to, FileManager.default.fileExists(atPath: from) else { continue }
      do {
        try FileManager.default.createDirectory(
          atPath: (to as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        try Data(contentsOf: URL(filePath: from)).write(to: URL(filePath: to), options: .atomic)
      } catch {
        throw SessionError(to, "cannot be written: \(SystemReason.words(error))")
      }
    }
  }

  /// The path of a file in a folder.
  static func path(_ folder: String, _ name: String) -> String {
    (folder as NSString).appendingPathComponent(name)
  }

  static func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }

  static func remove(_ path: String) { try? FileManager.default.removeItem(atPath: path) }

  /// Whether a recorded name stays below its folder.
  static func isInside(_ name: String) -> Bool {
    !name.isEmpty && !name.hasPrefix("/")
      && !name.split(separator: "/", omittingEmptySubsequences: false).contains("..")
  }
}

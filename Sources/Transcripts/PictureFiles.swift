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
      guard !isLink(target), !(name.contains("/") && leads(outOf: target, to)) else {
        throw SessionError(
          target, "is or holds a symbolic link, and pictures stay beside a session")
      }
      guard from != to, exists(from) else { continue }
      do {
        try FileManager.default.createDirectory(
          atPath: (to as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        try WholeFile.write(try Data(contentsOf: URL(filePath: from)), to: to)
      } catch let failure as WholeFile.Failure {
        throw SessionError(to, "cannot be written: \(failure)")
      } catch {
        throw SessionError(to, "cannot be written: \(SystemReason.words(error))")
      }
    }
  }

  static func isLink(_ path: String) -> Bool {
    let attributes = try? FileManager.default.attributesOfItem(atPath: path)
    return attributes?[.type] as? FileAttributeType == .typeSymbolicLink
  }

  /// Whether links on the way to a file leave its folder.
  static func leads(outOf folder: String, _ path: String) -> Bool {
    let above = (path as NSString).deletingLastPathComponent
    let root = URL(filePath: folder).resolvingSymlinksInPath().path
    let place = URL(filePath: above).resolvingSymlinksInPath().path
    return place != root && !place.hasPrefix(root + "/")
  }

  /// The path of a file in a folder.
  static func path(_ folder: String, _ name: String) -> String {
    (folder as NSString).appendingPathComponent(name)
  }

  /// Whether a file is there that comes to an end: no device, pipe or folder, nor a link to one.
  static func exists(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
  }

  static func remove(_ path: String) { try? FileManager.default.removeItem(atPath: path) }

  /// Whether a recorded name stays below its folder.
  static func isInside(_ name: String) -> Bool {
    !name.isEmpty && !name.hasPrefix("/")
      && !name.split(separator: "/", omittingEmptySubsequences: false).contains("..")
  }
}

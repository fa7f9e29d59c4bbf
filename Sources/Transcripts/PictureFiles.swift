import CommandLanguage
import Foundation

/// Copies, removes and checks picture files of a session.
enum PictureFiles {
  /// Copies `names` from one folder to another, all or none; a name that leads out of a folder is an
  /// error.
  static func copy(
    _ names: some Sequence<String>, from source: String, to target: String
  ) throws(SessionError) {
    let files = WholeFiles()
    for name in names {
      guard isInside(name) else {
        throw SessionError(target, "the picture \"\(name)\" is not inside the output folder")
      }
      try add(path(source, name), as: name, in: target, to: files)
    }
    try commit(files)
  }

  /// Adds a copy of `file` as `name` in `folder`; a missing file, or one that is there already, is
  /// left out.
  static func add(
    _ file: String, as name: String, in folder: String, to files: WholeFiles
  ) throws(SessionError) {
    let target = path(folder, name)
    guard !isLink(folder), !(name.contains("/") && leads(outOf: folder, target)) else {
      throw SessionError(
        folder, "is or holds a symbolic link, and pictures stay beside a session")
    }
    guard file != target, exists(file) else { return }
    let data: Data
    do {
      data = try Data(contentsOf: URL(filePath: file))
    } catch {
      throw SessionError(file, "cannot be read: \(SystemReason.words(error))")
    }
    try reporting { () throws(WholeFiles.Failure) in try files.add(data, as: target) }
  }

  /// Moves files to their places.
  static func commit(_ files: WholeFiles) throws(SessionError) {
    try reporting { () throws(WholeFiles.Failure) in try files.commit() }
  }

  /// Runs a step of writing; an error names the file.
  static func reporting(
    _ step: () throws(WholeFiles.Failure) -> Void
  ) throws(SessionError) {
    do throws(WholeFiles.Failure) {
      try step()
    } catch {
      throw SessionError(error.path, "cannot be written: \(error)")
    }
  }

  static func isLink(_ path: String) -> Bool {
    let attributes = try? FileManager.default.attributesOfItem(atPath: path)
    return attributes?[.type] as? FileAttributeType == .typeSymbolicLink
  }

  /// Whether links on the way to a file lead out of its folder.
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

  /// Whether the path is a regular file, or a link to one: no device, pipe or folder.
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

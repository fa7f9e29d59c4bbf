package import CommandLanguage
package import Foundation

/// The folders in which a session reads and writes.
///
/// A script writes below its output folder only, whatever a path in it says; a person writes
/// anywhere. Relative paths are read from the output folder, the session's folder, and the working
/// directory, in this order.
///
/// No write replaces a file that the session did not write, unless `replace=yes` says so. A script
/// may also replace files that earlier runs of scripts wrote into its output folder and that have
/// not changed since; but no session that was saved there.
package struct Files: Sendable {
  /// The folder for files that a session writes.
  package let output: URL
  /// The folder for pictures that no line names.
  let pictures: URL
  /// The folder of the session file, if there is one.
  package let session: URL?
  /// Whether writing stays below ``output``.
  package let isConfined: Bool
  /// The number of bytes that may be written, and that were.
  var disk: DiskBudget
  private(set) var written: WrittenFiles
  private let workingDirectory: URL

  /// The files of a script whose output goes to `output`.
  package init(script output: URL, session: URL?) {
    self.init(
      output: output, pictures: output, session: session, FileManifest(of: output),
      isConfined: true)
  }

  /// The files of a person.
  ///
  /// - Parameters:
  ///   - output: The folder.
  ///   - pictures: The folder for automatic pictures; nil for the same.
  ///   - manifest: The files that Backflow wrote before and may replace; nil at the prompt.
  package init(person output: URL, pictures: URL? = nil, manifest: FileManifest? = nil) {
    self.init(
      output: output, pictures: pictures ?? output, session: nil, manifest, isConfined: false)
  }

  private init(
    output: URL, pictures: URL, session: URL?, _ manifest: FileManifest?, isConfined: Bool
  ) {
    (self.output, self.pictures) = (output, pictures)
    (self.session, self.isConfined) = (session, isConfined)
    disk = DiskBudget(isScript: isConfined)
    written = WrittenFiles(manifest: manifest)
    workingDirectory = URL(filePath: FileManager.default.currentDirectoryPath)
  }

  /// Lets lines that run again write their files again.
  ///
  /// - Parameter places: The files of lines that do not run again.
  package mutating func rerun(keeping places: [String]) {
    written = WrittenFiles(after: written)
    keep(places)
  }

  /// Whether lines that ran again have written one of the files at these places.
  package func haveWrittenAgain(_ places: [String]) -> Bool {
    places.contains(where: written.isNew)
  }

  /// Takes files of lines that do not run again as written.
  func keep(_ places: [String]) { written.keep(places) }

  /// The same folders for lines from a file, which write below ``output`` only.
  var asScript: Files {
    isConfined ? self : Files(confining: self)
  }

  private init(confining other: Files) {
    (output, pictures, session, isConfined) = (other.output, other.output, other.session, true)
    (disk, written) = (other.disk.ofScript, other.written)
    workingDirectory = other.workingDirectory
  }

  /// The path of the file or folder that `path` names for reading.
  ///
  /// - Throws: `CommandError` with the exit status of missing data.
  package func reading(_ path: String) throws(CommandError) -> String {
    let expanded = HomeFolder.expanded(path)
    let candidates =
      expanded.hasPrefix("/")
      ? [expanded]
      : [output, session, workingDirectory, pictures].compactMap {
        $0?.appending(path: expanded).path
      }
    if let found = candidates.first(where: FileManager.default.fileExists) {
      guard Self.isFileOrFolder(found) else {
        throw CommandError(
          .file, "\(path) is a device, a pipe or a socket, which may never end",
          hint: "name a file or folder", status: .badInput)
      }
      return found
    }
    throw CommandError(
      .file, "\(path): no such file or folder",
      hint: expanded.hasPrefix("/")
        ? "check the path"
        : "relative paths are looked for in the output folder, the session's and the working folder",
      status: .badInput)
  }

  private static func isFileOrFolder(_ path: String) -> Bool {
    // `attributesOfItem` does not follow links.
    var status = stat()
    guard stat(path, &status) == 0 else { return false }
    return [S_IFREG, S_IFDIR].contains(status.st_mode & S_IFMT)
  }

  /// The path of the session file that `name` names, with or without `.session`; its folder of
  /// pictures, which has the same name, is not meant.
  package func readingSession(_ name: String) throws(CommandError) -> String {
    var stem = name
    while stem.count > 1, stem.hasSuffix("/") { stem.removeLast() }
    let place = try? reading(name)
    if let place, Self.isFile(place) { return place }
    if let session = try? reading(stem + ".session"), Self.isFile(session) { return session }
    if let place { return place }
    return try reading(name)
  }

  private static func isFile(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
  }

  /// The place that `path` names for writing.
  ///
  /// - Throws: `CommandError` when a script would leave its output folder.
  package func writing(_ path: String) throws(CommandError) -> String {
    let base = isConfined ? output : workingDirectory
    let expanded = HomeFolder.expanded(path)
    let url = URL(filePath: expanded, relativeTo: base.appending(path: "")).standardizedFileURL
    guard isConfined else { return url.path }
    do {
      try FileManager.default.createDirectory(at: output, withIntermediateDirectories: true)
    } catch {
      throw CommandError(
        .file, "\(path) cannot be written: \(SystemReason.words(error))",
        hint: "choose another place")
    }
    let root = output.resolvingSymlinksInPath().standardizedFileURL.path
    let nearest = nearestExisting(url)
    // A link to nothing cannot be resolved; a write through it could make a file anywhere.
    guard FileManager.default.fileExists(atPath: nearest.path),
      isBelow(root, nearest.resolvingSymlinksInPath().path),
      isBelow(output.standardizedFileURL.path, url.path)
    else {
      throw CommandError(
        .file, "a script writes below its output folder only, not to \(path)",
        hint: "give a relative path without ..")
    }
    return url.path
  }

  private func isBelow(_ root: String, _ path: String) -> Bool {
    path == root || path.hasPrefix(root.hasSuffix("/") ? root : root + "/")
  }

  /// The path itself, or the nearest folder above it that exists: links can only be there.
  private func nearestExisting(_ url: URL) -> URL {
    var url = url
    while url.path != "/", (try? FileManager.default.attributesOfItem(atPath: url.path)) == nil {
      url = url.deletingLastPathComponent()
    }
    return url
  }
}

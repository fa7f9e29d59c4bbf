package import CommandLanguage
import Figures
package import Foundation

/// Where a session reads and writes.
///
/// A script writes below its output folder only, whatever a path in it says; a person writes
/// anywhere. Relative paths are read from the output folder, the session's folder, and the working
/// directory, in this order.
package struct Files: Sendable {
  /// Where files go.
  package let output: URL
  /// The folder of the session file, if there is one.
  package let session: URL?
  /// Whether writing stays below ``output``.
  package let isConfined: Bool
  /// What may be written, and what has been.
  let disk: DiskBudget
  private let workingDirectory: URL

  /// The files of a script whose output goes to `output`.
  package init(script output: URL, session: URL?) {
    self.init(output: output, session: session, isConfined: true)
  }

  /// The files of a person; automatic pictures go to `output`.
  package init(person output: URL) {
    self.init(output: output, session: nil, isConfined: false)
  }

  private init(output: URL, session: URL?, isConfined: Bool) {
    (self.output, self.session, self.isConfined) = (output, session, isConfined)
    disk = DiskBudget(isScript: isConfined)
    workingDirectory = URL(filePath: FileManager.default.currentDirectoryPath)
  }

  /// The file or folder that `path` names for reading.
  ///
  /// - Throws: `CommandError` with the exit status of missing data.
  package func reading(_ path: String) throws(CommandError) -> String {
    let expanded = (path as NSString).expandingTildeInPath
    let candidates =
      expanded.hasPrefix("/")
      ? [expanded]
      : [output, session, workingDirectory].compactMap { $0?.appending(path: expanded).path }
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

  /// The place that `path` names for writing; its folder exists afterwards.
  ///
  /// - Throws: `CommandError` when a script would leave its output folder.
  package func writing(_ path: String) throws(CommandError) -> String {
    let base = isConfined ? output : workingDirectory
    let expanded = (path as NSString).expandingTildeInPath
    let url = URL(filePath: expanded, relativeTo: base.appending(path: "")).standardizedFileURL
    do {
      if isConfined {
        try FileManager.default.createDirectory(at: output, withIntermediateDirectories: true)
        let root = output.resolvingSymlinksInPath().standardizedFileURL.path
        let nearest = nearestExisting(url)
        // A link to nothing cannot be resolved; what it would make might be anywhere.
        guard FileManager.default.fileExists(atPath: nearest.path),
          isBelow(root, nearest.resolvingSymlinksInPath().path),
          isBelow(output.standardizedFileURL.path, url.path)
        else {
          throw CommandError(
            .file, "a script writes below its output folder only, not to \(path)",
            hint: "give a relative path without ..")
        }
      }
      try FileManager.default.createDirectory(
        at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    } catch let error as CommandError {
      throw error
    } catch {
      throw CommandError(
        .file, "\(path) cannot be written: \(SystemReason.words(error))",
        hint: "choose another place")
    }
    return url.path
  }

  /// Writes `data`; the file is whole or absent.
  package func write(_ data: Data, to path: String) throws(CommandError) {
    let place = try writing(path)
    try disk.spend(data.count, on: path)
    do throws(WholeFile.Failure) {
      try WholeFile.write(data, to: place)
    } catch {
      throw CommandError(
        .file, "\(path) cannot be written: \(error)",
        hint: "choose another place, or make room")
    }
  }

  /// Writes a picture as ``write(_:to:)-(Data,_)`` writes data.
  func write(_ png: PNG, to path: String) throws {
    try write(Data(try png.encoded()), to: path)
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

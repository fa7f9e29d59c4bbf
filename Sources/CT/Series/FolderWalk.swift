import Foundation

/// Finds all files below a folder, in a fixed order, and visits each real folder once.
///
/// Names are bytes to the file system; those that are not UTF-8 are found and opened, too.
struct FolderWalk {
  /// The files, ordered by their path.
  private(set) var files: [FoundFile] = []
  /// The folders that could not be opened, with the reason.
  private(set) var unreadable: [(file: String, reason: String)] = []
  private var visited: Set<Place> = []
  private let limits: ReadingLimits

  /// - Throws: `CTError` when `limits` end the walk.
  init(_ root: String, _ limits: ReadingLimits) throws(CTError) {
    self.limits = limits
    var status = stat()
    if PathText.withBytes(of: root, { stat($0, &status) }) == 0 {
      visited.insert(Place(device: status.st_dev, number: status.st_ino))
    }
    try visit(root, name: "")
  }

  /// The identity of a folder, independent of links to it.
  private struct Place: Hashable {
    let device: dev_t, number: ino_t
  }

  private mutating func visit(_ folder: String, name: String) throws(CTError) {
    guard let names = Self.names(in: folder) else {
      leaveOut(name.isEmpty ? "." : name, "a folder that cannot be opened")
      return
    }
    // Entries that Backflow itself keeps in a folder are not data.
    for entry in names where !entry.hasPrefix(".backflow-") {
      guard !limits.shouldStop() else {
        throw CTError(
          "interrupted", "the search was stopped after \(files.count) files were found.")
      }
      let path = folder + "/" + entry
      let entryName = name.isEmpty ? entry : name + "/" + entry
      var status = stat()
      guard PathText.withBytes(of: path, { stat($0, &status) }) == 0 else {
        leaveOut(
          entryName, errno == ENOENT ? "a link to nothing" : "a file that cannot be looked at")
        continue
      }
      guard status.st_mode & S_IFMT == S_IFDIR else {
        files.append(FoundFile(path: path, name: PathText.shown(entryName)))
        continue
      }
      // Links may lead in a circle.
      if visited.insert(Place(device: status.st_dev, number: status.st_ino)).inserted {
        try visit(path, name: entryName)
      }
    }
  }

  private mutating func leaveOut(_ name: String, _ reason: String) {
    unreadable.append((PathText.shown(name), reason))
  }

  /// The names in a folder, ordered by their bytes; `nil` when it cannot be opened.
  private static func names(in folder: String) -> [String]? {
    guard let stream = PathText.withBytes(of: folder, { opendir($0) }) else { return nil }
    defer { closedir(stream) }
    var names: [[UInt8]] = []
    while let entry = readdir(stream) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
      if name != Array(".".utf8), name != Array("..".utf8) { names.append(name) }
    }
    return names.sorted { $0.lexicographicallyPrecedes($1) }.map { PathText.text($0) }
  }
}

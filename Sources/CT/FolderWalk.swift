import Foundation

/// All files below a folder, in a fixed order, each real folder visited once.
struct FolderWalk {
  /// The files, ordered by their path.
  private(set) var files: [FoundFile] = []
  /// Folders that could not be opened.
  private(set) var unreadable: [(file: String, reason: String)] = []
  private var visited: Set<String> = []

  init(_ root: String) {
    visit(root, name: "")
  }

  private mutating func visit(_ folder: String, name: String) {
    // Links may lead in a circle; the real path ends it.
    let real = URL(fileURLWithPath: folder).resolvingSymlinksInPath().path
    guard visited.insert(real).inserted else { return }
    guard let entries = try? FileManager.default.contentsOfDirectory(atPath: folder) else {
      unreadable.append(
        (name.isEmpty ? "." : printable(name, limit: 4096), "a folder that cannot be opened"))
      return
    }
    for entry in entries.sorted(by: { $0.utf8.lexicographicallyPrecedes($1.utf8) })
    // What Backflow itself keeps in a folder is no data.
    where !entry.hasPrefix(".backflow-") {
      let path = folder + "/" + entry
      let entryName = name.isEmpty ? entry : name + "/" + entry
      var isFolder: ObjCBool = false
      guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else { continue }
      if isFolder.boolValue {
        visit(path, name: entryName)
      } else {
        files.append(FoundFile(path: path, name: printable(entryName, limit: 4096)))
      }
    }
  }
}

import Foundation

/// The folder that `~` stands for.
package enum HomeFolder {
  /// `$HOME`, as in a shell; the folder that the system names when that is no absolute path.
  package static var path: String {
    let given = ProcessInfo.processInfo.environment["HOME"] ?? ""
    return given.hasPrefix("/")
      ? given : FileManager.default.homeDirectoryForCurrentUser.path
  }

  /// A path with `~` at its beginning replaced by the folder; `~name` is the home of another.
  static func expanded(_ path: String) -> String {
    guard path == "~" || path.hasPrefix("~/") else {
      return (path as NSString).expandingTildeInPath
    }
    return path.dropFirst() == "/" ? Self.path : Self.path + path.dropFirst()
  }
}

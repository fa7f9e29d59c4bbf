import Commands
import Foundation

/// The folder for files that outlive a session: history, and unsaved sessions.
enum StateFolder {
  /// `$XDG_STATE_HOME/backflow`, or `~/.local/state/backflow`.
  static let url: URL = {
    let given = ProcessInfo.processInfo.environment["XDG_STATE_HOME"] ?? ""
    let base =
      given.hasPrefix("/")
      ? URL(filePath: given)
      : URL(filePath: HomeFolder.path).appending(path: ".local/state")
    return base.appending(path: "backflow")
  }()

  static let history = url.appending(path: "history").path
  static let sessions = url.appending(path: "sessions")
}

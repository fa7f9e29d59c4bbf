import CommandLanguage
import Foundation
import Synchronization

/// What the program shows: results on standard output, everything else on standard error.
enum Console {
  private static let hasProgressLine = Mutex(false)

  static func print(_ line: String) {
    clearProgress()
    FileHandle.standardOutput.write(Data((line + "\n").utf8))
  }

  static func error(_ text: String) {
    clearProgress()
    FileHandle.standardError.write(Data((text + "\n").utf8))
  }

  /// Shows how far a command is, on one line that the next output replaces; at a terminal only.
  static func show(_ progress: ProgressUpdate) {
    guard showsProgress else { return }
    hasProgressLine.withLock { $0 = true }
    FileHandle.standardError.write(Data("\r\u{1B}[K\(progress.text)".utf8))
  }

  private static let showsProgress =
    isatty(STDERR_FILENO) == 1 && ProcessInfo.processInfo.environment["TERM"] != "dumb"

  private static func clearProgress() {
    let isShown = hasProgressLine.withLock { isShown in
      defer { isShown = false }
      return isShown
    }
    if isShown { FileHandle.standardError.write(Data("\r\u{1B}[K".utf8)) }
  }
}

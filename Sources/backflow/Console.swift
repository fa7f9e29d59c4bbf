import CommandLanguage
import Foundation
import LineEditing
import Synchronization

/// What the program shows: results on standard output, everything else on standard error.
enum Console {
  /// The columns of the progress line on the screen; 0 when there is none.
  private static let progressColumns = Atomic<Int>(0)

  static func print(_ line: String) { write(line + "\n") }

  /// Writes to the screen as it is.
  static func write(_ text: String) {
    clearProgress()
    FileHandle.standardOutput.write(Data(text.utf8))
  }

  static func error(_ text: String) {
    clearProgress()
    FileHandle.standardError.write(Data((text + "\n").utf8))
  }

  /// Shows how far a command is, on one line that the next output replaces; at a terminal only.
  static func show(_ progress: ProgressUpdate) {
    guard showsProgress else { return }
    // One column stays free, so that no terminal begins another row.
    let text = VisibleText.cut(progress.text, to: TerminalSize(of: STDERR_FILENO).columns - 1)
    let former = progressColumns.exchange(VisibleText.columns(of: text), ordering: .relaxed)
    FileHandle.standardError.write(Data((Self.clearing(former) + text).utf8))
  }

  /// Takes the progress line away.
  static func clearProgress() {
    let former = progressColumns.exchange(0, ordering: .relaxed)
    if former > 0 { FileHandle.standardError.write(Data(Self.clearing(former).utf8)) }
  }

  /// What clears a line of `columns`; a terminal that became narrower has broken it into rows.
  private static func clearing(_ columns: Int) -> String {
    let rowsAbove = max(0, columns - 1) / TerminalSize(of: STDERR_FILENO).columns
    return (rowsAbove > 0 ? "\u{1B}[\(rowsAbove)A" : "") + "\r\u{1B}[J"
  }

  private static let showsProgress =
    isatty(STDERR_FILENO) == 1 && ProcessInfo.processInfo.environment["TERM"] != "dumb"

  // MARK: - In the handler of Ctrl-C

  /// What the first Ctrl-C, the second and further ones show; a row of 40 columns holds each.
  private static let (stopping, dropping, still) = (
    notice("stopping; Ctrl-C again drops the step"), notice("dropping the step"),
    notice("still stopping; Ctrl-\\ ends the program")
  )

  private static func notice(_ text: String) -> (text: HandlerText, columns: Int) {
    (HandlerText("\r\u{1B}[K" + text), text.count)
  }

  /// Makes what the handler needs, which must not be the first to use it.
  static func prepareNotices() { _ = (stopping, dropping, still, showsProgress) }

  /// Says that Ctrl-C was heard `requests` times, in place of the progress line.
  static func noticeInterrupt(_ requests: Int) {
    guard showsProgress else { return }
    let notice = requests == 1 ? stopping : requests == 2 ? dropping : still
    progressColumns.store(notice.columns, ordering: .relaxed)
    notice.text.write(to: STDERR_FILENO)
  }
}

import CommandLanguage
import Foundation
import LineEditing
import Synchronization

/// What the program shows: results on standard output, everything else on standard error.
enum Console {
  /// The columns of the progress line on the screen; 0 when there is none.
  private static let progressColumns = Atomic<Int>(0)

  /// Prints lines; nothing in them can steer a terminal, whatever file it comes from.
  static func print(_ text: String) {
    clearProgress()
    do {
      try FileHandle.standardOutput.write(contentsOf: Data((visible(text) + "\n").utf8))
    } catch {
      Console.error("error: standard output cannot be written: \(SystemReason.words(error))")
      leave(with: .commandFailed)
    }
  }

  /// Says what is wrong; as with ``print(_:)``, nothing in it can steer a terminal.
  static func error(_ text: String) {
    clearProgress()
    // There is nobody left to tell if this fails.
    try? FileHandle.standardError.write(contentsOf: Data((visible(text) + "\n").utf8))
  }

  private static func visible(_ text: String) -> String {
    text.split(separator: "\n", omittingEmptySubsequences: false)
      .map { VisibleText.visible(String($0)) }.joined(separator: "\n")
  }

  /// Shows how far a command is, on one line that the next output replaces; at a terminal only.
  static func show(_ progress: ProgressUpdate) {
    guard showsProgress else { return }
    // One column stays free, so that no terminal begins another row.
    let text = VisibleText.cut(progress.text, to: TerminalSize(of: STDERR_FILENO).columns - 1)
    let former = progressColumns.exchange(VisibleText.columns(of: text), ordering: .relaxed)
    try? FileHandle.standardError.write(contentsOf: Data((Self.clearing(former) + text).utf8))
  }

  /// Takes the progress line away.
  static func clearProgress() {
    let former = progressColumns.exchange(0, ordering: .relaxed)
    guard former > 0 else { return }
    try? FileHandle.standardError.write(contentsOf: Data(Self.clearing(former).utf8))
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

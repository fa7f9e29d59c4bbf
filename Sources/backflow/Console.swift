import CommandLanguage
import Foundation
import LineEditing

/// What the program shows: results on standard output, everything else on standard error.
enum Console {
  /// Prints lines; nothing in them can steer a terminal, whatever file it comes from.
  static func print(_ text: String) { write(VisibleText.visibleLines(text) + "\n") }

  /// Writes to the screen as it is.
  static func write(_ text: String) {
    clearProgress()
    do throws(Descriptor.Failure) {
      try Descriptor.write(text.utf8, to: STDOUT_FILENO)
    } catch {
      Console.error("error: standard output cannot be written: \(error)")
      leave(with: .commandFailed)
    }
  }

  /// Says what is wrong; as with ``print(_:)``, nothing in it can steer a terminal.
  static func error(_ text: String) {
    clearProgress()
    var lines = VisibleText.visibleLines(text).components(separatedBy: "\n")
    if isatty(STDERR_FILENO) == 1 {
      let columns = TerminalSize(of: STDERR_FILENO).columns
      lines = lines.flatMap { TextWrapping.rows(of: $0, columns: columns) }
    }
    // There is nobody left to tell if this fails.
    try? Descriptor.write((lines.joined(separator: "\n") + "\n").utf8, to: STDERR_FILENO)
  }

  /// Shows how far a command is, until the next output.
  static func show(_ update: ProgressUpdate) { ProgressDisplay.shared.show(update) }

  /// Takes the progress line away: the command has ended.
  static func clearProgress() { ProgressDisplay.shared.end() }

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
  static func prepareNotices() { _ = (stopping, dropping, still, ProgressDisplay.shared) }

  /// Says that Ctrl-C was heard `requests` times, in place of the progress line.
  static func noticeInterrupt(_ requests: Int) {
    guard ProgressDisplay.isVisible else { return }
    let notice = requests == 1 ? stopping : requests == 2 ? dropping : still
    ProgressDisplay.shared.replaceLine(by: notice.text, columns: notice.columns)
  }
}

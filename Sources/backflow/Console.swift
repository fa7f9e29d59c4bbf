import CommandLanguage
import Foundation
import LineEditing

/// Output of the program: results on standard output, everything else on standard error.
enum Console {
  /// Prints lines with control characters made visible, so that no text can steer a terminal.
  static func print(_ text: String) { write(VisibleText.visibleLines(text) + "\n") }

  /// Writes to the screen unchanged.
  static func write(_ text: String) {
    clearProgress()
    do throws(Descriptor.Failure) {
      try Descriptor.write(text.utf8, to: STDOUT_FILENO)
    } catch {
      Console.error("error: standard output cannot be written: \(error)")
      leave(with: .commandFailed)
    }
  }

  /// Prints an error, with control characters made visible as in ``print(_:)``.
  static func error(_ text: String) {
    clearProgress()
    var lines = VisibleText.visibleLines(text).components(separatedBy: "\n")
    if isatty(STDERR_FILENO) == 1 {
      let columns = TerminalSize(of: STDERR_FILENO).columns
      lines = lines.flatMap { TextWrapping.rows(of: $0, columns: columns) }
    }
    // If this fails, no output remains to report it on.
    try? Descriptor.write((lines.joined(separator: "\n") + "\n").utf8, to: STDERR_FILENO)
  }

  /// Shows the progress of a command, until the next output.
  static func show(_ update: ProgressUpdate) { ProgressDisplay.shared.show(update) }

  /// Removes the progress line, since the command has ended.
  static func clearProgress() { ProgressDisplay.shared.end() }

  // MARK: - In the handler of Ctrl-C

  /// The notices for the first Ctrl-C, in and outside of a training, the second in a training, and
  /// further ones; each fits a row of 40 columns.
  private static let (stoppingStep, stopping, dropping, still) = (
    notice("stopping; Ctrl-C again drops the step"), notice("stopping"),
    notice("dropping the step"), notice("still stopping; Ctrl-\\ ends the program")
  )

  private static func notice(_ text: String) -> (text: HandlerText, columns: Int) {
    (HandlerText("\r\u{1B}[K" + text), text.count)
  }

  /// Initializes values for the signal handler, which must not be the first to use them.
  static func prepareNotices() {
    _ = (stoppingStep, stopping, dropping, still, ProgressDisplay.shared)
  }

  /// Shows the notice for the Ctrl-C with number `requests` in place of the progress line;
  /// `dropsStep` says whether a second one drops a step of a training.
  static func noticeInterrupt(_ requests: Int, dropsStep: Bool) {
    guard ProgressDisplay.isVisible else { return }
    let notice =
      switch (requests, dropsStep) {
      case (1, true): stoppingStep
      case (1, false): stopping
      case (2, true): dropping
      default: still
      }
    ProgressDisplay.shared.replaceLine(by: notice.text, columns: notice.columns)
  }
}

import CommandLanguage
import Commands
@preconcurrency import Dispatch
import Foundation
import LineEditing
import Synchronization

/// Shows the progress of the running command: a line at a terminal, redrawn a few times a second;
/// elsewhere a line from time to time, so that a log shows that work goes on.
final class ProgressDisplay: Sendable {
  static let shared = ProgressDisplay()

  /// The time before a command's progress is shown; faster commands show nothing.
  private static let delay = Duration.milliseconds(500)
  private static let period = DispatchTimeInterval.milliseconds(200)
  /// The time between lines where nothing can be redrawn.
  private static let logPeriod = Duration.seconds(30)

  /// Whether lines can be redrawn.
  static let isVisible = TerminalSize.canDraw(on: STDERR_FILENO)

  /// The command that runs.
  private struct Running {
    let start: ContinuousClock.Instant
    var update: ProgressUpdate
    var nextLine: ContinuousClock.Instant
  }

  private let running = Mutex<Running?>(nil)
  /// The width of the line on the screen, in columns; 0 when there is none.
  ///
  /// The handler of Ctrl-C sets it, too.
  private let shownColumns = Atomic<Int>(0)
  private let timer: any DispatchSourceTimer

  private init() {
    timer = DispatchSource.makeTimerSource(queue: DispatchQueue(label: "progress"))
    timer.schedule(deadline: .now(), repeating: Self.period)
    timer.setEventHandler { [unowned self] in draw() }
  }

  /// Takes an update of the progress; the first one starts the display.
  func show(_ update: ProgressUpdate) {
    guard update.warning == nil else { return }
    running.withLock { running in
      if running != nil {
        running?.update = update
      } else {
        let now = ContinuousClock.now
        let first = Self.isVisible ? Self.delay : Self.logPeriod
        running = Running(start: now, update: update, nextLine: now + first)
        timer.resume()
      }
    }
  }

  /// Ends the display and removes the line.
  func end() {
    running.withLock { running in
      if running != nil { timer.suspend() }
      running = nil
      let former = shownColumns.exchange(0, ordering: .relaxed)
      if former > 0 { write(Self.clearing(former)) }
    }
  }

  /// Replaces the line by a notice, from a signal handler.
  func replaceLine(by text: HandlerText, columns: Int) {
    shownColumns.store(columns, ordering: .relaxed)
    text.write(to: STDERR_FILENO)
  }

  private func draw() {
    running.withLock { running in
      let now = ContinuousClock.now
      // The notice of Ctrl-C stays on the screen.
      guard let current = running, now >= current.nextLine, !Interrupts.interruption.isRequested
      else { return }
      let seconds = (now - current.start) / .seconds(1)
      guard Self.isVisible else {
        running?.nextLine = now + Self.logPeriod
        return write(ProgressLine.text(current.update, after: seconds, columns: nil) + "\n")
      }
      // One column stays free, since some terminals would begin another row.
      let text = ProgressLine.text(
        current.update, after: seconds, columns: TerminalSize(of: STDERR_FILENO).columns - 1)
      let former = shownColumns.exchange(VisibleText.columns(of: text), ordering: .relaxed)
      write(Self.clearing(former) + text)
    }
  }

  /// The codes that clear a line of `columns`; a terminal that became narrower has broken it into
  /// rows.
  private static func clearing(_ columns: Int) -> String {
    let rowsAbove = max(0, columns - 1) / TerminalSize(of: STDERR_FILENO).columns
    return (rowsAbove > 0 ? "\u{1B}[\(rowsAbove)A" : "") + "\r\u{1B}[J"
  }

  private func write(_ text: String) { try? Descriptor.write(text.utf8, to: STDERR_FILENO) }
}

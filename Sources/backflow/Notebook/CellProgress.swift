import CommandLanguage
import Commands
@preconcurrency import Dispatch
import Foundation
import Handouts
import Jupyter
import Synchronization

/// Shows the progress of the running command below its cell: one display, redrawn a few times a
/// second.
final class CellProgress: Sendable {
  /// The time before a command's progress is shown; faster commands show nothing.
  private static let delay = Duration.seconds(1)
  private static let period = DispatchTimeInterval.milliseconds(125)
  /// The width of the plain form, in columns.
  private static let columns = 100

  private struct Running {
    let screen: CellScreen
    let start: ContinuousClock.Instant
    let id: String
    var update: ProgressUpdate?
    var shown = ""
  }

  private let running = Mutex<Running?>(nil)
  private let timer: any DispatchSourceTimer

  init() {
    timer = DispatchSource.makeTimerSource(queue: DispatchQueue(label: "cell-progress"))
    timer.schedule(deadline: .now(), repeating: Self.period)
    timer.setEventHandler { [unowned self] in draw() }
    timer.resume()
  }

  deinit { timer.cancel() }

  /// Begins the progress of a command whose output goes to `screen`.
  func begin(_ screen: CellScreen) {
    running.withLock {
      $0 = Running(screen: screen, start: .now, id: "backflow-\(UUID().uuidString)")
    }
  }

  func end() { running.withLock { $0 = nil } }

  /// Takes an update, or shows a warning at once.
  func show(_ update: ProgressUpdate) {
    running.withLock { running in
      if let warning = update.warning {
        running?.screen.show(foreword: warning)
      } else {
        running?.update = update
      }
    }
  }

  private func draw() {
    running.withLock { running in
      guard let current = running, let update = current.update else { return }
      let time = ContinuousClock.now - current.start
      guard time >= Self.delay else { return }
      let isStopping = Interrupts.interruption.isRequested
      let line = ProgressLine.text(update, after: time / .seconds(1), columns: Self.columns)
      let text = isStopping ? "stopping  \(line)" : line
      guard text != current.shown else { return }
      running?.shown = text
      let html = Self.html(update, after: time / .seconds(1), isStopping: isStopping)
      current.screen.show(
        progress: MimeBundle(text: text, [.init("text/html", .string(html))]), id: current.id)
    }
  }

  /// The progress with a bar, and the curve of the loss.
  private static func html(
    _ update: ProgressUpdate, after seconds: Double, isStopping: Bool
  ) -> String {
    let plain = ProgressUpdate(
      update.text, fraction: update.fraction, count: update.count, things: update.things,
      note: update.note)
    let words = ProgressLine.text(plain, after: seconds, columns: nil)
    let bar = update.fraction.map {
      "<progress max=\"1\" value=\"\(min(max($0, 0), 1))\" style=\"width:16em\"></progress>  "
    }
    return """
      <div style="\(CellRendering.style)">\(bar ?? "")\(isStopping ? "stopping " : "")\
      \(HTML.escaped(words))\(curve(update.trend))</div>
      """
  }

  /// The values as a small curve, the newest at the right; empty for fewer than two.
  private static func curve(_ values: [Double]) -> String {
    let values = values.filter(\.isFinite)
    guard values.count > 1, let low = values.min(), let high = values.max() else { return "" }
    let (width, height) = (320.0, 60.0)
    let points = values.enumerated().map { index, value in
      let x = width * Double(index) / Double(values.count - 1)
      let y = high > low ? height * (high - value) / (high - low) : height / 2
      return "\((x * 10).rounded() / 10),\(((y + 2) * 10).rounded() / 10)"
    }
    return """
      <br><svg width="324" height="64" role="img" aria-label="the loss so far">\
      <polyline fill="none" stroke="#4C78A8" stroke-width="2" points="\
      \(points.joined(separator: " "))"/></svg>
      """
  }
}

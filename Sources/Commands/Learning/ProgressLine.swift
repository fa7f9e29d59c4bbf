package import CommandLanguage
import Figures
import Foundation

/// A line that shows the progress of a command.
///
///     ▕████▎   ▏ epoch 6/10  step 42/80  loss 0.0031  ⠉⠒⠤⣀⣀  15 steps/s  3 s left  psnr 31 dB
package enum ProgressLine {
  private static let barColumns = 6
  private static let trendColumns = 8
  /// The narrowest line, in columns, that has a bar and a trend.
  private static let leastColumns = 60

  /// Returns the progress line, at most `columns` wide.
  ///
  /// - Parameters:
  ///   - update: The progress of the command.
  ///   - seconds: The time that it has run.
  ///   - columns: The width, or nil where nothing is drawn.
  /// - Returns: The line, without the parts that do not fit.
  package static func text(_ update: ProgressUpdate, after seconds: Double, columns: Int?) -> String
  {
    let isWide = columns.map { $0 >= leastColumns } ?? false
    var trend: String?, rate: String?
    if isWide, update.trend.count > 1 {
      trend = Sparkline.braille(update.trend, columns: trendColumns)
    }
    if let (count, things) = update.count.map({ ($0, update.things) }), count > 0, seconds > 0.5 {
      rate = "\(NumberFormat.significant(3).string(Double(count) / seconds)) \(things)/s"
    }
    let left = secondsLeft(update, seconds).map { "\(time($0)) left" }
    let clock = left ?? time(seconds.rounded(.down))
    let bar = isWide ? update.fraction.map { self.bar($0) + " " } ?? "" : ""
    func line(_ parts: String?...) -> String {
      bar + parts.compactMap(\.self).joined(separator: "  ")
    }
    let whole = line(update.text, trend, rate, clock, update.note)
    guard let columns else { return whole }
    // A part that does not fit is dropped whole, the least important first; the time left is last.
    let shorter = [
      whole, line(update.text, trend, rate, clock), line(update.text, trend, clock),
      line(update.text, clock),
    ]
    if let fitting = shorter.first(where: { VisibleText.columns(of: $0) <= columns }) {
      return fitting
    }
    let room = columns - VisibleText.columns(of: line("", clock))
    return VisibleText.cut(line(VisibleText.cut(update.text, to: max(1, room)), clock), to: columns)
  }

  /// The estimated time left in whole seconds, at the present rate; nil at the beginning.
  private static func secondsLeft(_ update: ProgressUpdate, _ seconds: Double) -> Double? {
    guard let fraction = update.fraction, fraction > 0.01, fraction <= 1 else { return nil }
    return (seconds * (1 - fraction) / fraction).rounded(.up)
  }

  /// A bar between two edges, with a resolution of an eighth of a column.
  private static func bar(_ fraction: Double) -> String {
    let eighths = Int((min(max(fraction, 0), 1) * Double(8 * barColumns)).rounded())
    let parts = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"]
    let full = String(repeating: "█", count: eighths / 8) + parts[eighths % 8]
    return "▕" + full + String(repeating: " ", count: barColumns - full.count) + "▏"
  }

  /// A time in whole seconds, minutes or hours.
  private static func time(_ seconds: Double) -> String {
    switch seconds {
    case ..<100: "\(Int(seconds)) s"
    case ..<6000: "\(Int((seconds / 60).rounded())) min"
    default: "\(NumberFormat.significant(2).string(seconds / 3600)) h"
    }
  }
}

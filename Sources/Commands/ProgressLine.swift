package import CommandLanguage
import Figures
import Foundation

/// One line that says how far a command is.
///
///     ▕████▎   ▏ epoch 6/10  step 42/80  loss 0.0031  ⠉⠒⠤⣀⣀  15 steps/s  3 s left  psnr 31 dB
package enum ProgressLine {
  private static let barColumns = 6
  private static let trendColumns = 8
  /// Below this width, words alone.
  private static let leastColumns = 60

  /// The line, at most `columns` wide.
  ///
  /// - Parameters:
  ///   - update: How far the command is.
  ///   - seconds: How long it has run.
  ///   - columns: The width, or none where nobody draws.
  /// - Returns: The line, without what finds no room.
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
    // What finds no room goes whole, the least important first; what is left stays to the end.
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

  /// What is left if all goes on as so far.
  private static func secondsLeft(_ update: ProgressUpdate, _ seconds: Double) -> Double? {
    guard let fraction = update.fraction, fraction > 0.01, fraction <= 1 else { return nil }
    return (seconds * (1 - fraction) / fraction).rounded(.up)
  }

  /// A bar between two lines, eighths of a column fine.
  private static func bar(_ fraction: Double) -> String {
    let eighths = Int((min(max(fraction, 0), 1) * Double(8 * barColumns)).rounded())
    let parts = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"]
    let full = String(repeating: "█", count: eighths / 8) + parts[eighths % 8]
    return "▕" + full + String(repeating: " ", count: barColumns - full.count) + "▏"
  }

  /// Whole seconds, minutes or hours.
  private static func time(_ seconds: Double) -> String {
    switch seconds {
    case ..<100: "\(Int(seconds)) s"
    case ..<6000: "\(Int((seconds / 60).rounded())) min"
    default: "\(NumberFormat.significant(2).string(seconds / 3600)) h"
    }
  }
}

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
  /// - Returns: The line, cut where it is too long.
  package static func text(_ update: ProgressUpdate, after seconds: Double, columns: Int?) -> String
  {
    let isWide = columns.map { $0 >= leastColumns } ?? false
    var parts = [update.text]
    if isWide, update.trend.count > 1 {
      parts.append(Sparkline.braille(update.trend, columns: trendColumns))
    }
    if let (count, things) = update.count.map({ ($0, update.things) }), count > 0, seconds > 0.5 {
      parts.append("\(NumberFormat.significant(3).string(Double(count) / seconds)) \(things)/s")
    }
    if let left = secondsLeft(update, seconds) {
      parts.append("\(time(left)) left")
    } else {
      parts.append(time(seconds.rounded(.down)))
    }
    if let note = update.note { parts.append(note) }
    let bar = isWide ? update.fraction.map { self.bar($0) + " " } ?? "" : ""
    let line = bar + parts.joined(separator: "  ")
    return columns.map { VisibleText.cut(line, to: $0) } ?? line
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

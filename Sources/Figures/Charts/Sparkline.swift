import Foundation

/// A line of text that shows the course of some numbers.
package enum Sparkline {
  /// Draws numbers from left to right as braille dots, four levels high, between the smallest and
  /// the largest.
  ///
  /// Several numbers at one dot become their mean. When all are positive and span more than a
  /// decade, the levels are logarithmic. Numbers that are not finite leave a gap.
  package static func braille(_ values: [Double], columns: Int) -> String {
    guard columns > 0, !values.isEmpty else { return "" }
    var grid = BrailleGrid(columns: columns, rows: 1)
    let width = min(grid.width, values.count)
    let means = (0..<width).map { place -> Double in
      let part = values[place * values.count / width..<(place + 1) * values.count / width]
        .filter(\.isFinite)
      return part.isEmpty ? .nan : part.reduce(0, +) / Double(part.count)
    }
    let finite = means.filter(\.isFinite)
    guard let least = finite.min(), let most = finite.max() else { return "" }
    let isLogarithmic = least > 0 && most > 10 * least
    let scaled = isLogarithmic ? means.map { log($0) } : means
    let (low, high) = isLogarithmic ? (log(least), log(most)) : (least, most)
    for (x, value) in scaled.enumerated() where value.isFinite {
      let part = high > low ? (value - low) / (high - low) : 0.5
      grid.set(x, 3 - Int((part * 3).rounded()))
    }
    return String((0..<columns).compactMap { grid.character(row: 0, column: $0) ?? "\u{2800}" })
  }
}

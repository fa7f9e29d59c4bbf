import Foundation

/// The number of digits with which a number is written.
package enum NumberFormat: Hashable, Sendable {
  /// A fixed count of digits after the point: `40.02`.
  case fixed(Int)
  /// A count of significant digits, with an exponent for very large and small: `0.00031`.
  case significant(Int)
  /// The fewest digits that read back as the same number: `0.1`.
  case shortest

  /// The number as text, `nan`, `inf` and `-inf` included; never with a comma.
  package func string(_ value: Double) -> String {
    if value.isNaN { return "nan" }
    if value.isInfinite { return value < 0 ? "-inf" : "inf" }
    switch self {
    case .fixed(let digits):
      return positiveZero(String(format: "%.\(min(max(digits, 0), 40))f", value))
    case .significant(let digits):
      return positiveZero(String(format: "%#.\(min(max(digits, 1), 40))g", value))
    case .shortest:
      guard value == value.rounded(), abs(value) < 1e15 else { return "\(value)" }
      return "\(Int64(value))"
    }
  }

  /// `0.00` for `-0.00`, and no point at the end of the text.
  private func positiveZero(_ text: String) -> String {
    var result = text
    if result.last == "." { result.removeLast() }
    let isZero = result.allSatisfy { "-0.".contains($0) }
    return isZero && result.first == "-" ? String(result.dropFirst()) : result
  }
}

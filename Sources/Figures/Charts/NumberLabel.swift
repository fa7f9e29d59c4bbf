import Foundation

/// The text of a number at an axis, at a bar or in a cell.
package struct NumberLabel: Hashable, Sendable {
  /// The digits, with a hyphen for minus; empty for a bare power of ten.
  private let digits: String
  /// The power of ten behind them; nil for none.
  private let exponent: Int?

  /// A number of 1 to 9 times 10ⁿ, as on a logarithmic axis; with `isBare`, always as a power.
  init(_ digit: Int, exponent: Int, isBare: Bool = false) {
    if !isBare, (-3...4).contains(exponent) {
      let value =
        exponent < 0 ? Double(digit) / powerOfTen(-exponent) : Double(digit) * powerOfTen(exponent)
      digits = fixed(value, max(0, -exponent))
      self.exponent = nil
    } else {
      digits = digit == 1 ? "" : "\(digit)"
      self.exponent = exponent
    }
  }

  /// A multiple of `step` among ticks with the largest magnitude `largest`.
  init(_ value: Double, step: DecimalStep, largest: Double) {
    let top = largest > 0 ? Int(decimalLog(max(largest, 1e-290)).rounded(.down)) : 0
    if value == 0 || (-4...5).contains(top) {
      digits = value == 0 ? "0" : fixed(value, max(0, -step.exponent))
      exponent = nil
    } else {
      let scaled = top < 0 ? value * powerOfTen(-top) : value / powerOfTen(top)
      digits = fixed(scaled, max(0, top - step.exponent))
      exponent = top
    }
  }

  /// A number with `significant` digits: `0.0312`, `3.1×10⁻⁵`, `nan`.
  package init(_ value: Double, significant: Int) {
    guard value.isFinite else {
      digits = value.isNaN ? "nan" : value < 0 ? "-inf" : "inf"
      exponent = nil
      return
    }
    let scientific = String(format: "%.\(significant - 1)e", value)
    let parts = scientific.split(separator: "e")
    let power = parts.count == 2 ? Int(parts[1]) ?? 0 : 0
    if value == 0 || (-4...5).contains(power) {
      digits = value == 0 ? "0" : fixed(value, max(0, significant - 1 - power))
      exponent = nil
    } else {
      digits = String(parts[0])
      exponent = power
    }
  }

  /// A number with `decimals` after the point, or its name if it is not finite.
  fileprivate init(_ value: Double, decimals: Int) {
    digits =
      value.isFinite ? fixed(value, decimals) : value.isNaN ? "nan" : value < 0 ? "-inf" : "inf"
    exponent = nil
  }

  /// The text in print: `−2×10⁻⁵`.
  package var printed: String {
    let body = digits.replacing("-", with: "−")
    guard let exponent else { return body }
    let power = "10" + String("\(exponent)".map { Self.superscripts[$0] ?? $0 })
    return body.isEmpty ? power : "\(body)×\(power)"
  }

  /// The text in ASCII: `-2e-5`.
  package var plain: String {
    guard let exponent else { return digits }
    return "\(digits.isEmpty ? "1" : digits)e\(exponent)"
  }

  private static let superscripts: [Character: Character] = [
    "-": "⁻", "0": "⁰", "1": "¹", "2": "²", "3": "³", "4": "⁴", "5": "⁵", "6": "⁶", "7": "⁷",
    "8": "⁸", "9": "⁹",
  ]
}

/// A common power of ten for all numbers of a table, so that they are easy to compare.
struct CommonPower {
  private let exponent: Int
  private let decimals: Int

  /// The power for numbers up to `largest`, which gets three digits.
  init(largest: Double) {
    let top = largest > 0 ? Int(decimalLog(max(largest, 1e-290)).rounded(.down)) : 0
    exponent = (-1...3).contains(top) ? 0 : top
    decimals = max(0, 2 - (top - exponent))
  }

  /// The factor of the numbers, for a caption; nil for 1.
  var name: String? {
    exponent == 0 ? nil : "numbers × \(NumberLabel(1, exponent: exponent, isBare: true).printed)"
  }

  func label(_ value: Double) -> NumberLabel {
    let scaled =
      exponent < 0 ? value * powerOfTen(-exponent) : value / powerOfTen(exponent)
    return NumberLabel(scaled, decimals: decimals)
  }
}

/// `value` with `digits` after the point, and no minus before zero.
private func fixed(_ value: Double, _ digits: Int) -> String {
  let text = String(format: "%.\(digits)f", value)
  return text.allSatisfy { "-0.".contains($0) } && text.first == "-"
    ? String(text.dropFirst()) : text
}

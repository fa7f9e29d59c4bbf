import CommandLanguage
import Foundation

/// The messages of `expect` about two numbers that do not fulfil a relation.
struct UnmetExpectation {
  private let left: Double, right: Double
  private let relation: Comparison.Relation
  /// The allowed difference, as a part of the right side.
  private let tolerance: Double

  init(_ left: Double, _ relation: Comparison.Relation, _ right: Double, within tolerance: Double) {
    (self.left, self.relation, self.right, self.tolerance) = (left, relation, right, tolerance)
  }

  /// `the left side is NaN`; nil when neither is.
  var sideOfNaN: String? {
    switch (left.isNaN, right.isNaN) {
    case (true, true): "both sides are NaN"
    case (true, false): "the left side is NaN"
    case (false, true): "the right side is NaN"
    case (false, false): nil
    }
  }

  /// The expected relation, and the difference of the numbers.
  var message: String {
    let allowed =
      tolerance > 0 ? " within \(NumberFormat.shortest.string(tolerance * 100)) %" : ""
    let (a, b) = texts
    return "expected \(a) \(relation.rawValue) \(b)\(allowed): \(sideOfNaN ?? difference)"
  }

  /// Advice on how to fulfil the expectation.
  var hint: String {
    if sideOfNaN != nil {
      return "NaN fulfils nothing but !=; 'diagnose' and NAME.nan say where it is"
    }
    switch relation {
    case .different: return "they must not be equal; was one of them to change?"
    case .less where left == right: return "write <= if they may be equal"
    case .greater where left == right: return "write >= if they may be equal"
    case .less, .greater: return "look at both sides with 'stats' or 'show'"
    case .equal, .atMost, .atLeast:
      guard let percent = allowance else {
        return "within= is a part of the right side: compare with a number that is finite and not 0"
      }
      return "within=\(percent)% would allow it"
    }
  }

  /// Both numbers, with as many digits as tell them apart.
  private var texts: (String, String) {
    func text(_ value: Double, _ digits: Int) -> String {
      NumberFormat.significant(digits).string(value)
    }
    guard left != right else { return (text(left, 6), text(right, 6)) }
    guard let digits = [6, 9, 12].first(where: { text(left, $0) != text(right, $0) }) else {
      return (NumberFormat.shortest.string(left), NumberFormat.shortest.string(right))
    }
    return (text(left, digits), text(right, digits))
  }

  /// `they differ by 0.01, 2 % of the right side`.
  private var difference: String {
    let distance = abs(left - right)
    guard distance > 0 else { return "they are equal" }
    let text = NumberFormat.significant(3).string(distance)
    guard right != 0, (distance / abs(right)).isFinite else { return "they differ by \(text)" }
    let part = NumberFormat.significant(3).string(100 * distance / abs(right))
    return "they differ by \(text), \(part) % of the right side"
  }

  /// The smallest round percentage that allows the difference; nil if none does.
  private var allowance: String? {
    let part = 100 * abs(left - right) / abs(right)
    guard part.isFinite, part > 0 else { return nil }
    let power = pow(10, floor(log10(part)))
    let steps = [1, 2, 5, 10, 20].map { $0 * power }
    guard let enough = steps.first(where: { abs(left - right) <= $0 / 100 * abs(right) }) else {
      return nil
    }
    return NumberFormat.significant(2).string(enough).trimmingZeros
  }
}

extension String {
  /// A number without zeros behind its digits: `0.5` for `0.50`.
  fileprivate var trimmingZeros: String {
    guard contains("."), !contains("e") else { return replacing(/\.?0+(?=e)/, with: "") }
    return replacing(/\.?0+$/, with: "")
  }
}

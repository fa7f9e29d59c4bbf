package import Tensors

/// How one gradient stands to another of the same shape.
package struct GradientComparison: Sendable {
  /// aᵀb / (‖a‖·‖b‖): 1 for gradients that point the same way; NaN if one is zero or not finite.
  package let cosine: Double
  /// ‖b‖ / ‖a‖.
  package let normRatio: Double
  /// max |b − a|, and the same as a part of max |a|.
  package let maxDifference: Double, relativeDifference: Double
  /// The share of elements that have the same sign, zeros being a sign of their own; NaN if any
  /// number is not finite.
  package let signAgreement: Double
  /// Whether all numbers of the reference are finite, and those of the other.
  package let areFinite: (reference: Bool, other: Bool)
  /// Whether all numbers of the reference are 0, and those of the other.
  package let areZero: (reference: Bool, other: Bool)

  /// Compares `b` with the reference `a`; sums are taken in Double.
  package init<Element: Scalar>(_ a: Tensor<Element>, _ b: Tensor<Element>) {
    let (x, y) = (a.doubles().scalars, b.doubles().scalars)
    var (xx, yy, xy, difference, agreeing) = (0.0, 0.0, 0.0, 0.0, 0)
    for (x, y) in zip(x, y) {
      xx += x * x
      yy += y * y
      xy += x * y
      // A NaN on either side makes the difference NaN.
      difference = x.isNaN || y.isNaN || difference.isNaN ? .nan : max(difference, abs(y - x))
      if (x > 0) == (y > 0), (x < 0) == (y < 0) { agreeing += 1 }
    }
    cosine = xy / (xx.squareRoot() * yy.squareRoot())
    normRatio = (yy / xx).squareRoot()
    maxDifference = difference
    let largest = a.largestMagnitude()
    relativeDifference = difference == 0 ? 0 : difference / largest
    areFinite = (a.isFinite(), b.isFinite())
    areZero = (xx == 0 && largest == 0, yy == 0 && b.largestMagnitude() == 0)
    signAgreement =
      areFinite == (true, true) ? Double(agreeing) / Double(max(1, x.count)) : .nan
  }
}

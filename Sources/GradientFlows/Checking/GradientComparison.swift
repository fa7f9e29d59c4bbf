package import Tensors

/// How one gradient stands to another of the same shape.
package struct GradientComparison: Sendable {
  /// The reason why two gradients have no angle: one of them has no direction.
  package enum NoAngle: Hashable, Sendable {
    case referenceIsZero
    case otherIsZero
    case bothAreZero
    case notFinite

    /// The reason that gradients give which are finite or not, and 0 or not; nil where there is none.
    fileprivate init?(isFinite: Bool, areZero: (reference: Bool, other: Bool)) {
      switch (isFinite, areZero) {
      case (false, _): self = .notFinite
      case (true, (true, true)): self = .bothAreZero
      case (true, (true, false)): self = .referenceIsZero
      case (true, (false, true)): self = .otherIsZero
      case (true, (false, false)): return nil
      }
    }
  }

  /// aᵀb / (‖a‖·‖b‖): 1 for gradients that point the same way; nil where there is no angle.
  package let cosine: Double?
  /// Why there is no angle; nil where there is one.
  package let noAngle: NoAngle?
  /// ‖b‖ / ‖a‖; nil where the reference is 0 or a number is not finite.
  package let normRatio: Double?
  /// max |b − a|, and the same as a part of max |a|.
  package let maxDifference: Double, relativeDifference: Double
  /// The share of elements that have the same sign, zeros being a sign of their own; NaN if any
  /// number is not finite.
  package let signAgreement: Double
  /// Whether all numbers of the reference are finite, and those of the other.
  package let areFinite: (reference: Bool, other: Bool)

  /// Compares `b` with the reference `a`; sums are taken in Double, of numbers that a power of 2 brings
  /// near 1, so that no square overflows or vanishes.
  package init<Element: Scalar>(_ a: Tensor<Element>, _ b: Tensor<Element>) {
    let (x, y) = (a.doubles().scalars, b.doubles().scalars)
    let largest = (Double(a.largestMagnitude()), Double(b.largestMagnitude()))
    let (p, q) = (powerOfTwo(below: largest.0), powerOfTwo(below: largest.1))
    var (xx, yy, xy, difference, agreeing) = (0.0, 0.0, 0.0, 0.0, 0)
    for (x, y) in zip(x, y) {
      xx += (x / p) * (x / p)
      yy += (y / q) * (y / q)
      xy += (x / p) * (y / q)
      // A NaN on either side makes the difference NaN.
      difference = x.isNaN || y.isNaN || difference.isNaN ? .nan : max(difference, abs(y - x))
      if (x > 0) == (y > 0), (x < 0) == (y < 0) { agreeing += 1 }
    }
    areFinite = (a.isFinite(), b.isFinite())
    let isFinite = areFinite == (true, true)
    noAngle = NoAngle(isFinite: isFinite, areZero: (xx == 0, yy == 0))
    cosine = noAngle == nil ? xy / (xx.squareRoot() * yy.squareRoot()) : nil
    normRatio = isFinite && xx > 0 ? (yy / xx).squareRoot() * (q / p) : nil
    maxDifference = difference
    relativeDifference = difference == 0 ? 0 : difference / largest.0
    signAgreement = isFinite ? Double(agreeing) / Double(max(1, x.count)) : .nan
  }
}

/// The largest power of 2 that is not above a positive number; 1 for others.
private func powerOfTwo(below number: Double) -> Double {
  number > 0 && number.isFinite ? number.binade : 1
}

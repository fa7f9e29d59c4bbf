/// The mean difference of two contestants over the same seeds, with its confidence interval.
///
/// The seeds are the pairs: both had the same weights, batches and noise, so that their common part
/// cancels. The interval is Student's for the mean of the differences at 95 %, d̄ ± t·s/√n.
package struct PairedDifferences: Hashable, Sendable {
  package let differences: [Double]
  package let mean: Double
  /// The sample standard deviation; NaN for a single pair.
  package let deviation: Double
  /// The ends of the 95 % interval of the mean; infinite for a single pair.
  package let low: Double, high: Double

  /// The differences `second[i] − first[i]` of all pairs that are finite.
  package init(_ first: [Double], _ second: [Double]) {
    differences = zip(first, second).map { $1 - $0 }.filter(\.isFinite)
    let count = differences.count
    guard count > 0 else {
      (mean, deviation, low, high) = (.nan, .nan, -.infinity, .infinity)
      return
    }
    let mean = differences.reduce(0, +) / Double(count)
    self.mean = mean
    guard count > 1 else {
      (deviation, low, high) = (.nan, -.infinity, .infinity)
      return
    }
    let squares = differences.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    deviation = (squares / Double(count - 1)).squareRoot()
    let half = Self.quantile(degrees: count - 1) * deviation / Double(count).squareRoot()
    (low, high) = (mean - half, mean + half)
  }

  /// Whether the interval excludes 0, so that the difference is significant.
  package var isSupported: Bool { low > 0 || high < 0 }

  /// The number of pairs in which the second is higher.
  package var wins: Int { differences.count { $0 > 0 } }

  /// The 97.5 % quantile of Student's t; beyond 30 degrees of freedom, by the first terms of its
  /// expansion about the normal's (Abramowitz and Stegun 26.7.5).
  package static func quantile(degrees: Int) -> Double {
    let table = [
      12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160,
      2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056,
      2.052, 2.048, 2.045, 2.042,
    ]
    if degrees <= table.count { return table[degrees - 1] }
    let (z, n) = (1.959964, Double(degrees))
    let (z3, z5) = (z * z * z, z * z * z * z * z)
    return z + (z3 + z) / (4 * n) + (5 * z5 + 16 * z3 + 3 * z) / (96 * n * n)
  }
}

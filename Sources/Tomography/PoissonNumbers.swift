import Tensors

/// Exact Poisson numbers of a random stream.
///
/// Below a mean of 10 by inversion of the distribution; from there on by Hörmann's transformed rejection
/// with squeeze (PTRS), whose acceptance compares with the logarithm of the probability itself. Each
/// number has a part of the stream of its own, so that any can be drawn alone, in any order; logarithms
/// are those of `ReproducibleMath`, so that every machine draws the same.
///
/// Source: Hörmann, "The transformed rejection method for generating Poisson random variables" (1993).
struct PoissonNumbers {
  let stream: RandomStream

  /// The places of the stream for these numbers, apart from those of normal numbers.
  private static let first: UInt64 = 1 << 48

  /// Returns number `index`, of mean `mean`.
  func number(at index: Int, mean: Double) -> Double {
    let place = Self.first + UInt64(index) << 8
    return mean < 10 ? inverted(place, mean) : rejected(place, mean)
  }

  /// Two numbers uniform in 0..<1.
  private func pair(_ place: UInt64) -> (Double, Double) {
    let words = stream.bits(at: place)
    func uniform(_ low: UInt32, _ high: UInt32) -> Double {
      Double((UInt64(high) << 32 | UInt64(low)) >> 11) * 0x1p-53
    }
    return (uniform(words[0], words[1]), uniform(words[2], words[3]))
  }

  private func inverted(_ place: UInt64, _ mean: Double) -> Double {
    guard mean > 0 else { return 0 }
    let uniform = pair(place).0
    var probability = ReproducibleMath.exp(-mean)
    var sum = probability
    var count = 0.0
    // Beyond 100, for a mean below 10, a probability does not count beside the rounding of the sum.
    while uniform >= sum, count < 100 {
      count += 1
      probability *= mean / count
      sum += probability
    }
    return count
  }

  private func rejected(_ place: UInt64, _ mean: Double) -> Double {
    let root = mean.squareRoot()
    let b = 0.931 + 2.53 * root
    let a = -0.059 + 0.02483 * b
    let limit = 0.9277 - 3.6224 / (b - 2)
    // A trial fails in at most a quarter of cases: 256 of them never do.
    for trial in 0..<256 {
      let (u, v) = pair(place + UInt64(trial))
      let centered = u - 0.5
      let rest = 0.5 - abs(centered)
      guard rest > 0 else { continue }
      let count = ((2 * a / rest + b) * centered + mean + 0.43).rounded(.down)
      if rest >= 0.07, v <= limit { return count }
      guard count >= 0, !(rest < 0.013 && v > rest), v > 0 else { continue }
      let inverse = 1.1239 + 1.1328 / (b - 3.4)
      let wanted = ReproducibleMath.log(v * inverse / (a / (rest * rest) + b))
      if wanted <= count * ReproducibleMath.log(mean) - mean - Self.logFactorial(count) {
        return count
      }
    }
    return mean.rounded()
  }

  /// ln n!, by Stirling's series from 10 on.
  private static func logFactorial(_ n: Double) -> Double {
    guard n >= 10 else { return small[Int(n)] }
    let x = n + 1
    let inverse = 1 / (x * x)
    let series = (1.0 / 12 - inverse * (1.0 / 360 - inverse * (1.0 / 1260 - inverse / 1680))) / x
    return (x - 0.5) * ReproducibleMath.log(x) - x + 0.91893853320467274178 + series
  }

  private static let small: [Double] = (0..<10).map { n in
    ReproducibleMath.log((1...max(1, n)).reduce(1.0) { $0 * Double($1) })
  }
}

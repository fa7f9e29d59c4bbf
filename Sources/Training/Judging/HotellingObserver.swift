import Foundation

/// A channelized Hotelling observer: how well a known signal is told from its absence.
///
/// An image gives p numbers, its responses to the channels. With the means of the responses with and
/// without signal, n images each, and their pooled covariance S,
///
///     d̂² = Δᵀ S⁻¹ Δ,   AUC = Φ(d/√2)
///
/// d̂² is larger than d² on average; the unbiased estimate is d² = d̂²·(N − p − 3)/(N − 2) − 2p/n, with
/// N = 2n. The interval follows from the noncentral F distribution of d̂²·(N − p − 1)·n/(2p(N − 2)), for
/// responses that are normal. Sources: Barrett, Myers, "Foundations of Image Science", 14.3; Wunderlich,
/// Noo, "Confidence intervals for performance assessment of linear observers" (2011).
package struct HotellingObserver: Sendable {
  /// The area under the curve of receiver operation: 0.5 for a guess, 1 for certainty.
  package let auc: Double
  /// The ends of its 95 % interval.
  package let low: Double, high: Double
  /// The detectability index d; 0 where the estimate of d² is below.
  package let detectability: Double

  /// Judges responses to p channels, of at least p + 2 images each; nil when they are too few or their
  /// covariance is singular.
  package init?(present: [[Double]], absent: [[Double]]) {
    guard let p = present.first?.count, present.count == absent.count, p > 0 else { return nil }
    let n = present.count
    let degrees = 2 * n - 2
    guard 2 * n - p - 3 > 0 else { return nil }
    func mean(_ rows: [[Double]]) -> [Double] {
      (0..<p).map { i in rows.reduce(0) { $0 + $1[i] } / Double(n) }
    }
    let (meanPresent, meanAbsent) = (mean(present), mean(absent))
    var covariance = [[Double]](repeating: Array(repeating: 0, count: p), count: p)
    for (rows, center) in [(present, meanPresent), (absent, meanAbsent)] {
      for row in rows {
        for i in 0..<p {
          for j in 0..<p { covariance[i][j] += (row[i] - center[i]) * (row[j] - center[j]) }
        }
      }
    }
    for i in 0..<p { for j in 0..<p { covariance[i][j] /= Double(degrees) } }
    let difference = zip(meanPresent, meanAbsent).map { $0 - $1 }
    guard let weights = Self.solution(covariance, difference) else { return nil }
    let square = zip(weights, difference).reduce(0) { $0 + $1.0 * $1.1 }
    guard square.isFinite else { return nil }
    let unbiased =
      square * Double(2 * n - p - 3) / Double(degrees) - 2 * Double(p) / Double(n)
    detectability = max(0, unbiased).squareRoot()
    auc = Self.normal(detectability / 2.0.squareRoot())
    let f = square * Double(n) / 2 * Double(2 * n - p - 1) / (Double(degrees) * Double(p))
    let rest = Double(2 * n - p - 1)
    func end(_ probability: Double) -> Double {
      // λ = d²·n/2.
      let lambda = NoncentralF.noncentrality(f, Double(p), rest, probability: probability)
      return Self.normal((2 * lambda / Double(n)).squareRoot() / 2.0.squareRoot())
    }
    (low, high) = (end(0.975), end(0.025))
  }

  /// The normal distribution.
  package static func normal(_ x: Double) -> Double { 0.5 * erfc(-x / 2.0.squareRoot()) }

  /// The solution of a symmetric positive definite system by Cholesky's method; nil if it is not.
  private static func solution(_ matrix: [[Double]], _ right: [Double]) -> [Double]? {
    let p = right.count
    var lower = matrix
    for i in 0..<p {
      for j in 0...i {
        let sum = (0..<j).reduce(matrix[i][j]) { $0 - lower[i][$1] * lower[j][$1] }
        if i == j {
          guard sum > 1e-12 * abs(matrix[i][i]), sum > 0 else { return nil }
          lower[i][i] = sum.squareRoot()
        } else {
          lower[i][j] = sum / lower[j][j]
        }
      }
    }
    var x = right
    for i in 0..<p {
      x[i] = (0..<i).reduce(x[i]) { $0 - lower[i][$1] * x[$1] } / lower[i][i]
    }
    for i in (0..<p).reversed() {
      x[i] = (i + 1..<p).reduce(x[i]) { $0 - lower[$1][i] * x[$1] } / lower[i][i]
    }
    return x
  }
}

/// The noncentral F distribution.
enum NoncentralF {
  /// The noncentrality λ under which a value below `f` has this probability; 0 if none is as likely.
  static func noncentrality(
    _ f: Double, _ first: Double, _ second: Double, probability: Double
  ) -> Double {
    guard f > 0, distribution(f, first, second, 0) > probability else { return 0 }
    var (low, high) = (0.0, max(1, 2 * f * first))
    while distribution(f, first, second, high) > probability, high < 1e7 { high *= 2 }
    for _ in 0..<60 {
      let middle = (low + high) / 2
      if distribution(f, first, second, middle) > probability {
        low = middle
      } else {
        high = middle
      }
    }
    return (low + high) / 2
  }

  /// P(F ≤ f) = Σⱼ Poisson(j; λ/2)·I(x; first/2 + j, second/2), x = first·f/(first·f + second).
  static func distribution(
    _ f: Double, _ first: Double, _ second: Double, _ lambda: Double
  ) -> Double {
    let x = first * f / (first * f + second)
    let half = lambda / 2
    // The terms about the largest, j = λ/2, out to where they vanish.
    let reach = Int(10 * half.squareRoot()) + 40
    let center = Int(half)
    var sum = 0.0
    for j in max(0, center - reach)...center + reach {
      let logWeight = half > 0 ? Double(j) * log(half) - half - lgamma(Double(j) + 1) : 0
      if half == 0, j > 0 { break }
      sum += exp(logWeight) * incompleteBeta(x, first / 2 + Double(j), second / 2)
    }
    return sum
  }

  /// The regularized incomplete beta function, by its continued fraction (Numerical Recipes, 6.4).
  static func incompleteBeta(_ x: Double, _ a: Double, _ b: Double) -> Double {
    guard x > 0 else { return 0 }
    guard x < 1 else { return 1 }
    let logBeta: Double = lgamma(a) + lgamma(b) - lgamma(a + b)
    let logPowers: Double = a * log(x) + b * log(1 - x)
    let front = exp(logPowers - logBeta)
    return x < (a + 1) / (a + b + 2)
      ? front * fraction(x, a, b) / a : 1 - front * fraction(1 - x, b, a) / b
  }

  private static func fraction(_ x: Double, _ a: Double, _ b: Double) -> Double {
    let tiny = 1e-300
    func kept(_ value: Double) -> Double { abs(value) < tiny ? tiny : value }
    var c = 1.0
    var d = 1 / kept(1 - (a + b) * x / (a + 1))
    var h = d
    for m in 1...300 {
      let m = Double(m)
      let k = a + 2 * m
      let even = m * (b - m) * x / ((k - 1) * k)
      d = 1 / kept(1 + even * d)
      c = kept(1 + even / c)
      h *= d * c
      let odd = -(a + m) * (a + b + m) * x / (k * (k + 1))
      d = 1 / kept(1 + odd * d)
      c = kept(1 + odd / c)
      h *= d * c
      if abs(d * c - 1) < 1e-12 { break }
    }
    return h
  }
}

/// Laguerre–Gauss channels about the middle of a square of pixels.
///
///     u_n(r) = (√2/a)·exp(−πr²/a²)·L_n(2πr²/a²),  n = 0 … count − 1
///
/// They are an orthonormal basis of round functions. Source: Gallas, Barrett, "Validating the use of
/// channels to estimate the ideal linear observer" (2003).
package struct LaguerreGaussChannels: Sendable {
  /// The side of the square in pixels, odd.
  package let side: Int
  /// The channels, each row by row.
  package let channels: [[Double]]

  /// Makes `count` channels of width `a` pixels.
  package init(count: Int, width a: Double, side: Int) {
    precondition(side % 2 == 1, "The square has a middle pixel.")
    self.side = side
    let middle = side / 2
    channels = (0..<count).map { n in
      (0..<side * side).map { pixel in
        let (y, x) = (Double(pixel / side - middle), Double(pixel % side - middle))
        let square = (x * x + y * y) / (a * a)
        return 2.0.squareRoot() / a * exp(-.pi * square) * Self.laguerre(n, 2 * .pi * square)
      }
    }
  }

  /// The responses of the channels to a square of pixels.
  package func responses(to pixels: [Float]) -> [Double] {
    channels.map { channel in zip(channel, pixels).reduce(0) { $0 + $1.0 * Double($1.1) } }
  }

  private static func laguerre(_ n: Int, _ x: Double) -> Double {
    guard n > 0 else { return 1 }
    var (before, value) = (1.0, 1 - x)
    for k in 1..<max(1, n) {
      (before, value) = (
        value, ((2 * Double(k) + 1 - x) * value - Double(k) * before) / (Double(k) + 1)
      )
    }
    return value
  }
}

/// Functions of real numbers that give the same bits on every machine.
///
/// The C library chooses other code on other CPUs, with other last digits. Random numbers must not
/// change with the machine, so these few functions use only IEEE additions, multiplications,
/// divisions and square roots, in a fixed order.
package enum ReproducibleMath {
  /// The natural logarithm of a positive, normal `x`, to about one unit in the last place.
  ///
  /// With x = 2ᵏ·m, √½ ≤ m < √2 and s = (m−1)/(m+1):
  /// ln x = k·ln 2 + 2·(s + s³/3 + s⁵/5 + …).
  package static func log(_ x: Double) -> Double {
    precondition(x > 0 && x.isNormal, "log needs a positive, normal number.")
    var exponent = x.exponent
    var mantissa = x.significand
    if mantissa > 1.4142135623730951 {
      mantissa /= 2
      exponent += 1
    }
    let s = (mantissa - 1) / (mantissa + 1)
    let s2 = s * s
    var series = 0.0
    for odd in stride(from: 23.0, through: 3.0, by: -2.0) {
      series = (series + 1 / odd) * s2
    }
    let k = Double(exponent)
    return k * ln2High + (2 * s + (2 * s * series + k * ln2Low))
  }

  /// e to the power of `x`, to about one unit in the last place; 0 and infinity beyond the range.
  ///
  /// With k the nearest whole number to x/ln 2 and r = x − k·ln 2: eˣ = 2ᵏ·(1 + r + r²/2! + …).
  package static func exp(_ x: Double) -> Double {
    guard x > -746 else { return x.isNaN ? x : 0 }
    guard x < 710 else { return x.isNaN ? x : .infinity }
    let k = (x / (ln2High + ln2Low)).rounded()
    let r = (x - k * ln2High) - k * ln2Low
    var series = 1.0
    for n in stride(from: 16.0, through: 1.0, by: -1.0) { series = 1 + series * r / n }
    // The power is applied in two steps, since 2ᵏ alone may be too large or too small for a normal
    // number.
    let half = Int(k) / 2
    return series * Double(sign: .plus, exponent: half, significand: 1)
      * Double(sign: .plus, exponent: Int(k) - half, significand: 1)
  }

  /// `base` to the power of `exponent`, for a positive, normal `base`.
  package static func power(_ base: Double, _ exponent: Double) -> Double {
    exp(exponent * log(base))
  }

  /// `base` to a whole power of at least 0, by multiplication alone.
  package static func power(_ base: Double, _ exponent: Int) -> Double {
    var (result, square, rest) = (1.0, base, exponent)
    while rest > 0 {
      if rest & 1 == 1 { result *= square }
      square *= square
      rest >>= 1
    }
    return result
  }

  // ln 2 in two parts, the first short enough for k·ln2High to be exact.
  private static let ln2High = 0x1.62e42feep-1
  private static let ln2Low = 0x1.a39ef35793c76p-33

  /// The sine and cosine of `turns` full turns, for `turns` in 0..<1.
  ///
  /// The angle is reduced to an eighth of a turn about the nearest quarter, where the Taylor series
  /// reach Double's precision.
  package static func sineAndCosine(turns: Double) -> (sine: Double, cosine: Double) {
    let quarter = (turns * 4).rounded()
    let x = (turns * 4 - quarter) * (Double.pi / 2)
    let x2 = x * x
    var sine = 1.0
    var cosine = 1.0
    for n in stride(from: 8.0, through: 1.0, by: -1.0) {
      sine = 1 - sine * x2 / ((2 * n) * (2 * n + 1))
      cosine = 1 - cosine * x2 / ((2 * n - 1) * (2 * n))
    }
    sine *= x
    switch Int(quarter) & 3 {
    case 0: return (sine, cosine)
    case 1: return (cosine, -sine)
    case 2: return (-sine, -cosine)
    default: return (-cosine, sine)
    }
  }
}

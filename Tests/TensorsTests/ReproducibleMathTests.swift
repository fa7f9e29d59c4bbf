import Foundation
import Tensors
import Testing

/// Powers of our own against those of the C library.
struct ReproducibleMathTests {
  @Test func `exp is the C library's to a unit or two in the last place`() {
    for i in -7000...7000 {
      let x = Double(i) / 10.1
      let (own, known) = (ReproducibleMath.exp(x), Foundation.exp(x))
      #expect(abs(own - known) <= 4 * known.ulp, "exp \(x): \(own), \(known)")
    }
    #expect(ReproducibleMath.exp(0) == 1)
  }

  @Test func `exp ends in 0 and in infinity, and hands NaN on`() {
    for x in [-1e308, -.infinity, -746.0] { #expect(ReproducibleMath.exp(x) == 0) }
    for x in [1e308, .infinity, 710.0] { #expect(ReproducibleMath.exp(x) == .infinity) }
    #expect(ReproducibleMath.exp(.nan).isNaN)
    #expect(ReproducibleMath.exp(-745) == Foundation.exp(-745), "the smallest number there is")
  }

  @Test func `powers are the C library's`() {
    for (base, exponent) in [(1.0, -0.55), (2, 0.5), (10, -0.55), (101, -0.55), (1e6, -1.5)] {
      let known = Foundation.pow(base, exponent)
      #expect(abs(ReproducibleMath.power(base, exponent) / known - 1) < 1e-14)
    }
    for exponent in [0, 1, 2, 7, 1000] {
      let known = Foundation.pow(0.999, Double(exponent))
      #expect(abs(ReproducibleMath.power(0.999, exponent) / known - 1) < 1e-13)
    }
    #expect(ReproducibleMath.power(0, 0) == 1)
    #expect(ReproducibleMath.power(0, 3) == 0)
  }
}

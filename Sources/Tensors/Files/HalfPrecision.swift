/// The value of the IEEE half-precision number with these bits.
func halfPrecision(_ bits: UInt16) -> Double {
  let sign = bits >> 15 == 0 ? 1.0 : -1.0
  let exponent = Int(bits >> 10 & 31)
  let fraction = Double(bits & 1023)
  switch exponent {
  case 0: return sign * fraction * 0x1p-24
  case 31: return fraction == 0 ? sign * .infinity : .nan
  default:
    return sign * (1 + fraction / 1024)
      * Double(sign: .plus, exponent: exponent - 15, significand: 1)
  }
}

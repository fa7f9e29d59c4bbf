/// A place in the body in mm: x to the patient's left, y to the back, z to the head.
typealias Place = SIMD3<Float>

extension Place {
  /// The scalar product.
  @inline(__always)
  func dot(_ other: Place) -> Float { x * other.x + y * other.y + z * other.z }

  /// The distance from the origin.
  @inline(__always)
  var length: Float { dot(self).squareRoot() }
}

/// The distance from the surface of an ellipsoid, negative inside, exact to first order there.
///
///     d = f (f − 1) / |∇f²/2|,  f = |(p − center) / radii|
func ellipsoidDistance(_ place: Place, center: Place, radii: Place) -> Float {
  let u = (place - center) / radii
  let f = u.length
  let slope = u / radii
  return f * (f - 1) / max(slope.length, 1e-6)
}

/// The distance in a transverse plane from a closed curve between an ellipse and a rectangle.
///
///     f⁴ = u⁴ + v⁴ + u²v²,  u = x/a,  v = y/b;  the curve is f = 1
func ovalDistance(_ x: Float, _ y: Float, _ a: Float, _ b: Float) -> Float {
  let u = x / a
  let v = y / b
  let u2 = u * u
  let v2 = v * v
  let f = (u2 * u2 + v2 * v2 + u2 * v2).squareRoot().squareRoot()
  guard f > 0.01 else { return -min(a, b) }
  let gu = u * (2 * u2 + v2) / a
  let gv = v * (2 * v2 + u2) / b
  let slope = (gu * gu + gv * gv).squareRoot() / (2 * f * f * f)
  return (f - 1) / max(slope, 1e-6)
}

/// The distance from a straight tube whose radius goes from `r0` at `a` to `r1` at `b`.
func tubeDistance(_ place: Place, _ a: Place, _ b: Place, _ r0: Float, _ r1: Float) -> Float {
  let axis = b - a
  let offset = place - a
  let t = min(max(offset.dot(axis) / max(axis.dot(axis), 1e-6), 0), 1)
  return (offset - t * axis).length - (r0 + (r1 - r0) * t)
}

/// The union of two shapes whose joint is rounded by about `radius`.
func join(_ a: Float, _ b: Float, rounding radius: Float) -> Float {
  let h = max(radius - abs(a - b), 0) / radius
  return min(a, b) - h * h * radius / 4
}

/// The intersection of two shapes whose edge is rounded by about `radius`.
func meet(_ a: Float, _ b: Float, rounding radius: Float) -> Float {
  -join(-a, -b, rounding: radius)
}

/// 0 below `low`, 1 above `high`, smooth between.
func ramp(_ x: Float, _ low: Float, _ high: Float) -> Float {
  let t = min(max((x - low) / (high - low), 0), 1)
  return t * t * (3 - 2 * t)
}

/// The value between `a` at t = 0 and `b` at t = 1.
func mix(_ a: Float, _ b: Float, _ t: Float) -> Float { a + (b - a) * t }

/// A transverse slice in the making: tissues are painted over one another, in HU.
///
/// An edge is as wide as a pixel: there, a pixel takes its share of both tissues, the partial volume
/// of CT.
struct PhantomSlice {
  /// Columns and rows.
  let size: Int
  /// The extent of a pixel in mm.
  let pixel: Float
  /// The height of the slice in the body in mm.
  let z: Float
  /// The picture, row-major.
  private(set) var hounsfield: [Float]

  init(size: Int, pixel: Float, z: Float) {
    self.size = size
    self.pixel = pixel
    self.z = z
    hounsfield = Array(repeating: -1000, count: size * size)
  }

  /// A rectangle in mm.
  struct Box {
    var x: ClosedRange<Float>
    var y: ClosedRange<Float>

    static let everything = Box(x: -1e6...1e6, y: -1e6...1e6)

    /// The square about a place.
    init(around place: Place, reach: Float) {
      x = place.x - reach...place.x + reach
      y = place.y - reach...place.y + reach
    }

    init(x: ClosedRange<Float>, y: ClosedRange<Float>) {
      self.x = x
      self.y = y
    }
  }

  /// Calls `body` for each pixel of `box` with its index and its place.
  @inline(__always)
  func forEachPixel(in box: Box, _ body: (Int, Place) -> Void) {
    let columns = pixels(box.x)
    let origin = (0.5 - Float(size) / 2) * pixel
    for row in pixels(box.y) {
      let y = origin + Float(row) * pixel
      for column in columns {
        body(row * size + column, Place(origin + Float(column) * pixel, y, z))
      }
    }
  }

  /// Paints `tissue`, in HU, where `distance`, in mm, is negative.
  ///
  /// `softness` widens the edge, in mm; `strength` below 1 lets what lies below shine through.
  @inline(__always)
  mutating func paint(
    in box: Box = .everything, softness: Float = 0, strength: Float = 1,
    tissue: (Place) -> Float, where distance: (Place) -> Float
  ) {
    let edge = pixel + softness
    let columns = pixels(box.x)
    let rows = pixels(box.y)
    let (size, pixel, z) = (size, pixel, z)
    let origin = (0.5 - Float(size) / 2) * pixel
    hounsfield.withUnsafeMutableBufferPointer { hounsfield in
      for row in rows {
        for column in columns {
          let place = Place(
            origin + Float(column) * pixel, origin + Float(row) * pixel, z)
          let d = distance(place)
          guard d < edge / 2 else { continue }
          let cover = strength * min(max(0.5 - d / edge, 0), 1)
          let old = hounsfield[row * size + column]
          hounsfield[row * size + column] = old + (tissue(place) - old) * cover
        }
      }
    }
  }

  /// Paints `tissue` through a mask of one weight a pixel.
  mutating func paint(_ tissue: Float, through mask: [Float]) {
    for i in hounsfield.indices where mask[i] > 0 {
      hounsfield[i] += (tissue - hounsfield[i]) * mask[i]
    }
  }

  /// The rows or columns whose pixels lie within reach of `range`.
  private func pixels(_ range: ClosedRange<Float>) -> Range<Int> {
    let half = Float(size) / 2
    let low = min(max(range.lowerBound / pixel + half - 1, 0), Float(size))
    let high = min(max(range.upperBound / pixel + half + 1, 0), Float(size))
    return Int(low)..<max(Int(low), Int(high.rounded(.up)))
  }
}

extension PhantomSlice {
  /// The slice as a scanner would give it: blurred by the point spread, in whole HU.
  ///
  /// A Gaussian with a standard deviation of 0.6 mm, at least 0.45 pixels, cut at two pixels.
  func scanned() -> [Float] {
    let sigma = max(0.45, 0.6 / pixel)
    // exp(−d²/2σ²) by (1 − x/32)³², which needs no C library.
    let weight = { (d: Float) -> Float in
      var w = max(1 - d * d / (2 * sigma * sigma) / 32, 0)
      for _ in 0..<5 { w *= w }
      return w
    }
    let total = weight(0) + 2 * weight(1) + 2 * weight(2)
    let kernel = [weight(0) / total, weight(1) / total, weight(2) / total]
    let across = blurred(hounsfield, kernel, step: 1, position: { $0 % size })
    let both = blurred(across, kernel, step: size, position: { $0 / size })
    return both.map { min(max($0.rounded(), -1024), 3071) }
  }

  /// Blurs along rows (`step` 1) or columns (`step` size); pixels at the edge repeat.
  private func blurred(
    _ values: [Float], _ kernel: [Float], step: Int, position: (Int) -> Int
  ) -> [Float] {
    values.indices.map { i in
      let at = position(i)
      let before1 = at > 0 ? i - step : i
      let before2 = at > 1 ? i - 2 * step : before1
      let after1 = at < size - 1 ? i + step : i
      let after2 = at < size - 2 ? i + 2 * step : after1
      return kernel[0] * values[i] + kernel[1] * (values[before1] + values[after1])
        + kernel[2] * (values[before2] + values[after2])
    }
  }
}

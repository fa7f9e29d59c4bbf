/// A transverse slice that is being painted: tissues are laid over one another, in HU.
///
/// An edge is as wide as a pixel: there, a pixel takes its share of both tissues, the partial volume
/// of CT.
struct PhantomSlice {
  /// The number of columns and of rows.
  let size: Int
  /// The extent of a pixel in mm.
  let pixel: Float
  /// The height of the slice in the body in mm.
  let z: Float
  /// The picture, row-major.
  private(set) var hounsfield: [Float]
  /// The place in the body that each pixel shows.
  private var places: [Place]

  init(size: Int, pixel: Float, z: Float) {
    (self.size, self.pixel, self.z) = (size, pixel, z)
    hounsfield = Array(repeating: -1000, count: size * size)
    let origin = (0.5 - Float(size) / 2) * pixel
    places = (0..<size * size).map {
      Place(origin + Float($0 % size) * pixel, origin + Float($0 / size) * pixel, z)
    }
  }

  /// Bends the body: from now on, each pixel shows the place that `shift` returns an offset of up
  /// to 6 mm for.
  mutating func bend(by shift: (Place) -> Place) {
    for i in places.indices { places[i] += shift(places[i]) }
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
    for row in pixels(box.y) {
      for index in row * size + columns.lowerBound..<row * size + columns.upperBound {
        body(index, places[index])
      }
    }
  }

  /// The distance of every pixel from a shape, for shapes that are used more than once.
  @inline(__always)
  func field(_ distance: (Place) -> Float) -> [Float] {
    places.map(distance)
  }

  /// The distance of every pixel from a shape, given by a function of a pixel's index and place.
  @inline(__always)
  func field(at distance: (Int, Place) -> Float) -> [Float] {
    places.indices.map { distance($0, places[$0]) }
  }

  /// Paints `tissue`, in HU, where `distance`, in mm, is negative.
  ///
  /// `softness` widens the edge, in mm; `strength` below 1 mixes the tissue with the one below.
  @inline(__always)
  mutating func paint(
    in box: Box = .everything, softness: Float = 0, strength: Float = 1,
    tissue: (Place) -> Float, where distance: (Place) -> Float
  ) {
    paint(
      in: box, softness: softness, strength: strength, tissue: { tissue($1) },
      at: { distance($1) })
  }

  /// Paints `tissue` where `distance` is negative; both are given a pixel's index and place.
  @inline(__always)
  mutating func paint(
    in box: Box = .everything, softness: Float = 0, strength: Float = 1,
    tissue: (Int, Place) -> Float, at distance: (Int, Place) -> Float
  ) {
    let edge = pixel + softness
    let columns = pixels(box.x)
    let rows = pixels(box.y)
    let (size, places) = (size, places)
    hounsfield.withUnsafeMutableBufferPointer { hounsfield in
      for row in rows {
        for index in row * size + columns.lowerBound..<row * size + columns.upperBound {
          let place = places[index]
          let d = distance(index, place)
          guard d < edge / 2 else { continue }
          let cover = strength * min(0.5 - d / edge, 1)
          let old = hounsfield[index]
          hounsfield[index] = old + (tissue(index, place) - old) * cover
        }
      }
    }
  }

  /// Paints `tissue` where `field` is below −`depth`.
  @inline(__always)
  mutating func paint(
    in box: Box = .everything, tissue: (Place) -> Float, inside field: [Float],
    deeper depth: Float = 0
  ) {
    paint(in: box, tissue: { tissue($1) }, at: { index, _ in field[index] + depth })
  }

  /// Paints `outer`, and `inner` more than `shell` mm below the surface, as one layer after the
  /// other.
  @inline(__always)
  mutating func paint(
    in box: Box, outer: (Place) -> Float, shell: Float, inner: (Place) -> Float,
    where distance: (Place) -> Float
  ) {
    let pixel = pixel
    paint(
      in: box,
      tissue: { index, place in
        let cover = min(max(0.5 - (distance(place) + shell) / pixel, 0), 1)
        return mix(outer(place), inner(place), cover)
      },
      at: { distance($1) })
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
    let margin = 6 / pixel + 1
    let low = min(max(range.lowerBound / pixel + half - margin, 0), Float(size))
    let high = min(max(range.upperBound / pixel + half + margin, 0), Float(size))
    return Int(low)..<max(Int(low), Int(high.rounded(.up)))
  }
}

extension PhantomSlice {
  /// The slice as a scanner would measure it: blurred by the point spread, in whole HU.
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
    // Adding 0 turns −0, the rounding of −0.4, into the 0 that files hold.
    return both.map { min(max($0.rounded(), -1024), 3071) + 0 }
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

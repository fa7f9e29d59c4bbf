import Foundation

/// A ray as a straight line through the rows, or through the columns, of an image.
///
/// A ray that crosses more rows than columns meets the middle of row r at column start + slope·r and
/// each row on a length of `length` mm; another ray the same with rows and columns exchanged. So the
/// line integral is that of Joseph, Σ over rows of length·(value between two columns), whose adjoint is
/// exact: it hands length·value·(1 − share) and length·value·share to the same two pixels.
///
/// Source: Joseph, "An improved algorithm for reprojecting rays through pixel images" (1982).
struct Ray {
  let start: Double, slope: Double, length: Double
  /// Whether it crosses columns, so that the image is read turned over its diagonal.
  let crossesColumns: Bool

  /// A pixel and the length on which a ray counts it, in mm.
  struct Crossing {
    let row: Int, column: Int
    let length: Double
  }

  /// Returns the pixels that the ray counts, in the order of the sum.
  func crossings(_ grid: ImageGrid) -> [Crossing] {
    let (lines, across) = crossesColumns ? (grid.columns, grid.rows) : (grid.rows, grid.columns)
    var found: [Crossing] = []
    for line in 0..<lines {
      let place = start + slope * Double(line)
      guard place > -1, place < Double(across) else { continue }
      let left = place.rounded(.down)
      let share = place - left
      for (pixel, weight) in [(Int(left), 1 - share), (Int(left) + 1, share)]
      where weight > 0 && (0..<across).contains(pixel) {
        found.append(
          Crossing(
            row: crossesColumns ? pixel : line, column: crossesColumns ? line : pixel,
            length: length * weight))
      }
    }
    return found
  }

  /// Returns the length on which the ray counts a pixel, in mm; 0 when it misses it.
  func length(atRow row: Int, column: Int) -> Double {
    let (line, pixel) = crossesColumns ? (column, row) : (row, column)
    let distance = abs(start + slope * Double(line) - Double(pixel))
    return distance < 1 ? length * (1 - distance) : 0
  }
}

/// The rays of a scan through an image, by view and element.
struct Rays: Sendable {
  let scan: ScanGeometry
  let grid: ImageGrid
  private let views: [SIMD2<Double>], elements: [SIMD2<Double>]

  init(_ scan: ScanGeometry, _ grid: ImageGrid) {
    (self.scan, self.grid) = (scan, grid)
    func direction(_ angle: Double) -> SIMD2<Double> { SIMD2(cos(angle), sin(angle)) }
    views = (0..<scan.views).map { direction(scan.angle(of: $0)) }
    elements = (0..<scan.detectors).map { direction(scan.fanAngle(of: $0)) }
  }

  /// The number of rays.
  var count: Int { scan.views * scan.detectors }

  /// Returns ray number `index`, counted view by view.
  func ray(_ index: Int) -> Ray {
    let (view, element) = (index / scan.detectors, index % scan.detectors)
    let (beta, gamma) = (views[view], elements[element])
    // The angle θ = β − γ of the parallel ray, and its distance from the center.
    let cosine = beta.x * gamma.x + beta.y * gamma.y
    let sine = beta.y * gamma.x - beta.x * gamma.y
    let s =
      scan.beam == .parallel
      ? (Double(element) - scan.center) * scan.pitch : scan.sourceToCenter * gamma.y
    // It runs along (−sin θ, cos θ) through s·(cos θ, sin θ); here in pixels, y downward.
    let along = SIMD2(-sine / grid.columnSpacing, -cosine / grid.rowSpacing)
    let at = SIMD2(
      grid.centerColumn + s * cosine / grid.columnSpacing,
      grid.centerRow - s * sine / grid.rowSpacing)
    let isFlat = abs(along.x) > abs(along.y)
    let (main, other) = isFlat ? (along.x, along.y) : (along.y, along.x)
    let slope = other / main
    return Ray(
      start: isFlat ? at.y - at.x * slope : at.x - at.y * slope, slope: slope,
      length: 1 / abs(main), crossesColumns: isFlat)
  }
}

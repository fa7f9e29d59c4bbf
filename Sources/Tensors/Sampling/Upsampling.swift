/// The source of a row or column of an image that was made larger by bilinear interpolation.
///
/// With f the factor and centers of pixels at halves, row Y of the large image lies at
/// y = (Y + ½)/f − ½ of the small one, but not before its first row. It is the sum of rows ⌊y⌋ and
/// ⌊y⌋ + 1 (or the last) with the weights 1 − (y − ⌊y⌋) and y − ⌊y⌋. This is PyTorch's
/// `interpolate(mode="bilinear", align_corners=False)`.
package struct BilinearTap: Sendable {
  package let first: Int, second: Int
  package let firstWeight: Double, secondWeight: Double

  /// The source of row `row` of an image of `count` times `factor` rows.
  package init(_ row: Int, of count: Int, factor: Int) {
    let y = max(0, (Double(row) + 0.5) / Double(factor) - 0.5)
    first = min(Int(y), count - 1)
    second = min(first + 1, count - 1)
    secondWeight = y - Double(first)
    firstWeight = 1 - secondWeight
  }

  /// The rows of the large image that row `row` of the small one is part of, with its weights.
  package static func readers(
    of row: Int, of count: Int, factor: Int
  ) -> [(row: Int, weight: Double)] {
    let near = max(0, (row - 1) * factor)..<min(count, row + 2) * factor
    return near.compactMap { other in
      let tap = BilinearTap(other, of: count, factor: factor)
      let weight =
        (tap.first == row ? tap.firstWeight : 0) + (tap.second == row ? tap.secondWeight : 0)
      return weight == 0 ? nil : (other, weight)
    }
  }
}

extension FeatureMap {
  /// Returns the map f times as large, of which each f×f pixels are one pixel of this one.
  @specialized(where Element == Float)
  @specialized(where Element == Double)
  package func repeated(_ factor: Int) -> FeatureMap {
    let source = resolved
    let grid = source.rows
    return withExtendedLifetime(source) {
      FeatureMap.writing(shape(height: shape.height * factor, width: shape.width * factor)) {
        plane, row, target in
        let start = source.scalars.start + plane * grid.plane + row / factor * grid.row
        var result = target
        for column in 0..<grid.width {
          for _ in 0..<factor {
            for lane in 0..<grid.lanes { result[lane] = start[column * grid.lanes + lane] }
            result += grid.lanes
          }
        }
      }
    }
  }

  /// Returns the map of the sums over each f×f pixels: the gradient of what was repeated.
  @specialized(where Element == Float)
  @specialized(where Element == Double)
  package func summedOverSquares(_ factor: Int) -> FeatureMap {
    let source = resolved
    let grid = source.rows
    return withExtendedLifetime(source) {
      FeatureMap.writing(shape(height: shape.height / factor, width: shape.width / factor)) {
        plane, row, target in
        let start = source.scalars.start + plane * grid.plane + row * factor * grid.row
        for column in 0..<grid.width / factor {
          let window = start + column * factor * grid.lanes
          let result = target + column * grid.lanes
          result.update(from: window, count: grid.lanes)
          for place in 1..<max(1, factor * factor) {
            let values = window + place / factor * grid.row + place % factor * grid.lanes
            for lane in 0..<grid.lanes { result[lane] += values[lane] }
          }
        }
      }
    }
  }

  /// Returns the map f times as large, by bilinear interpolation; see ``BilinearTap``.
  @specialized(where Element == Float)
  @specialized(where Element == Double)
  package func interpolated(_ factor: Int) -> FeatureMap {
    let source = resolved
    let grid = source.rows
    let rows = Self.taps(grid.height, factor)
    let columns = Self.taps(grid.width, factor)
    return withExtendedLifetime(source) {
      FeatureMap.writing(shape(height: shape.height * factor, width: shape.width * factor)) {
        plane, row, target in
        let y = rows[row]
        let upper = source.scalars.start + plane * grid.plane + y.first * grid.row
        let lower = source.scalars.start + plane * grid.plane + y.second * grid.row
        // Rows are mixed first, once for all columns that read them.
        withUnsafeTemporaryAllocation(of: Element.self, capacity: grid.row) { mixed in
          guard let mixed = mixed.baseAddress else { return }
          for i in 0..<grid.row {
            mixed[i] = y.firstWeight * upper[i] + y.secondWeight * lower[i]
          }
          for (column, x) in columns.enumerated() {
            let (left, right) = (mixed + x.first * grid.lanes, mixed + x.second * grid.lanes)
            let result = target + column * grid.lanes
            for lane in 0..<grid.lanes {
              result[lane] = x.firstWeight * left[lane] + x.secondWeight * right[lane]
            }
          }
        }
      }
    }
  }

  /// Returns the gradient of what was interpolated, for this gradient of the large map.
  @specialized(where Element == Float)
  @specialized(where Element == Double)
  package func uninterpolated(_ factor: Int) -> FeatureMap {
    let source = resolved
    let grid = source.rows
    let (height, width) = (grid.height / factor, grid.width / factor)
    let rows = Self.readers(height, factor)
    let columns = Self.readers(width, factor)
    return withExtendedLifetime(source) {
      FeatureMap.writing(shape(height: height, width: width)) { plane, row, target in
        let start = source.scalars.start + plane * grid.plane
        target.update(repeating: 0, count: width * grid.lanes)
        for y in rows[row] {
          for column in 0..<width {
            let result = target + column * grid.lanes
            for x in columns[column] {
              let values = start + y.row * grid.row + x.row * grid.lanes
              let weight = y.weight * x.weight
              for lane in 0..<grid.lanes { result[lane] += weight * values[lane] }
            }
          }
        }
      }
    }
  }

  /// A source with weights of the type of the numbers.
  private typealias Tap = (first: Int, second: Int, firstWeight: Element, secondWeight: Element)

  @inline(__always)
  private static func taps(_ count: Int, _ factor: Int) -> [Tap] {
    (0..<count * factor).map { row in
      let tap = BilinearTap(row, of: count, factor: factor)
      return (tap.first, tap.second, Element(tap.firstWeight), Element(tap.secondWeight))
    }
  }

  @inline(__always)
  private static func readers(_ count: Int, _ factor: Int) -> [[(row: Int, weight: Element)]] {
    (0..<count).map { row in
      BilinearTap.readers(of: row, of: count, factor: factor).map { ($0.row, Element($0.weight)) }
    }
  }
}

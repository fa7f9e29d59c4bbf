/// The error of projecting and reconstructing a slice without noise, inside the body.
///
/// Inside is what lies between tissue (above −300 HU) in its row and in its column. A pixel is at an edge
/// when those of the 3×3 around it span 200 HU or more: there a scan's resolution decides, not its
/// errors, so edges are counted apart.
package struct RoundTrip: Sendable {
  /// The sums of squares, of errors and the counts of pixels, away from edges and at edges.
  private var squares = SIMD2<Double>.zero, counts = SIMD2<Double>.zero

  package init() {}

  private static let tissue: Float = -300
  private static let edge: Float = 200

  /// The root of the mean square away from edges, in HU; nil when no slice has a body.
  package var error: Double? { counts.x > 0 ? (squares.x / counts.x).squareRoot() : nil }
  /// The same at edges.
  package var errorAtEdges: Double? { counts.y > 0 ? (squares.y / counts.y).squareRoot() : nil }

  /// Adds a slice and what a scan made of it, in HU; pixels that the scan does not see do not count.
  package mutating func add(_ slice: [Float], _ made: [Float], _ scan: SliceScan) {
    let grid = scan.grid
    let inside = Self.inside(slice, grid)
    for row in 0..<grid.rows {
      for column in grid.columns(ofRow: row, within: scan.scan.fieldRadius) {
        let place = row * grid.columns + column
        guard inside[place] else { continue }
        let error = Double(made[place] - max(slice[place], -1000))
        if Self.isEdge(slice, grid, row, column) {
          squares.y += error * error
          counts.y += 1
        } else {
          squares.x += error * error
          counts.x += 1
        }
      }
    }
  }

  /// Returns the share of tissue that lies where not every view sees it.
  package static func unseen(_ slice: [Float], _ scan: SliceScan) -> Double {
    let grid = scan.grid
    var (all, unseen) = (0, 0)
    for row in 0..<grid.rows {
      let seen = grid.columns(ofRow: row, within: scan.scan.fieldRadius)
      for column in 0..<grid.columns where slice[row * grid.columns + column] > tissue {
        all += 1
        if !seen.contains(column) { unseen += 1 }
      }
    }
    return all == 0 ? 0 : Double(unseen) / Double(all)
  }

  private static func inside(_ slice: [Float], _ grid: ImageGrid) -> [Bool] {
    var isBetween = [Bool](repeating: false, count: slice.count)
    for row in 0..<grid.rows {
      let line = (0..<grid.columns).map { row * grid.columns + $0 }
      for place in between(line, slice) { isBetween[place] = true }
    }
    var isInside = [Bool](repeating: false, count: slice.count)
    for column in 0..<grid.columns {
      let line = (0..<grid.rows).map { $0 * grid.columns + column }
      for place in between(line, slice) where isBetween[place] { isInside[place] = true }
    }
    return isInside
  }

  private static func between(_ line: [Int], _ slice: [Float]) -> ArraySlice<Int> {
    guard let first = line.firstIndex(where: { slice[$0] > tissue }),
      let last = line.lastIndex(where: { slice[$0] > tissue })
    else { return [] }
    return line[first...last]
  }

  private static func isEdge(
    _ slice: [Float], _ grid: ImageGrid, _ row: Int, _ column: Int
  ) -> Bool {
    var (low, high) = (Float.infinity, -Float.infinity)
    for y in max(0, row - 1)...min(grid.rows - 1, row + 1) {
      for x in max(0, column - 1)...min(grid.columns - 1, column + 1) {
        let value = slice[y * grid.columns + x]
        (low, high) = (min(low, value), max(high, value))
      }
    }
    return !(high - low < edge)
  }
}

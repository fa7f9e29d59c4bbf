import Foundation
package import Tensors

/// The modulation transfer of an image at the edge of a disc.
///
/// Pixels are sorted by their distance from the disc's middle into bins, which gives the edge spread;
/// its differences are the line spread, whose transform, 1 at frequency 0, is the modulation transfer.
/// Source: Richard et al., "Towards task-based assessment of CT performance: system and object MTF across
/// different reconstruction algorithms" (2012).
package struct ModulationTransfer: Sendable {
  /// The frequencies in cycles per unit of length, and the transfer at each.
  package let frequencies: [Double], transfer: [Double]
  /// The difference of the disc to its surroundings, in the image's unit.
  package let contrast: Double

  /// A disc in an image, in units of length and pixels.
  package struct Disc: Sendable {
    /// The middle, in pixels.
    let row: Double, column: Double
    /// The radius and the distance of pixels, in one unit of length.
    let radius: Double, spacing: Double

    package init(row: Double, column: Double, radius: Double, spacing: Double) {
      (self.row, self.column, self.radius, self.spacing) = (row, column, radius, spacing)
    }
  }

  /// Measures images with a disc at the same place; nil where the edge has too few pixels.
  ///
  /// - Parameters:
  ///   - images: `[H, W]` or `[1, 1, H, W]` each.
  ///   - disc: The disc.
  package init?(_ images: [Tensor<Float>], disc: Disc) {
    guard let shape = images.first?.shape else { return nil }
    let (height, width) = (shape.extents[shape.rank - 2], shape.extents[shape.rank - 1])
    // Bins of a quarter pixel, over half of the radius on both sides of the edge.
    let bin = disc.spacing / 4
    let reach = disc.radius * 0.6
    let count = Int(2 * reach / bin)
    guard count > 16 else { return nil }
    var sums = [Double](repeating: 0, count: count)
    var counts = sums
    let extent = (disc.radius + reach) / disc.spacing + 1
    let rows = max(0, Int(disc.row - extent))...min(height - 1, Int(disc.row + extent) + 1)
    let columns = max(0, Int(disc.column - extent))...min(width - 1, Int(disc.column + extent) + 1)
    for row in rows {
      for column in columns {
        let (dy, dx) = (Double(row) - disc.row, Double(column) - disc.column)
        let distance = (dy * dy + dx * dx).squareRoot() * disc.spacing
        let place = Int(((distance - disc.radius + reach) / bin).rounded(.down))
        guard (0..<count).contains(place) else { continue }
        for image in images {
          let value = Double(image.scalars[row * width + column])
          guard value.isFinite else { continue }
          sums[place] += value
          counts[place] += 1
        }
      }
    }
    guard let edge = Self.filled(sums, counts) else { return nil }
    let ends = max(2, count / 8)
    let inside = edge.prefix(ends).reduce(0, +) / Double(ends)
    let outside = edge.suffix(ends).reduce(0, +) / Double(ends)
    contrast = inside - outside
    let line = zip(edge.dropFirst(), edge).map { $0 - $1 }
    let step = 1 / (200 * disc.spacing)
    frequencies = (0...100).map { Double($0) * step }
    let total = line.reduce(0, +)
    guard total != 0 else { return nil }
    transfer = frequencies.map { frequency in
      var (a, b) = (0.0, 0.0)
      for (place, value) in line.enumerated() {
        let phase = 2 * .pi * frequency * Double(place) * bin
        a += value * cos(phase)
        b += value * sin(phase)
      }
      // A bin and a difference each average over its width.
      let x = .pi * frequency * bin
      let averaging = x == 0 ? 1 : sin(x) / x
      return (a * a + b * b).squareRoot() / abs(total) / (averaging * averaging)
    }
  }

  /// The frequency at which the transfer falls to `level`; NaN if it does not below half of a cycle a
  /// pixel.
  package func frequency(at level: Double) -> Double {
    for index in transfer.indices.dropFirst() where transfer[index] < level {
      let (above, below) = (transfer[index - 1], transfer[index])
      let part = (above - level) / (above - below)
      return frequencies[index - 1] + part * (frequencies[index] - frequencies[index - 1])
    }
    return .nan
  }

  /// The mean of each bin, empty ones by their neighbors; nil where too many are empty.
  private static func filled(_ sums: [Double], _ counts: [Double]) -> [Double]? {
    let known = sums.indices.filter { counts[$0] > 0 }
    guard known.count > sums.count / 2 else { return nil }
    return sums.indices.map { index in
      if counts[index] > 0 { return sums[index] / counts[index] }
      let before = known.last { $0 < index } ?? known[0]
      let after = known.first { $0 > index } ?? known[known.count - 1]
      let (a, b) = (sums[before] / counts[before], sums[after] / counts[after])
      return before == after ? a : a + (b - a) * Double(index - before) / Double(after - before)
    }
  }
}

import CFFTW
import Foundation

/// The shift between images of one size, by phase correlation.
///
/// With F and G the spectra of an image and of its counterpart, each multiplied by a window that falls to
/// zero at the border, the inverse transform of F·G*/|F·G*| has its peak at the shift. Several pairs with
/// one shift add their quotients. Frequencies above a quarter cycle for each pixel, where noise rules, are
/// left out; the peak's place is refined by a parabola in each direction.
///
/// Source: Kuglin and Hines, "The phase correlation image alignment method" (1975).
package struct PhaseCorrelation {
  package let rows: Int, columns: Int
  private var sums: [(real: Double, imaginary: Double)]

  /// A shift in pixels: that of the counterpart from the image, down and to the right.
  package struct Shift: Sendable {
    package let rows: Double, columns: Double
    /// The height of the peak, 1 for images that are equal but for the shift.
    package let peak: Double
    /// The peak's height in root mean squares of all places: about 4 where images share nothing.
    package let significance: Double
  }

  package init(rows: Int, columns: Int) {
    precondition(rows > 0 && columns > 0, "Images have pixels.")
    (self.rows, self.columns) = (rows, columns)
    sums = Array(repeating: (0, 0), count: rows * columns)
  }

  /// Adds an image and its counterpart.
  package mutating func add(_ image: [Float], _ other: [Float]) {
    let one = spectrum(image), two = spectrum(other)
    for place in sums.indices {
      let (row, column) = (place / columns, place % columns)
      let fy = Double(min(row, rows - row)) / Double(rows)
      let fx = Double(min(column, columns - column)) / Double(columns)
      guard fx * fx + fy * fy < 0.0625 else { continue }
      // G·F*, whose peak lies at the way from the image to the counterpart.
      let real = two[place].0 * one[place].0 + two[place].1 * one[place].1
      let imaginary = two[place].1 * one[place].0 - two[place].0 * one[place].1
      let size = (real * real + imaginary * imaginary).squareRoot()
      guard size > 0 else { continue }
      sums[place].real += real / size
      sums[place].imaginary += imaginary / size
    }
  }

  /// Returns the shift of all counterparts that were added; nil when they tell none.
  package func shift() -> Shift? {
    let count = sums.reduce(0.0) {
      $0 + ($1.real * $1.real + $1.imaginary * $1.imaginary).squareRoot()
    }
    guard count > 0 else { return nil }
    let surface = transformed(sums.map { ($0.real, $0.imaginary) }, back: true).map { $0.0 / count }
    guard let top = surface.indices.max(by: { surface[$0] < surface[$1] }) else { return nil }
    let square = surface.reduce(0) { $0 + $1 * $1 } / Double(surface.count)
    let (row, column) = (top / columns, top % columns)
    func value(_ y: Int, _ x: Int) -> Double {
      surface[(y + rows) % rows * columns + (x + columns) % columns]
    }
    func vertex(_ before: Double, _ at: Double, _ after: Double) -> Double {
      let curvature = before - 2 * at + after
      return curvature < 0 ? (before - after) / (2 * curvature) : 0
    }
    let y = Double(row) + vertex(value(row - 1, column), surface[top], value(row + 1, column))
    let x = Double(column) + vertex(value(row, column - 1), surface[top], value(row, column + 1))
    return Shift(
      rows: y > Double(rows) / 2 ? y - Double(rows) : y,
      columns: x > Double(columns) / 2 ? x - Double(columns) : x, peak: surface[top],
      significance: surface[top] / square.squareRoot())
  }

  private func spectrum(_ image: [Float]) -> [(Double, Double)] {
    let mean = image.reduce(0.0) { $0 + Double($1) } / Double(image.count)
    func window(_ place: Int, _ count: Int) -> Double {
      (1 - cos(2 * .pi * (Double(place) + 0.5) / Double(count))) / 2
    }
    let across = (0..<columns).map { window($0, columns) }
    return transformed(
      image.enumerated().map { place, value in
        let weight = window(place / columns, rows) * across[place % columns]
        return ((value.isFinite ? Double(value) - mean : 0) * weight, 0)
      }, back: false)
  }

  private func transformed(_ values: [(Double, Double)], back: Bool) -> [(Double, Double)] {
    FourierPlane(rows: rows, columns: columns).transform(values, back: back)
  }
}

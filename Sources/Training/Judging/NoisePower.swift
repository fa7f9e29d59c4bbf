import Foundation
package import Tensors

/// The noise power spectrum of regions of images.
///
///     NPS(u, v) = ΔxΔy/(NₓN_y) · mean over regions of |DFT(region − its mean)|²
///
/// in squared units of the image times squared units of length, HU²·mm². Its integral over frequencies,
/// Σ NPS/(NₓΔx·N_yΔy), is the mean variance of the regions. Source: IEC 62220-1; Siewerdsen, Cunningham,
/// Jaffray, "A framework for noise-power spectrum analysis of multidimensional images" (2002).
package struct NoisePower: Sendable {
  /// The side of a region in pixels.
  package let size: Int
  /// The distances of rows and columns in units of length.
  package let rowSpacing: Double, columnSpacing: Double
  /// The spectrum `[size, size]`, frequency 0 first, as a Fourier transform gives it.
  package private(set) var plane: [Double]
  /// The number of regions.
  package private(set) var count = 0
  /// The mean variance of the regions.
  package private(set) var variance = 0.0
  private let cosines: [Double], sines: [Double]

  package init(size: Int, rowSpacing: Double, columnSpacing: Double) {
    precondition(size > 1, "A region has more than one pixel.")
    (self.size, self.rowSpacing, self.columnSpacing) = (size, rowSpacing, columnSpacing)
    plane = Array(repeating: 0, count: size * size)
    cosines = (0..<size).map { cos(2 * .pi * Double($0) / Double(size)) }
    sines = (0..<size).map { sin(2 * .pi * Double($0) / Double(size)) }
  }

  /// Adds regions of one image, `[1, 1, H, W]` or `[H, W]`: as many as fit side by side.
  ///
  /// - Parameters:
  ///   - image: The noise, or an image of which the mean of each region is taken off.
  ///   - mask: True where a pixel is padding; regions with such a pixel, or with a value that is not
  ///     finite, are left out.
  package mutating func add(_ image: Tensor<Float>, mask: [Bool]?) {
    let (height, width) = (
      image.shape.extents[image.shape.rank - 2], image.shape.extents[image.shape.rank - 1]
    )
    var corners: [Int] = []
    for row in stride(from: 0, through: height - size, by: size) {
      for column in stride(from: 0, through: width - size, by: size) {
        corners.append(row * width + column)
      }
    }
    var spectra = [[Double]](repeating: [], count: corners.count)
    spectra.withUnsafeMutableBufferPointer { spectra in
      nonisolated(unsafe) let spectra = spectra
      parallel(chunks: corners.count) { index, _ in
        spectra[index] = spectrum(of: image.scalars, mask, at: corners[index], width: width)
      }
    }
    for spectrum in spectra where !spectrum.isEmpty {
      for i in plane.indices { plane[i] += spectrum[i] }
      variance += spectrum[size * size]
      count += 1
    }
  }

  /// Divides the sums by the number of regions; call once, after the last image.
  package mutating func finish() {
    guard count > 0 else { return }
    let scale = rowSpacing * columnSpacing / Double(size * size) / Double(count)
    for i in plane.indices { plane[i] *= scale }
    variance /= Double(count)
  }

  /// The integral of the spectrum over both frequencies.
  package var integral: Double {
    plane.reduce(0, +) / (Double(size * size) * rowSpacing * columnSpacing)
  }

  /// The mean over rings of frequencies, each a step of 1/(size·spacing) wide, up to the frequency
  /// beyond which no direction is whole; the mean of a region, frequency 0, is left out.
  package var radial: [(frequency: Double, power: Double)] {
    let step = 1 / (Double(size) * max(rowSpacing, columnSpacing))
    let rings = size / 2
    var sums = [(sum: Double, frequency: Double, count: Int)](
      repeating: (0, 0, 0), count: rings + 1)
    for y in 0..<size {
      for x in 0..<size where x + y > 0 {
        let v = Double(y <= size / 2 ? y : y - size) / (Double(size) * rowSpacing)
        let u = Double(x <= size / 2 ? x : x - size) / (Double(size) * columnSpacing)
        let frequency = (u * u + v * v).squareRoot()
        let ring = Int((frequency / step).rounded())
        guard ring <= rings else { continue }
        sums[ring].sum += plane[y * size + x]
        sums[ring].frequency += frequency
        sums[ring].count += 1
      }
    }
    return sums.filter { $0.count > 0 }.map {
      ($0.frequency / Double($0.count), $0.sum / Double($0.count))
    }
  }

  /// The squared magnitudes of the transform of one region, and its variance at the end; empty when the
  /// region is left out.
  private func spectrum(
    of scalars: [Float], _ mask: [Bool]?, at corner: Int, width: Int
  ) -> [Double] {
    var values = [Double](repeating: 0, count: size * size)
    for row in 0..<size {
      for column in 0..<size {
        let place = corner + row * width + column
        guard scalars[place].isFinite, mask?[place] != true else { return [] }
        values[row * size + column] = Double(scalars[place])
      }
    }
    let mean = values.reduce(0, +) / Double(values.count)
    for i in values.indices { values[i] -= mean }
    let variance = values.reduce(0) { $0 + $1 * $1 } / Double(values.count)
    let rows = transformedRows(values, Array(repeating: 0, count: values.count))
    let all = transformedRows(rows.real, rows.imaginary)
    // Rows were transformed and exchanged with columns twice: the plane lies as before.
    return zip(all.real, all.imaginary).map { $0 * $0 + $1 * $1 } + [variance]
  }

  /// The Fourier transforms of the rows, each as a column.
  private func transformedRows(
    _ real: [Double], _ imaginary: [Double]
  ) -> (real: [Double], imaginary: [Double]) {
    var (outReal, outImaginary) = (real, imaginary)
    for row in 0..<size {
      for frequency in 0..<size {
        var (a, b, phase) = (0.0, 0.0, 0)
        for column in 0..<size {
          let (c, s) = (cosines[phase], sines[phase])
          let (x, y) = (real[row * size + column], imaginary[row * size + column])
          a += x * c + y * s
          b += y * c - x * s
          phase += frequency
          if phase >= size { phase -= size }
        }
        outReal[frequency * size + row] = a
        outImaginary[frequency * size + row] = b
      }
    }
    return (outReal, outImaginary)
  }
}

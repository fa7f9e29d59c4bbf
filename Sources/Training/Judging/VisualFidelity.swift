import Foundation
package import Tensors

/// Visual information fidelity in the pixel domain.
///
///     VIF = Σ log(1 + g²σₓ²/(σᵥ² + σₙ²)) / Σ log(1 + σₓ²/σₙ²),  g = σₓᵧ/σₓ²,  σᵥ² = σᵧ² − g·σₓᵧ
///
/// The sums are over all pixels of four scales, whose Gaussian windows have 17, 9, 5 and 3 pixels and a
/// fifth of that as their standard deviation; from scale to scale the images are smoothed and every
/// second row and column is kept. x is the reference, y the judged image, σₙ² = 2. Source: Sheikh,
/// Bovik, "Image information and visual quality" (2006); equal to torchmetrics'
/// `visual_information_fidelity`.
package enum VisualFidelity {
  /// The smallest side of an image: four scales need as much.
  package static let smallestSide = 41

  /// Returns the fidelity of `image`; NaN for images below 41×41 pixels.
  ///
  /// - Parameters:
  ///   - image: The judged image, `[1, 1, H, W]`.
  ///   - reference: The image without errors, of the same shape.
  ///   - noise: The variance σₙ² of the visual noise, in squared units of the image.
  /// - Returns: 1 for equal images, 0 where nothing is left of the reference.
  package static func of(
    _ image: Tensor<Float>, reference: Tensor<Float>, noise: Double = 2
  ) -> Double {
    var (x, y) = (Plane(reference), Plane(image))
    guard min(x.height, x.width) >= smallestSide else { return .nan }
    var (kept, all) = (0.0, 0.0)
    for scale in 0..<4 {
      let window = window(1 << (4 - scale) + 1)
      if scale > 0 { (x, y) = (x.smoothed(window).halved, y.smoothed(window).halved) }
      let sums = Plane.sums(x, y, window)
      for sum in sums {
        let (own, information) = information(sum, noise: noise)
        kept += own
        all += information
      }
    }
    return kept / all
  }

  /// The information of one pixel that is kept, and that of the reference.
  private static func information(_ sum: SIMD8<Double>, noise: Double) -> (Double, Double) {
    let tiny = 1e-10
    var varianceX = max(0, sum[2] - sum[0] * sum[0])
    let varianceY = max(0, sum[3] - sum[1] * sum[1])
    let covariance = sum[4] - sum[0] * sum[1]
    var gain = covariance / (varianceX + tiny)
    var rest = varianceY - gain * covariance
    if varianceX < tiny { (gain, rest, varianceX) = (0, varianceY, 0) }
    if varianceY < tiny { (gain, rest) = (0, 0) }
    if gain < 0 { (gain, rest) = (0, varianceY) }
    rest = max(rest, tiny)
    return (log10(1 + gain * gain * varianceX / (rest + noise)), log10(1 + varianceX / noise))
  }

  private static func window(_ size: Int) -> [Double] {
    let sigma = Double(size) / 5
    let weights = (0..<size).map { i -> Double in
      let distance = Double(i) - Double(size - 1) / 2
      return exp(-distance * distance / (2 * sigma * sigma))
    }
    let total = weights.reduce(0, +)
    return weights.map { $0 / total }
  }

  /// Numbers in rows.
  private struct Plane {
    let height: Int, width: Int
    var values: [Double]

    init(_ image: Tensor<Float>) {
      (height, width) = (image.shape.height, image.shape.width)
      values = image.scalars.map(Double.init)
    }

    private init(height: Int, width: Int, values: [Double]) {
      (self.height, self.width, self.values) = (height, width, values)
    }

    /// The weighted means where the window lies inside.
    func smoothed(_ window: [Double]) -> Plane {
      let (h, w) = (height - window.count + 1, width - window.count + 1)
      var result = [Double](repeating: 0, count: h * w)
      var line = [Double](repeating: 0, count: width)
      for row in 0..<h {
        for x in 0..<width {
          var sum = 0.0
          for tap in window.indices { sum += window[tap] * values[(row + tap) * width + x] }
          line[x] = sum
        }
        for x in 0..<w {
          var sum = 0.0
          for tap in window.indices { sum += window[tap] * line[x + tap] }
          result[row * w + x] = sum
        }
      }
      return Plane(height: h, width: w, values: result)
    }

    /// Every second row and column.
    var halved: Plane {
      let (h, w) = ((height + 1) / 2, (width + 1) / 2)
      var result: [Double] = []
      result.reserveCapacity(h * w)
      for row in 0..<h {
        for column in 0..<w { result.append(values[2 * row * width + 2 * column]) }
      }
      return Plane(height: h, width: w, values: result)
    }

    /// The weighted means of x, y, x², y² and x·y where the window lies inside.
    static func sums(_ x: Plane, _ y: Plane, _ window: [Double]) -> [SIMD8<Double>] {
      let width = x.width
      let (h, w) = (x.height - window.count + 1, width - window.count + 1)
      var result: [SIMD8<Double>] = []
      result.reserveCapacity(h * w)
      var columns = [SIMD8<Double>](repeating: .zero, count: width)
      for row in 0..<h {
        for column in 0..<width {
          var sums = SIMD8<Double>.zero
          for tap in window.indices {
            let pixel = (row + tap) * width + column
            let (a, b) = (x.values[pixel], y.values[pixel])
            sums += window[tap] * SIMD8(a, b, a * a, b * b, a * b, 0, 0, 0)
          }
          columns[column] = sums
        }
        for column in 0..<w {
          var sums = SIMD8<Double>.zero
          for tap in window.indices { sums += window[tap] * columns[column + tap] }
          result.append(sums)
        }
      }
      return result
    }
  }
}

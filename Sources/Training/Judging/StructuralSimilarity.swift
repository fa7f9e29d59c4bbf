import Foundation
package import Tensors

/// Structural similarity with a Gaussian window of 11 pixels and σ 1.5.
///
///     SSIM = (2μₓμᵧ + C₁)(2σₓᵧ + C₂) / ((μₓ² + μᵧ² + C₁)(σₓ² + σᵧ² + C₂))
///     C₁ = (0.01·range)², C₂ = (0.03·range)²
///
/// Means, variances and the covariance are weighted by the window (population, not sample). The
/// mean is taken where the window lies inside the image: 5 pixels from every border. Source: Wang
/// et al., "Image quality assessment: from error visibility to structural similarity" (2004);
/// equal to scikit-image with `gaussian_weights=True, use_sample_covariance=False`.
package struct StructuralSimilarity {
  package static let radius = 5
  private static let window: [Double] = {
    let weights = (-radius...radius).map { exp(-Double($0 * $0) / (2 * 1.5 * 1.5)) }
    let sum = weights.reduce(0, +)
    return weights.map { $0 / sum }
  }()

  /// The range of values for the constants.
  package let range: Double

  package init(range: Double) {
    self.range = range
  }

  /// The mean over the unmasked pixels; NaN if the images are smaller than the window.
  package func mean(_ x: Tensor<Float>, _ y: Tensor<Float>, mask: [Bool]? = nil) -> Double {
    let (height, width, r) = (x.shape.height, x.shape.width, Self.radius)
    guard height > 2 * r, width > 2 * r else { return .nan }
    let map = interiorMap(x, y)
    let interior = width - 2 * r
    var sum = 0.0
    var count = 0
    for i in map.indices {
      let pixel = (i / interior + r) * width + i % interior + r
      if let mask, mask[pixel] { continue }
      sum += map[i]
      count += 1
    }
    return count == 0 ? .nan : sum / Double(count)
  }

  /// The similarity at each pixel at least 5 from every border, row by row.
  package func interiorMap(_ x: Tensor<Float>, _ y: Tensor<Float>) -> [Double] {
    let (height, width, r) = (x.shape.height, x.shape.width, Self.radius)
    let (c1, c2) = (0.01 * range * 0.01 * range, 0.03 * range * 0.03 * range)
    let window = Self.window
    var map = [Double](repeating: 0, count: (height - 2 * r) * (width - 2 * r))
    // Columns come first: the five weighted sums of one row, then the sums along that row.
    var columns = [SIMD8<Double>](repeating: .zero, count: width)
    for row in r..<height - r {
      for column in 0..<width {
        var sums = SIMD8<Double>.zero
        for tap in 0..<window.count {
          let pixel = (row + tap - r) * width + column
          let (a, b) = (Double(x.scalars[pixel]), Double(y.scalars[pixel]))
          sums += window[tap] * SIMD8(a, b, a * a, b * b, a * b, 0, 0, 0)
        }
        columns[column] = sums
      }
      for column in r..<width - r {
        var sums = SIMD8<Double>.zero
        for tap in 0..<window.count { sums += window[tap] * columns[column + tap - r] }
        let (meanX, meanY) = (sums[0], sums[1])
        let varianceX = sums[2] - meanX * meanX
        let varianceY = sums[3] - meanY * meanY
        let covariance = sums[4] - meanX * meanY
        map[(row - r) * (width - 2 * r) + column - r] =
          (2 * meanX * meanY + c1) * (2 * covariance + c2)
          / ((meanX * meanX + meanY * meanY + c1) * (varianceX + varianceY + c2))
      }
    }
    return map
  }
}

import Operations
import Tensors

/// The window of structural similarity, and what becomes of the border.
package enum SimilarityWindow: Hashable, Sendable {
  /// A Gaussian of 11 pixels inside the image, as ``StructuralSimilarity`` takes it.
  case gaussian
  /// The same over all pixels, with zeros beyond the border, as in pytorch-ssim.
  case gaussianWithZeros
  /// Equal weights over 7×7 pixels inside the image and sample covariances: what scikit-image does
  /// unless told otherwise.
  case uniform

  /// The mean similarity over the unmasked pixels; NaN if the images are smaller than the window.
  func mean(
    _ x: Tensor<Float>, _ y: Tensor<Float>, range: Double, mask: [Bool]?
  ) -> Double {
    switch self {
    case .gaussian: StructuralSimilarity(range: range).mean(x, y, mask: mask)
    case .gaussianWithZeros:
      StructuralSimilarity(range: range).mean(
        Self.padded(x), Self.padded(y),
        mask: mask.map { Self.padded($0, x.shape, with: true) })
    case .uniform: Self.uniformMean(x, y, range: range, mask: mask)
    }
  }

  private static func padded(_ image: Tensor<Float>) -> Tensor<Float> {
    let r = StructuralSimilarity.radius
    return Tensor(
      shape: [1, 1, image.shape.height + 2 * r, image.shape.width + 2 * r],
      scalars: padded(image.scalars, image.shape, with: 0))
  }

  private static func padded<Value>(
    _ values: [Value], _ shape: Shape, with value: Value
  ) -> [Value] {
    let r = StructuralSimilarity.radius
    let width = shape.width + 2 * r
    var result = [Value](repeating: value, count: (shape.height + 2 * r) * width)
    for row in 0..<shape.height {
      let start = (row + r) * width + r
      result.replaceSubrange(
        start..<start + shape.width, with: values[row * shape.width..<(row + 1) * shape.width])
    }
    return result
  }

  /// The mean with a window of 7×7 equal weights and covariances times 49/48.
  private static func uniformMean(
    _ x: Tensor<Float>, _ y: Tensor<Float>, range: Double, mask: [Bool]?
  ) -> Double {
    let (height, width, r) = (x.shape.height, x.shape.width, 3)
    guard height > 2 * r, width > 2 * r else { return .nan }
    let (c1, c2) = (0.01 * range * 0.01 * range, 0.03 * range * 0.03 * range)
    var (total, count) = (0.0, 0)
    // Columns come first: the five sums of one row, then the sums along that row.
    var columns = [SIMD8<Double>](repeating: .zero, count: width)
    for row in r..<height - r {
      for column in 0..<width {
        var sums = SIMD8<Double>.zero
        for line in row - r...row + r {
          let pixel = line * width + column
          let (a, b) = (Double(x.scalars[pixel]), Double(y.scalars[pixel]))
          sums += SIMD8(a, b, a * a, b * b, a * b, 0, 0, 0)
        }
        columns[column] = sums
      }
      for column in r..<width - r where mask?[row * width + column] != true {
        let sums = columns[column - r...column + r].reduce(.zero, +) / 49
        let (meanX, meanY) = (sums[0], sums[1])
        let varianceX = (sums[2] - meanX * meanX) * (49.0 / 48)
        let varianceY = (sums[3] - meanY * meanY) * (49.0 / 48)
        let covariance = (sums[4] - meanX * meanY) * (49.0 / 48)
        let structure = (2 * covariance + c2) / (varianceX + varianceY + c2)
        total += (2 * meanX * meanY + c1) / (meanX * meanX + meanY * meanY + c1) * structure
        count += 1
      }
    }
    return count == 0 ? .nan : total / Double(count)
  }
}

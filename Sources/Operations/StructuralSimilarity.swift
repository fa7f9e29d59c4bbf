import Foundation
package import Tensors

/// Structural similarity with a Gaussian window of 11 pixels and σ 1.5.
///
///     SSIM = A₁A₂/(B₁B₂),  A₁ = 2μₓμᵧ + C₁,  A₂ = 2σₓᵧ + C₂,  B₁ = μₓ² + μᵧ² + C₁,  B₂ = σₓ² + σᵧ² + C₂
///     C₁ = (0.01·range)², C₂ = (0.03·range)²
///
/// Means, variances and the covariance are weighted by the window (population, not sample). A pixel
/// has a similarity where its window lies inside the image: 5 pixels from every border. With the
/// window's weights w, the derivative by a pixel q of x at the window of p is
///
///     ∂SSIM/∂x = w(q − p)·(α + 2β·x + γ·y)
///     β = −SSIM/B₂,  γ = 2A₁/(B₁B₂),  α = 2μᵧA₂/(B₁B₂) − 2μₓ·SSIM/B₁ − 2μₓβ − μᵧγ
///
/// so that a sum over windows is a Gaussian filter of α, β and γ. Source: Wang et al., "Image quality
/// assessment: from error visibility to structural similarity" (2004); equal to scikit-image with
/// `gaussian_weights=True, use_sample_covariance=False`.
package struct StructuralSimilarity: Sendable {
  package static let radius = 5
  package static let window: [Double] = {
    let weights = (-radius...radius).map { exp(-Double($0 * $0) / (2 * 1.5 * 1.5)) }
    let sum = weights.reduce(0, +)
    return weights.map { $0 / sum }
  }()

  /// The side of the window, which is also that of the smallest image with a similarity.
  package static let side = 2 * radius + 1

  /// The range of values for the constants.
  package let range: Double
  private let c1: Double, c2: Double

  package init(range: Double) {
    self.range = range
    (c1, c2) = (0.01 * range * 0.01 * range, 0.03 * range * 0.03 * range)
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

  /// The similarity at each pixel at least 5 from every border, row by row, computed on several threads.
  package func interiorMap(_ x: Tensor<Float>, _ y: Tensor<Float>) -> [Double] {
    let (r, strip) = (Self.radius, 32)
    let (rows, interior) = (max(0, x.shape.height - 2 * r), max(0, x.shape.width - 2 * r))
    return Plane.with(x.doubles(), y.doubles(), image: 0) { plane in
      Array(unsafeUninitializedCapacity: rows * interior) { map, initialized in
        nonisolated(unsafe) let places = map
        parallel(chunks: (rows + strip - 1) / strip) { chunk, _ in
          var columns = [SIMD8<Double>](repeating: .zero, count: plane.width)
          for row in chunk * strip..<min(rows, (chunk + 1) * strip) {
            plane.sums(row + r, &columns) { column, sums in
              places.initializeElement(
                at: row * interior + column - r, to: similarity(Moments(sums)))
            }
          }
        }
        initialized = rows * interior
      }
    }
  }

  private func similarity(_ m: Moments) -> Double {
    (2 * m.meanX * m.meanY + c1) * (2 * m.covariance + c2)
      / ((m.meanX * m.meanX + m.meanY * m.meanY + c1) * (m.varianceX + m.varianceY + c2))
  }
}

// MARK: - Windows

/// The weighted means, variances and covariance of two images in one window.
private struct Moments {
  let meanX: Double, meanY: Double
  let varianceX: Double, varianceY: Double, covariance: Double

  /// The moments of the weighted sums of x, y, x², y² and xy.
  init(_ sums: SIMD8<Double>) {
    (meanX, meanY) = (sums[0], sums[1])
    varianceX = sums[2] - meanX * meanX
    varianceY = sums[3] - meanY * meanY
    covariance = sums[4] - meanX * meanY
  }
}

/// One channel of two images.
private struct Plane {
  let x: UnsafePointer<Double>, y: UnsafePointer<Double>
  let height: Int, width: Int

  /// Calls `body` with image number `image` of two batches of one channel.
  static func with<Result>(
    _ x: Tensor<Double>, _ y: Tensor<Double>, image: Int, _ body: (Plane) -> Result
  ) -> Result {
    precondition(x.shape == y.shape && x.shape.channels == 1, "\(x.shape) and \(y.shape)")
    return x.scalars.withUnsafeBufferPointer { a in
      y.scalars.withUnsafeBufferPointer { b in
        guard let a = a.baseAddress, let b = b.baseAddress else {
          preconditionFailure("Images have pixels.")
        }
        let start = image * x.shape.planeCount
        return body(
          Plane(x: a + start, y: b + start, height: x.shape.height, width: x.shape.width))
      }
    }
  }

  /// Calls `body` with the weighted sums of x, y, x², y² and xy over the window of each interior pixel
  /// of a row.
  ///
  /// `columns` is memory for one number a column. Columns come first: the sums of the rows of the
  /// windows, then those along the row.
  @inline(__always)
  func sums(
    _ row: Int, _ columns: inout [SIMD8<Double>],
    _ body: (_ column: Int, _ sums: SIMD8<Double>) -> Void
  ) {
    let (window, r) = (StructuralSimilarity.window, StructuralSimilarity.radius)
    for column in 0..<width {
      var sums = SIMD8<Double>.zero
      for tap in 0..<window.count {
        let pixel = (row + tap - r) * width + column
        let (a, b) = (x[pixel], y[pixel])
        sums += window[tap] * SIMD8(a, b, a * a, b * b, a * b, 0, 0, 0)
      }
      columns[column] = sums
    }
    for column in r..<max(r, width - r) {
      var sums = SIMD8<Double>.zero
      for tap in 0..<window.count { sums += window[tap] * columns[column + tap - r] }
      body(column, sums)
    }
  }
}

// MARK: - As a loss

extension StructuralSimilarity {
  /// Returns whether a whole window lies around a pixel.
  private static func hasWindow(_ row: Int, _ column: Int, _ shape: Shape) -> Bool {
    (radius..<shape.height - radius).contains(row)
      && (radius..<shape.width - radius).contains(column)
  }

  /// Returns the number of windows whose middle counts in a mask, of all images.
  package static func windows(_ shape: Shape, mask: [Double]?) -> Int {
    guard shape.height >= side, shape.width >= side else { return 0 }
    guard let mask else {
      return shape.batch * (shape.height - 2 * radius) * (shape.width - 2 * radius)
    }
    return mask.indices.count { place in
      let pixel = place % shape.planeCount
      return mask[place] != 0 && hasWindow(pixel / shape.width, pixel % shape.width, shape)
    }
  }

  /// Computes Σ(1 − SSIM)/P over the P windows whose middle counts, and its gradient by x.
  ///
  /// The images are taken in strips of rows, on several threads; the sums do not depend on how many.
  ///
  /// - Parameters:
  ///   - x: `[N, 1, H, W]`.
  ///   - y: `[N, 1, H, W]`.
  ///   - mask: 0 where a window's middle does not count; nil if all count.
  /// - Returns: The value and `[N, 1, H, W]`; both 0 where no window counts.
  package func dissimilarity(
    _ x: Tensor<Double>, _ y: Tensor<Double>, mask: [Double]?
  ) -> (value: Double, gradient: Tensor<Double>) {
    let (shape, rows) = (x.shape, 32)
    let strips = (shape.height + rows - 1) / rows
    let windows = Self.windows(shape, mask: mask)
    var partials = [Double](repeating: 0, count: shape.batch * strips)
    guard windows > 0 else { return (0, Tensor(shape: shape, repeating: 0)) }
    let gradient = partials.withUnsafeMutableBufferPointer { partials in
      nonisolated(unsafe) let partials = partials
      return Tensor<Double>(shape: shape) { output in
        nonisolated(unsafe) let output = output
        parallel(chunks: shape.batch * strips) { chunk, _ in
          let (image, first) = (chunk / strips, chunk % strips * rows)
          let start = image * shape.planeCount
          partials[chunk] = Plane.with(x, y, image: image) { plane in
            strip(
              plane, first..<min(first + rows, shape.height),
              mask: mask.map { $0[start..<start + shape.planeCount] },
              scale: -1 / Double(windows),
              UnsafeMutableBufferPointer(rebasing: output[start..<start + shape.planeCount]))
          }
        }
      }
    }
    return (partials.reduce(0, +) / Double(windows), gradient)
  }

  /// Writes the gradient in the rows `rows` of one image, `scale` times the sum over windows; returns
  /// the sum of 1 − SSIM over the windows with their middle in these rows.
  private func strip(
    _ plane: Plane, _ rows: Range<Int>, mask: ArraySlice<Double>?, scale: Double,
    _ gradient: UnsafeMutableBufferPointer<Double>
  ) -> Double {
    let (width, r, window) = (plane.width, Self.radius, Self.window)
    let lower = max(r, rows.lowerBound - r)
    let upper = max(lower, min(plane.height - r, rows.upperBound + r))
    var sum = 0.0
    // α, β and γ of each window that holds a pixel of the rows.
    var factors = [SIMD4<Double>](repeating: .zero, count: (upper - lower) * width)
    var columns = [SIMD8<Double>](repeating: .zero, count: width)
    for row in lower..<upper {
      plane.sums(row, &columns) { column, sums in
        if let mask, mask[mask.startIndex + row * width + column] == 0 { return }
        let (ssim, derivative) = derivative(Moments(sums))
        if rows.contains(row) { sum += 1 - ssim }
        factors[(row - lower) * width + column] = derivative
      }
    }
    var filtered = [SIMD4<Double>](repeating: .zero, count: width)
    for row in rows {
      let taps = max(lower, row - r)..<max(max(lower, row - r), min(upper, row + r + 1))
      for column in 0..<width {
        var sums = SIMD4<Double>.zero
        for tap in taps { sums += window[tap - row + r] * factors[(tap - lower) * width + column] }
        filtered[column] = sums
      }
      for column in 0..<width {
        var sums = SIMD4<Double>.zero
        for tap in max(0, column - r)..<min(width, column + r + 1) {
          sums += window[tap - column + r] * filtered[tap]
        }
        let pixel = row * width + column
        gradient[pixel] =
          scale * (sums[0] + 2 * plane.x[pixel] * sums[1] + plane.y[pixel] * sums[2])
      }
    }
    return sum
  }

  /// The similarity in a window, and α, β and γ of its derivative.
  private func derivative(_ m: Moments) -> (ssim: Double, factors: SIMD4<Double>) {
    let (a1, a2) = (2 * m.meanX * m.meanY + c1, 2 * m.covariance + c2)
    let b1 = m.meanX * m.meanX + m.meanY * m.meanY + c1
    let b2 = m.varianceX + m.varianceY + c2
    let ssim = a1 * a2 / (b1 * b2)
    let (β, γ) = (-ssim / b2, 2 * a1 / (b1 * b2))
    let α =
      2 * m.meanY * a2 / (b1 * b2) - 2 * m.meanX * ssim / b1 - 2 * m.meanX * β - m.meanY * γ
    return (ssim, SIMD4(α, β, γ, 0))
  }

  /// A window that holds a pixel.
  package struct Share: Sendable {
    /// The row and column of the window's middle.
    package let row: Int, column: Int
    /// The window's weight at the pixel.
    package let weight: Double
    /// α + 2β·x + γ·y at the pixel.
    package let derivative: Double
  }

  /// Returns the windows of one image that hold a pixel, with what each contributes to the derivative
  /// of the sum of all similarities by x there.
  package func shares(
    _ x: Tensor<Float>, _ y: Tensor<Float>, image: Int, row: Int, column: Int
  ) -> [Share] {
    let r = Self.radius
    return Plane.with(x.doubles(), y.doubles(), image: image) { plane in
      let pixel = row * plane.width + column
      var shares: [Share] = []
      var columns = [SIMD8<Double>](repeating: .zero, count: plane.width)
      for middle in max(r, row - r)..<max(max(r, row - r), min(plane.height - r, row + r + 1)) {
        plane.sums(middle, &columns) { place, sums in
          guard abs(place - column) <= r else { return }
          let (_, d) = derivative(Moments(sums))
          shares.append(
            Share(
              row: middle, column: place,
              weight: Self.window[middle - row + r] * Self.window[place - column + r],
              derivative: d[0] + 2 * plane.x[pixel] * d[1] + plane.y[pixel] * d[2]))
        }
      }
      return shares
    }
  }
}

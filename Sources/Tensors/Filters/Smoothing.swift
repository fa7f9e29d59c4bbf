import CKernels

/// The mean with weights of a Gaussian, which ends at 4σ; beyond the border the edge repeats.
///
/// As `gaussian` of scikit-image and `gaussian_filter` of SciPy with `mode="nearest"`.
package struct GaussianFilter: ImageFilter {
  /// The standard deviation in pixels, above 0.
  package let sigma: Double

  package init(sigma: Double) { self.sigma = sigma }

  package var description: String { "a Gaussian filter of σ \(sigma.shortest) pixels" }

  package func apply(to image: Tensor<Float>) -> Tensor<Float> {
    let radius = Int(4 * sigma + 0.5)
    let powers = (-radius...radius).map { -Double($0 * $0) / (2 * sigma * sigma) }
    let weights = powers.map { ReproducibleMath.exp($0) }
    let total = weights.reduce(0, +)
    let window = weights.map { Float($0 / total) }
    let (height, width) = (image.shape.height, image.shape.width)
    let extended = ExtendedImage(
      image, border: .repeated, rows: radius, columns: (radius, radius))
    let pitch = extended.pitch
    return Tensor(shape: image.shape) { result in
      nonisolated(unsafe) let result = result
      extended.scalars.withUnsafeBufferPointer { scalars in
        parallel(chunks: height) { row, _ in
          var line = [Float](repeating: 0, count: pitch)
          for (tap, weight) in window.enumerated() {
            let start = (row + tap) * pitch
            for x in 0..<pitch { line[x] += weight * scalars[start + x] }
          }
          for x in 0..<width {
            var sum: Float = 0
            for tap in window.indices { sum += window[tap] * line[x + tap] }
            result[row * width + x] = sum
          }
        }
      }
    }
  }
}

/// The mean over a square, weighted by a Gaussian of the distance and one of the difference.
///
///     w(p, q) = exp(−|p − q|²/(2·sigma²) − (I(p) − I(q))²/(2·range²))
///
/// The square goes on to 3σ, at least 2 pixels; beyond the border the image is mirrored. Source: Tomasi,
/// Manduchi, "Bilateral filtering for gray and color images" (1998).
package struct BilateralFilter: ImageFilter {
  /// The standard deviation of the distance in pixels, above 0.
  package let sigma: Double
  /// The standard deviation of differences in the image's unit; nil for three times the estimated
  /// noise.
  package let range: Double?

  package init(sigma: Double, range: Double?) { (self.sigma, self.range) = (sigma, range) }

  package var description: String {
    let words = range.map { $0.shortest } ?? "3·σ estimated"
    return "a bilateral filter of σ \(sigma.shortest) pixels, range \(words)"
  }

  package func apply(to image: Tensor<Float>) -> Tensor<Float> {
    let range = self.range ?? 3 * image.estimatedNoise()
    guard range > 0 else { return image }
    let radius = max(2, Int((3 * sigma).rounded(.up)))
    let (height, width) = (image.shape.height, image.shape.width)
    let extended = ExtendedImage(
      image, border: .mirroredWithEdge, rows: radius, columns: (radius, radius))
    let kernels = InstructionSet.kernels
    return Tensor(shape: image.shape) { result in
      extended.scalars.withUnsafeBufferPointer { scalars in
        guard let start = scalars.baseAddress, let target = result.baseAddress else { return }
        nonisolated(unsafe) let (source, output) = (start + extended.origin, target)
        parallel(chunks: height) { row, _ in
          kernels.bilateral_row(
            source + row * extended.pitch, extended.pitch, width, radius, Float(sigma),
            Float(range), output + row * width)
        }
      }
    }
  }
}

/// Total variation: the image u that minimizes ½Σ(u − f)² + weight·Σ|∇u|.
///
/// The iteration ends when a step changes the energy by less than 2·10⁻⁴ of the first, at the latest
/// after 200 steps, as `denoise_tv_chambolle` of scikit-image. Source: Chambolle, "An algorithm for
/// total variation minimization and applications" (2004).
package struct TotalVariation: ImageFilter {
  /// The weight in the image's unit; nil for the estimated noise.
  package let weight: Double?

  package init(weight: Double?) { self.weight = weight }

  package var description: String {
    "total variation, weight \(weight.map { $0.shortest } ?? "σ estimated")"
  }

  package func apply(to image: Tensor<Float>) -> Tensor<Float> {
    let weight = Float(self.weight ?? image.estimatedNoise())
    guard weight > 0 else { return image }
    let (height, width) = (image.shape.height, image.shape.width)
    let kernels = InstructionSet.kernels
    let rowsPerChunk = 32
    let chunks = (height + rowsPerChunk - 1) / rowsPerChunk
    func rows(_ chunk: Int) -> Range<Int> {
      chunk * rowsPerChunk..<min((chunk + 1) * rowsPerChunk, height)
    }
    var (down, right) = (
      [Float](repeating: 0, count: height * width), [Float](repeating: 0, count: height * width)
    )
    var energies = [Double](repeating: 0, count: height)
    return Tensor(shape: image.shape) { result in
      image.scalars.withUnsafeBufferPointer { scalars in
        down.withUnsafeMutableBufferPointer { down in
          right.withUnsafeMutableBufferPointer { right in
            energies.withUnsafeMutableBufferPointer { energies in
              guard let image = scalars.baseAddress, let estimate = result.baseAddress,
                let first = down.baseAddress, let second = right.baseAddress
              else { return }
              nonisolated(unsafe) let (f, u, p, q) = (image, estimate, first, second)
              nonisolated(unsafe) let energies = energies
              var (start, before) = (0.0, 0.0)
              for step in 0..<200 {
                parallel(chunks: chunks) { chunk, _ in
                  for row in rows(chunk) {
                    let place = row * width
                    energies[row] = Double(
                      kernels.variation_estimate(
                        f + place, p + place, q + place, row > 0 ? p + place - width : nil, width,
                        u + place))
                  }
                }
                parallel(chunks: chunks) { chunk, _ in
                  for row in rows(chunk) {
                    let place = row * width
                    energies[row] += Double(
                      weight
                        * kernels.variation_update(
                          u + place, row < height - 1 ? u + place + width : nil, width, weight,
                          p + place, q + place))
                  }
                }
                let energy = energies.reduce(0, +)
                if step == 0 { start = energy }
                if Parallelism.isOver || (step > 0 && abs(before - energy) < 2e-4 * start) { break }
                before = energy
              }
            }
          }
        }
      }
    }
  }
}

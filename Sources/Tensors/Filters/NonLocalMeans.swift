import CKernels

/// Non-local means: each pixel becomes the mean of pixels in a square about it, weighted by how alike
/// the patches about both are.
///
/// The kernel `compare_patches` has the equation. Source: Buades, Coll, Morel, "A non-local algorithm
/// for image denoising" (2005); as `denoise_nl_means` of scikit-image in its fast mode.
package struct NonLocalMeans: ImageFilter {
  /// The odd side of a patch.
  package let size: Int
  /// The most rows and columns between two pixels that are compared.
  package let distance: Int
  /// The parameter h, in units of the noise's standard deviation or of the image.
  package let strength: Strength
  /// The noise that is taken off differences of patches; nil for none.
  package let noise: NoiseLevel?

  /// The parameter h of the weights.
  package enum Strength: Hashable, Sendable {
    case absolute(Double)
    /// A multiple of the estimated noise.
    case ofNoise(Double)
  }

  package init(size: Int, distance: Int, strength: Strength, noise: NoiseLevel?) {
    precondition(size % 2 == 1 && size > 1, "A patch has an odd side above 1.")
    (self.size, self.distance, self.strength, self.noise) = (size, distance, strength, noise)
  }

  package var description: String {
    let h =
      switch strength {
      case .absolute(let value): "h \(value.shortest)"
      case .ofNoise(let factor): "h \(factor.shortest)·σ estimated"
      }
    let taken = noise.map { ", \($0.words)" } ?? ""
    return "non-local means, \(h)\(taken), patches of \(size)×\(size), distance \(distance)"
  }

  package func apply(to image: Tensor<Float>) -> Tensor<Float> {
    let h: Double
    switch strength {
    case .absolute(let value): h = value
    case .ofNoise(let factor): h = factor * image.estimatedNoise()
    }
    guard h > 0 else { return image }
    let sigma = noise?.deviation(of: image) ?? 0
    let (height, width, d, r) = (image.shape.height, image.shape.width, distance, size / 2)
    // Vectors may read and write up to 64 floats behind what counts.
    let extended = ExtendedImage(
      image, border: .mirrored, rows: 2 * d + r + 1,
      columns: (2 * d + r + 1, 2 * d + r + 65))
    let kernels = InstructionSet.kernels
    let rowsPerStrip = 64
    let chunks = (height + rowsPerStrip - 1) / rowsPerStrip
    var strips = [Strip?](repeating: nil, count: chunks)
    strips.withUnsafeMutableBufferPointer { strips in
      nonisolated(unsafe) let strips = strips
      extended.scalars.withUnsafeBufferPointer { scalars in
        guard let start = scalars.baseAddress else { return }
        nonisolated(unsafe) let description = ck_patches(
          height: height, width: width, pitch: extended.pitch, image: start + extended.origin,
          radius: r, distance: d, strength: Float(h), variance: Float(sigma * sigma))
        parallel(chunks: chunks) { chunk, _ in
          // The pixels beyond the border are compared, too, by the strips next to it.
          let first = chunk * rowsPerStrip - (chunk == 0 ? d : 0)
          let last = min((chunk + 1) * rowsPerStrip, height) + (chunk == chunks - 1 ? d : 0)
          var strip = Strip(firstRow: first - d, rows: last - first + 2 * d, pitch: extended.pitch)
          var scratch = [Float](repeating: 0, count: extended.pitch + 64)
          var one = description
          strip.write { sums, weights in
            kernels.compare_patches(&one, first, last, sums, weights, &scratch)
          }
          strips[chunk] = strip
        }
      }
    }
    return Strip.quotients(strips, of: image.shape, firstColumn: 2 * d, own: image)
  }
}

/// Sums of weighted pixels and of their weights over some rows of an image.
struct Strip: Sendable {
  /// The row of the image that the first row of sums belongs to.
  let firstRow: Int
  let rows: Int, pitch: Int
  private(set) var sums: [Float]
  private(set) var weights: [Float]

  init(firstRow: Int, rows: Int, pitch: Int) {
    (self.firstRow, self.rows, self.pitch) = (firstRow, rows, pitch)
    sums = [Float](repeating: 0, count: rows * pitch + 64)
    weights = sums
  }

  /// Calls `body` with the memory of the sums and the weights.
  mutating func write(
    _ body: (_ sums: UnsafeMutablePointer<Float>, _ weights: UnsafeMutablePointer<Float>) -> Void
  ) {
    sums.withUnsafeMutableBufferPointer { sums in
      weights.withUnsafeMutableBufferPointer { weights in
        guard let sums = sums.baseAddress, let weights = weights.baseAddress else { return }
        body(sums, weights)
      }
    }
  }

  /// The sums of all strips divided by their weights, pixel by pixel, in the order of the strips.
  ///
  /// - Parameters:
  ///   - strips: The strips; those that were left out are nil.
  ///   - shape: The shape of the image, `[1, 1, H, W]`.
  ///   - firstColumn: The column of the sums that the image's first belongs to.
  ///   - own: An image that counts with weight 1 beside the sums; nil for none.
  /// - Returns: The quotients.
  static func quotients(
    _ strips: [Strip?], of shape: Shape, firstColumn: Int, own: Tensor<Float>?
  ) -> Tensor<Float> {
    Tensor(shape: shape) { result in
      let width = shape.width
      for row in 0..<shape.height {
        let parts = strips.compactMap(\.self)
          .filter { ($0.firstRow..<$0.firstRow + $0.rows).contains(row) }
        for column in 0..<width {
          let pixel = row * width + column
          var (sum, weight) = own.map { ($0.scalars[pixel], Float(1)) } ?? (0, 0)
          for part in parts {
            let place = (row - part.firstRow) * part.pitch + firstColumn + column
            sum += part.sums[place]
            weight += part.weights[place]
          }
          result[pixel] = sum / weight
        }
      }
    }
  }
}

package import CT
package import Tensors

/// The correlation of the noise of neighboring pixels: that of noisy − clean in a pixel and in the next.
///
/// It is 0 for noise that is drawn pixel by pixel. Reconstructed CT is not so: each ray disturbs a whole
/// line of pixels.
package enum NoiseCorrelation {
  /// The size up to which a correlation of neighbors is taken as none.
  package static let negligible = 0.1

  /// Returns the mean of the correlations along rows and along columns over some slices; nil without noise.
  package static func ofNeighbors(
    _ noisy: Tensor<Float>, _ clean: ImageStack, slices: [Int]
  ) -> Double? {
    var (square, product, squares, products) = (0.0, 0.0, 0, 0)
    let (height, width) = (clean.height, clean.width)
    for slice in slices {
      let one = noisy.image(slice).scalars, other = clean.values.image(slice).scalars
      let noise = zip(one, other).map { Double($0) - Double($1) }
      let mean = noise.reduce(0, +) / Double(noise.count)
      for y in 0..<height {
        for x in 0..<width {
          let here = noise[y * width + x] - mean
          square += here * here
          squares += 1
          if x + 1 < width {
            product += here * (noise[y * width + x + 1] - mean)
            products += 1
          }
          if y + 1 < height {
            product += here * (noise[(y + 1) * width + x] - mean)
            products += 1
          }
        }
      }
    }
    guard square > 0, products > 0 else { return nil }
    return product / Double(products) / (square / Double(squares))
  }
}

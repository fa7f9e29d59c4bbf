import CKernels

/// BM3D, both stages: blocks that look alike are stacked, transformed together and shrunk.
///
/// `Sources/CKernels/Body/BlockMatching.hpp` has the equations. Source: Dabov, Foi, Katkovnik,
/// Egiazarian, "Image denoising by sparse 3-D transform-domain collaborative filtering" (2007), with
/// the parameters and the exact variances for overlapping blocks of Mäkinen, Azzari, Foi,
/// "Collaborative filtering of correlated noise" (2020).
package struct BlockMatching: ImageFilter {
  /// The sides of the smallest image that it filters.
  package static let smallestSide = 8

  package let noise: NoiseLevel

  package init(noise: NoiseLevel) { self.noise = noise }

  package var description: String { "BM3D, \(noise.words)" }

  package func apply(to image: Tensor<Float>) -> Tensor<Float> {
    let (height, width) = (image.shape.height, image.shape.width)
    precondition(min(height, width) >= Self.smallestSide, "BM3D takes images of 8×8 or more.")
    let deviation = noise.deviation(of: image)
    guard deviation > 0 else { return image }
    let first = stage(image, pilot: nil, deviation)
    return stage(image, pilot: first, deviation)
  }

  /// The largest squared difference of two blocks that are stacked, which goes with the range of the image
  /// in which they are sought.
  private static func mostDifferent(_ image: Tensor<Float>, isSecond: Bool) -> Float {
    let range = image.statistics()
    let height = (range.max - range.min) / 255
    return Float(Double(smallestSide * smallestSide) * (isSecond ? 400 : 3000) * height * height)
  }

  private func stage(
    _ image: Tensor<Float>, pilot: Tensor<Float>?, _ deviation: Double
  ) -> Tensor<Float> {
    let (height, width) = (image.shape.height, image.shape.width)
    let block = Self.smallestSide
    let step = Int(CK_BLOCK_STEP), rows = Int(CK_BLOCK_ROWS), search = Int(CK_BLOCK_SEARCH)
    let noisy = ExtendedImage(image, border: .repeated, rows: 1, columns: (0, 64))
    let guide = pilot.map { ExtendedImage($0, border: .repeated, rows: 1, columns: (0, 64)) }
    let mostDifferent = Self.mostDifferent(pilot ?? image, isSecond: pilot != nil)
    let pitch = noisy.pitch
    let chunks = ((height - block + step - 1) / step + 1 + rows - 1) / rows
    let kernels = InstructionSet.kernels
    var strips = [Strip?](repeating: nil, count: chunks)
    func fill(_ noisy: UnsafePointer<Float>, _ guide: UnsafePointer<Float>?) {
      nonisolated(unsafe) let description = ck_block_matching(
        height: height, width: width, pitch: pitch, noisy: noisy, pilot: guide,
        deviation: Float(deviation), most_different: mostDifferent)
      strips.withUnsafeMutableBufferPointer { strips in
        nonisolated(unsafe) let strips = strips
        parallel(chunks: chunks) { chunk, _ in
          let top = min(chunk * rows * step, height - block) - search
          var strip = Strip(
            firstRow: top, rows: (rows - 1) * step + block + 2 * search, pitch: pitch)
          var one = description
          strip.write { sums, weights in kernels.filter_blocks(&one, chunk, sums, weights) }
          strips[chunk] = strip
        }
      }
    }
    noisy.scalars.withUnsafeBufferPointer { scalars in
      guard let start = scalars.baseAddress else { return }
      if let guide {
        guide.scalars.withUnsafeBufferPointer { other in
          fill(start + noisy.origin, other.baseAddress.map { $0 + guide.origin })
        }
      } else {
        fill(start + noisy.origin, nil)
      }
    }
    return Strip.quotients(strips, of: image.shape, firstColumn: 0, own: nil)
  }
}

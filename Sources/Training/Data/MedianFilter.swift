package import Tensors

/// The median of the square of pixels about each pixel, a baseline for networks.
///
/// Beyond its border the image is mirrored, edge pixel included, as in `scipy.ndimage`.
package struct MedianFilter: ImageFilter {
  /// The odd side of the square.
  package let size: Int

  package init(size: Int) {
    precondition(size % 2 == 1 && size > 0, "A median needs an odd size.")
    self.size = size
  }

  package var description: String { "a median filter of \(size)×\(size) pixels" }

  package func apply(to image: Tensor<Float>) -> Tensor<Float> {
    apply(to: image, shouldStop: { false })
  }

  /// Filters each image of `images`, `[N, 1, H, W]`; a square with a NaN in it gives NaN.
  ///
  /// Once `shouldStop`, called from several threads, returns true, the rest is left out and the
  /// result is meaningless.
  package func apply(
    to images: Tensor<Float>, shouldStop: () -> Bool
  ) -> Tensor<Float> {
    let (height, width, r) = (images.shape.height, images.shape.width, size / 2)
    func mirrored(_ i: Int, _ extent: Int) -> Int {
      let period = 2 * extent
      let folded = ((i % period) + period) % period
      return folded < extent ? folded : period - 1 - folded
    }
    return Tensor(shape: images.shape) { output in
      images.scalars.withUnsafeBufferPointer { input in
        parallel(chunks: images.shape.batch * height) { line, _ in
          guard !shouldStop() else { return }
          let image = line / height * height * width
          let y = line % height
          let rows = (-r...r).map { image + mirrored(y + $0, height) * width }
          var square = [Float](repeating: 0, count: size * size)
          for x in 0..<width {
            var count = 0
            for column in x - r...x + r {
              let column = mirrored(column, width)
              for row in rows {
                square[count] = input[row + column]
                count += 1
              }
            }
            output[line * width + x] = median(&square)
          }
        }
      }
    }
  }

  /// The middle value of an odd number of values, by Hoare's selection.
  private func median(_ values: inout [Float]) -> Float {
    if values.contains(where: \.isNaN) { return .nan }
    let middle = values.count / 2
    var (low, high) = (0, values.count - 1)
    while low < high {
      let pivot = values[middle]
      var (i, j) = (low, high)
      repeat {
        while values[i] < pivot { i += 1 }
        while pivot < values[j] { j -= 1 }
        if i <= j {
          values.swapAt(i, j)
          i += 1
          j -= 1
        }
      } while i <= j
      if j < middle { low = i }
      if middle < i { high = j }
    }
    return values[middle]
  }
}

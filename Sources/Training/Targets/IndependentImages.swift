package import Tensors

/// Noisy images of the same slices whose noise is independent: one is the target, the mean of the others the input.
///
///     x = (Σ yᵢ − yₖ)/(K − 1)        t = yₖ        k drawn anew for each slice and update
///
/// Two images are a pair of Noise2Noise: two draws of noise, or two scans of one dose. K images from disjoint views
/// of one scan are those of Noise2Inverse (its strategy X:1).
///
/// It is no training towards the clean slice where both images share an error: that is learned as if it were
/// there. Neither may the images differ in anything but noise, as two reconstructions of one scan do.
///
/// Source: Lehtinen et al., "Noise2Noise" (2018); Hendriksen et al., "Noise2Inverse: self-supervised deep
/// convolutional denoising for tomography" (2020).
package struct IndependentImages: Sendable {
  private let stacks: [Tensor<Float>]

  /// - Parameter stacks: Two or more, `[N, 1, H, W]` each.
  package init(_ stacks: [Tensor<Float>]) {
    precondition(stacks.count > 1, "One image cannot be input and target.")
    self.stacks = stacks
  }

  /// Fills a row of an image from its range in the stack.
  typealias Copy = (_ row: Range<Int>, _ output: UnsafeMutableBufferPointer<Float>) -> Void

  /// Returns which of `count` images is the target of a slice in an update; without an update, the last.
  static func target(ofSlice slice: Int, of count: Int, drawing step: Int?) -> Int {
    guard let step else { return count - 1 }
    return RandomStream(seed: 0, name: "target/step\(step)").integer(at: slice, below: count)
  }

  /// Returns the inputs and targets of a batch.
  ///
  /// - Parameters:
  ///   - step: The number of the update, which decides the targets; nil for the last image always.
  ///   - pixels: The pixels of a slice.
  ///   - cut: Makes a tensor of patches, filled row by row.
  /// - Returns: What `cut` made of the input and of the target.
  func patches(
    drawing step: Int?, pixels: Int, by cut: (Copy) -> Tensor<Float>
  ) -> (input: Tensor<Float>, target: Tensor<Float>) {
    func target(_ row: Range<Int>) -> Int {
      Self.target(ofSlice: row.lowerBound / pixels, of: stacks.count, drawing: step)
    }
    let input = cut { row, output in
      let target = target(row)
      output.update(repeating: 0)
      for (number, stack) in stacks.enumerated() where number != target {
        for (x, place) in row.enumerated() { output[x] += stack.scalars[place] }
      }
      guard stacks.count > 2 else { return }
      for x in output.indices { output[x] /= Float(stacks.count - 1) }
    }
    return (input, cut { _ = $1.update(fromContentsOf: stacks[target($0)].scalars[$0]) })
  }
}

package import Tensors

/// Everything that says which numbers a network is trained on.
package struct TrainingData: Sendable {
  package let clean: ImageStack
  /// The fixed draw, `[N, 1, H, W]`, in the unit of ``clean``.
  package let noisy: Tensor<Float>
  /// Set when each batch draws anew; then inputs are made from ``clean``.
  package let freshNoise: Noise?
  package let scale: Scale

  package init(clean: ImageStack, noisy: Tensor<Float>, freshNoise: Noise?, scale: Scale) {
    (self.clean, self.noisy, self.freshNoise, self.scale) = (clean, noisy, freshNoise, scale)
  }
}

/// The slices of one update and where their patches lie.
struct BatchPlan: Hashable, Sendable, Codable {
  /// Slices of the stack, each with the top left corner of its patch.
  let patches: [Patch]

  struct Patch: Hashable, Sendable, Codable {
    let slice: Int
    let row: Int, column: Int
  }
}

/// One batch in network range.
struct Batch: Sendable {
  let input: Tensor<Float>, target: Tensor<Float>
  let mask: Tensor<Float>?
}

extension TrainingData {
  /// The batches of one epoch: each of `slices` once, in random order if `options` shuffle, with
  /// one random patch of each.
  func batches(epoch: Int, slices: [Int], options: TrainingOptions) -> [BatchPlan] {
    let order =
      options.shuffles
      ? RandomStream(seed: options.seed, name: "shuffle/epoch\(epoch)")
        .permutation(slices.count).map { slices[$0] }
      : slices
    let places = RandomStream(seed: options.seed, name: "patch/epoch\(epoch)")
    let patches = order.map { slice -> BatchPlan.Patch in
      guard let side = options.patch else { return .init(slice: slice, row: 0, column: 0) }
      return .init(
        slice: slice,
        row: places.integer(at: 2 * slice, below: clean.height - side + 1),
        column: places.integer(at: 2 * slice + 1, below: clean.width - side + 1))
    }
    return stride(from: 0, to: patches.count, by: options.batch).map {
      BatchPlan(patches: Array(patches[$0..<min($0 + options.batch, patches.count)]))
    }
  }

  /// The numbers of a batch, in network range.
  ///
  /// - Parameters:
  ///   - plan: The slices and the places of their patches.
  ///   - step: The number of the update, which names the stream of fresh noise.
  ///   - patch: The side of the patches; none for whole slices.
  /// - Returns: Input, target and mask.
  func batch(_ plan: BatchPlan, step: Int, patch: Int?) -> Batch {
    let (height, width) = (patch ?? clean.height, patch ?? clean.width)
    let shape: Shape = [plan.patches.count, 1, height, width]
    func cut(
      _ stack: [Float], then change: (_ slice: Int, UnsafeMutableBufferPointer<Float>) -> Void
    ) -> Tensor<Float> {
      Tensor(shape: shape) { output in
        stack.withUnsafeBufferPointer { stack in
          parallel(chunks: plan.patches.count) { i, _ in
            let place = plan.patches[i]
            let image = UnsafeMutableBufferPointer(
              rebasing: output[i * height * width..<(i + 1) * height * width])
            for y in 0..<height {
              let start = (place.slice * clean.height + place.row + y) * clean.width + place.column
              _ = image[(y * width)...].update(fromContentsOf: stack[start..<start + width])
            }
            change(place.slice, image)
          }
        }
      }
    }
    let target = cut(clean.values.scalars) { scale.toNetwork($1) }
    let input =
      if let freshNoise {
        cut(clean.values.scalars) { slice, pixels in
          freshNoise.apply(to: pixels, stream: "noise/step\(step)/slice\(slice)")
          scale.toNetwork(pixels)
        }
      } else {
        cut(noisy.scalars) { scale.toNetwork($1) }
      }
    return Batch(
      input: input, target: target,
      mask: clean.mask.map { mask in cut(mask.map { $0 ? 0 : 1 }) { _, _ in } })
  }
}

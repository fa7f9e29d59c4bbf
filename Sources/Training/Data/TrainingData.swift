package import CT
import Networks
package import Tensors

/// The images, noise and scale from which a training takes its batches.
package struct TrainingData: Sendable {
  package let clean: ImageStack
  /// The noisy slices of the fixed draw, `[N, 1, H, W]`, in the unit of ``clean``.
  package let noisy: Tensor<Float>
  /// The noise that each batch draws anew from ``clean``; nil for the fixed draw.
  package let freshNoise: Noise?
  package let scale: Scale
  /// The images that batches are trained towards.
  package let target: TargetImages

  package init(
    clean: ImageStack, noisy: Tensor<Float>, freshNoise: Noise?, scale: Scale,
    target: TargetImages = .clean
  ) {
    (self.clean, self.noisy, self.freshNoise, self.scale) = (clean, noisy, freshNoise, scale)
    self.target = target
  }
}

extension TrainingData {
  /// Returns the same data with other targets.
  func with(_ target: TargetImages) -> TrainingData {
    TrainingData(clean: clean, noisy: noisy, freshNoise: freshNoise, scale: scale, target: target)
  }
}

/// The slices of one update and the places of their patches.
struct BatchPlan: Hashable, Sendable, Codable {
  /// The slices, each with the top left corner of its patch.
  let patches: [Patch]

  struct Patch: Hashable, Sendable, Codable {
    let slice: Int
    let row: Int, column: Int
    /// How the patch is turned; nil if it is not.
    var turn: Turn?
  }

  /// The same patches of a stack that has the slices in the order of the patches.
  fileprivate var inOwnStack: BatchPlan {
    BatchPlan(
      patches: patches.enumerated().map { index, patch in
        Patch(slice: index, row: patch.row, column: patch.column, turn: patch.turn)
      })
  }
}

/// One batch in network range.
struct Batch: Sendable {
  let input: Tensor<Float>, target: Tensor<Float>
  let mask: Tensor<Float>?

  /// The number of pixels that count.
  var count: Int { mask.map { $0.scalars.count { $0 != 0 } } ?? target.shape.count }

  /// The weight of its loss in a mean over batches.
  func weight(in loss: Loss) -> Double { loss.isMean ? Double(max(1, count)) : 1 }
}

extension TrainingData {
  /// The batches of one epoch: each of `slices` once, in random order if `options` shuffle, with
  /// one random patch of each, turned as `options` say.
  func batches(epoch: Int, slices: [Int], options: TrainingOptions) -> [BatchPlan] {
    let order =
      options.shuffles
      ? RandomStream(seed: options.seed, name: "shuffle/epoch\(epoch)")
        .permutation(slices.count).map { slices[$0] }
      : slices
    let places = RandomStream(seed: options.seed, name: "patch/epoch\(epoch)")
    let turns = RandomStream(seed: options.seed, name: "augment/epoch\(epoch)")
    let isSquare = options.patch != nil || clean.height == clean.width
    let patches = order.map { slice -> BatchPlan.Patch in
      let turn = options.augmentation.turn(ofSlice: slice, isSquare: isSquare, turns)
      guard let side = options.patch else {
        return .init(slice: slice, row: 0, column: 0, turn: turn)
      }
      return .init(
        slice: slice,
        row: places.integer(at: 2 * slice, below: clean.height - side + 1),
        column: places.integer(at: 2 * slice + 1, below: clean.width - side + 1), turn: turn)
    }
    let size = options.slicesOfUpdate
    return stride(from: 0, to: patches.count, by: size).map {
      BatchPlan(patches: Array(patches[$0..<min($0 + size, patches.count)]))
    }
  }

  /// Makes a batch, in network range.
  ///
  /// - Parameters:
  ///   - plan: The slices and the places of their patches.
  ///   - step: The number of the update, which names the stream of fresh noise; nil for the fixed draw.
  ///   - patch: The side of the patches; nil for whole slices.
  ///   - network: The network that is trained, for targets that depend on what it makes of noisy images; nil for
  ///     those of a network without weight in its target.
  /// - Returns: Input, target and mask.
  func batch(
    _ plan: BatchPlan, drawing step: Int?, patch: Int?,
    for network: NetworkInTraining? = nil
  ) -> Batch {
    let side = (height: patch ?? clean.height, width: patch ?? clean.width)
    let (input, target) = images(plan, drawing: step, side)
    let mask = clean.mask.map { mask in
      tiles(plan, side) { row, output in
        for (x, isPadding) in mask[row].enumerated() { output[x] = isPadding ? 0 : 1 }
      }
    }
    let batch = Batch(input: input, target: target, mask: mask)
    guard case .neighbors = self.target else { return batch }
    let stream = step.map { "step\($0)" } ?? "validation"
    return NeighborSamples(input.shape, RandomStream(seed: 0, name: "neighbor/\(stream)"))
      .batch(of: batch, by: network)
  }

  /// The inputs and targets of a plan in network range; where targets are neighbors, the noisy images twice.
  private func images(
    _ plan: BatchPlan, drawing step: Int?, _ side: (height: Int, width: Int)
  ) -> (input: Tensor<Float>, target: Tensor<Float>) {
    if case .independent(let images) = target {
      return images.patches(drawing: step, pixels: clean.height * clean.width) { copy in
        tiles(plan, side, copy: copy, then: { scale.toNetwork($1) })
      }
    }
    if case .viewDraws(let kind) = target, let freshNoise {
      return halves(freshNoise, kind, plan, drawing: step, side)
    }
    let input =
      if let freshNoise, let step {
        fresh(freshNoise, plan, drawing: step, side)
      } else {
        cut(noisy.scalars, plan, side) { scale.toNetwork($1) }
      }
    if case .neighbors = target { return (input, input) }
    if case .draws = target, let freshNoise {
      return (input, fresh(freshNoise, plan, drawing: step, side, draw: "/second"))
    }
    return (input, cut(clean.values.scalars, plan, side) { scale.toNetwork($1) })
  }

  /// The patches of a plan with noise of their own, in network range.
  ///
  /// Noise that needs whole slices is drawn for these and then cut; `draw` names a further draw.
  private func fresh(
    _ noise: Noise, _ plan: BatchPlan, drawing step: Int?, _ side: (height: Int, width: Int),
    draw: String = ""
  ) -> Tensor<Float> {
    func disturb(_ slice: Int, _ pixels: UnsafeMutableBufferPointer<Float>) {
      noise.apply(
        to: pixels, ofSlice: slice, in: clean,
        stream: Self.stream(ofSlice: slice, drawing: step) + draw)
    }
    guard noise.kind.needsWholeSlice else {
      return cut(clean.values.scalars, plan, side) { slice, pixels in
        disturb(slice, pixels)
        scale.toNetwork(pixels)
      }
    }
    let whole = BatchPlan(patches: plan.patches.map { .init(slice: $0.slice, row: 0, column: 0) })
    let drawn = cut(
      clean.values.scalars, whole, (clean.height, clean.width), then: disturb)
    return cut(drawn.scalars, plan.inOwnStack, side) { scale.toNetwork($1) }
  }

  /// The name of the stream of a slice's noise in an update; without an update, that of the fixed draw.
  private static func stream(ofSlice slice: Int, drawing step: Int?) -> String {
    "noise/\(step.map { "step\($0)/" } ?? "")slice\(slice)"
  }

  /// The patches of a plan from reconstructions of disjoint views of one draw, in network range.
  private func halves(
    _ noise: Noise, _ kind: LowDoseNoise, _ plan: BatchPlan, drawing step: Int?,
    _ side: (height: Int, width: Int)
  ) -> (input: Tensor<Float>, target: Tensor<Float>) {
    let parts = TrainingTarget.partsOfViews
    let drawn = plan.patches.map { patch in
      kind.halves(
        of: clean.values.image(patch.slice).scalars, ofSlice: patch.slice, in: clean,
        target: IndependentImages.target(ofSlice: patch.slice, of: parts, drawing: step),
        of: parts,
        RandomStream(seed: noise.seed, name: Self.stream(ofSlice: patch.slice, drawing: step)))
    }
    func patches(_ images: [Float]) -> Tensor<Float> {
      cut(images, plan.inOwnStack, side) { scale.toNetwork($1) }
    }
    return (patches(drawn.flatMap(\.input)), patches(drawn.flatMap(\.target)))
  }

  /// The patches of a stack, each changed by `change` after it is cut.
  private func cut(
    _ stack: [Float], _ plan: BatchPlan, _ side: (height: Int, width: Int),
    then change: (_ slice: Int, UnsafeMutableBufferPointer<Float>) -> Void
  ) -> Tensor<Float> {
    tiles(plan, side, copy: { _ = $1.update(fromContentsOf: stack[$0]) }, then: change)
  }

  /// Makes a tensor of the patches of a plan, filled row by row.
  ///
  /// The work depends on the patches, not on the size of the stack.
  ///
  /// - Parameters:
  ///   - plan: The slices and the places of their patches.
  ///   - side: The size of a patch.
  ///   - copy: Fills a row of a patch from its range in the stack.
  ///   - change: Called with the number of the slice and its patch.
  /// - Returns: `[patches, 1, height, width]`.
  private func tiles(
    _ plan: BatchPlan, _ side: (height: Int, width: Int),
    copy: (_ row: Range<Int>, _ output: UnsafeMutableBufferPointer<Float>) -> Void,
    then change: (_ slice: Int, UnsafeMutableBufferPointer<Float>) -> Void = { _, _ in }
  ) -> Tensor<Float> {
    let pixels = side.height * side.width
    return Tensor(shape: [plan.patches.count, 1, side.height, side.width]) { output in
      parallel(chunks: plan.patches.count) { i, _ in
        let place = plan.patches[i]
        let image = UnsafeMutableBufferPointer(rebasing: output[i * pixels..<(i + 1) * pixels])
        for y in 0..<side.height {
          let start = (place.slice * clean.height + place.row + y) * clean.width + place.column
          copy(
            start..<start + side.width,
            UnsafeMutableBufferPointer(rebasing: image[y * side.width..<(y + 1) * side.width]))
        }
        change(place.slice, image)
        // Noise turns with the image that it was added to.
        place.turn?.apply(to: image, height: side.height, width: side.width)
      }
    }
  }
}

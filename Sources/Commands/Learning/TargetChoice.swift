import CT
import CommandLanguage
import Networks
import Tensors
import Training

/// The choice of the images that a training is trained towards.
extension Workspace {
  /// The images a training reads, with those of its target.
  func requireTrainingData(
    _ target: TrainingTarget = .clean, _ context: CommandContext? = nil
  ) throws(CommandError) -> TrainingData {
    let noisy = try requireNoisy()
    let noise = self.noise
    return TrainingData(
      clean: try requireJudge(), noisy: noisy,
      freshNoise: noise?.isFresh == true ? noise : nil, scale: try requireScale(),
      target: try targetImages(target, noisy, context))
  }

  /// The images of a target, for the slices that train and those that judge epochs.
  func targetImages(
    _ target: TrainingTarget, _ noisy: Tensor<Float>, _ context: CommandContext?
  ) throws(CommandError) -> TargetImages {
    switch target {
    case .clean: return .clean
    case .neighbor: return .neighbors
    case .pair:
      let clean = try requireClean()
      guard let noise else { return .independent(IndependentImages([noisy, clean.values])) }
      if noise.isFresh { return .draws }
      let second = try stacks(1, of: clean, context) { slice in
        var pixels = clean.values.image(slice).scalars
        pixels.withUnsafeMutableBufferPointer {
          noise.apply(to: $0, ofSlice: slice, in: clean, stream: "noise/slice\(slice)/second")
        }
        return [pixels]
      }
      return .independent(IndependentImages([noisy] + second))
    case .views:
      let clean = try requireClean()
      guard let noise, let kind = noise.kind as? LowDoseNoise else {
        throw CommandError(
          .state, "target=views needs projections, and the noisy slices have none",
          hint: "make them with 'noise lowdose dose=0.25'")
      }
      if noise.isFresh { return .viewDraws(kind) }
      let count = TrainingTarget.partsOfViews
      return .independent(
        IndependentImages(
          try stacks(count, of: clean, context) { slice in
            kind.parts(ofSlice: slice, in: clean, count: count, seed: noise.seed)
          }))
    }
  }

  /// Stacks of images made of each slice that trains or judges epochs; the images of others are 0.
  private func stacks(
    _ count: Int, of clean: ImageStack, _ context: CommandContext?,
    images: (_ slice: Int) -> [[Float]]
  ) throws(CommandError) -> [Tensor<Float>] {
    try requireMemory(copies: count, of: clean.count, clean)
    let pixels = clean.height * clean.width
    var stacks = [[Float]](
      repeating: [Float](repeating: 0, count: clean.values.shape.count), count: count)
    let slices = trainingSlices(clean) + (split?.slices(.validation) ?? [])
    for (done, slice) in slices.enumerated() {
      context?.progress(
        ProgressUpdate(
          "making targets", fraction: Double(done) / Double(slices.count), count: done,
          things: "slices"))
      let made = abandonable(when: { context?.shouldStop() ?? false }) { images(slice) }
      guard let made else { throw CommandError.interrupted }
      for (number, image) in made.enumerated() {
        stacks[number].replaceSubrange(slice * pixels..<(slice + 1) * pixels, with: image)
      }
    }
    return stacks.map { Tensor(shape: clean.values.shape, scalars: $0) }
  }

  /// The correlation of the noise of neighbors, where a training towards these assumes none; nil where that
  /// holds, or where the last training was towards something else.
  func correlationAgainst(_ target: TrainingTarget) throws(CommandError) -> Double? {
    guard target == .neighbor, let noisy else { return nil }
    let judge = try requireJudge()
    let slices = Array(trainingSlices(judge).prefix(4))
    let correlation = NoiseCorrelation.ofNeighbors(noisy, judge, slices: slices)
    return correlation.flatMap { abs($0) > NoiseCorrelation.negligible ? $0 : nil }
  }

  /// A warning where the noise is not as a target assumes.
  func warnings(ofTarget target: TrainingTarget) throws(CommandError) -> [String] {
    let biased =
      target != .clean && loss.needsCleanTargets
      ? [
        "'\(loss.line)' groups pixels by their targets, but those of "
          + "target=\(target.rawValue) are noisy: within a group the noise does not average out, and the "
          + "network learns it"
      ] : []
    guard let correlation = try correlationAgainst(target) else { return biased }
    return biased + [
      "target=neighbor assumes that the noise of neighbors is independent; here its correlation is "
        + "\((correlation * 100).rounded() / 100), so a part of the noise is learned as if it were there"
    ]
  }
}

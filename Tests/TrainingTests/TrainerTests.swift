import CT
import GradientFlows
import Networks
import Synchronization
import Tensors
import TestSupport
import Testing
import Training

struct TrainerTests {
  @Test func `an epoch visits each slice once and keeps a short last batch`() throws {
    var trainer = Trainer(try Network(lines: ["conv"]), optimizer: OptimizerSetting(Adam()))
    var options = TrainingOptions()
    options.epochs = 3
    options.batch = 4
    var slices: [Int] = []
    let report = trainer.train(
      on: data(count: 10), slices: Array(0..<10), loss: .meanSquaredError, flow: StandardFlow(),
      options: options, clock: { 0 }
    ) { progress in
      slices.append(progress.slices)
      return nil
    }
    #expect(slices == [4, 8, 10, 14, 18, 20, 24, 28, 30])
    #expect(report.steps == 9)
    #expect(report.epochs == 3)
    #expect(report.reason == .finished)
  }

  @Test func `training lowers the loss`() throws {
    var trainer = Trainer(
      try Network(lines: ["block channels=4 convs=2", "conv", "output subtract"]),
      optimizer: OptimizerSetting(Adam()))
    var options = TrainingOptions()
    options.epochs = 200
    var losses: [Double] = []
    _ = trainer.train(
      on: data(count: 4), slices: [0, 1, 2, 3], loss: .meanSquaredError, flow: StandardFlow(),
      options: options, clock: { 0 }
    ) { progress in
      losses.append(progress.loss)
      return nil
    }
    #expect(losses[199] < losses[0] / 5)
  }

  @Test func `padding pulls at no weight`() throws {
    // Masked pixels may hold anything: the gradients stay the same.
    func gradients(_ padding: Float) throws -> [Tensor<Float>] {
      let shape: Shape = [1, 1, 8, 8]
      let image = noise("image", shape)
      var target = noise("target", shape)
      var mask = Tensor<Float>(shape: shape, repeating: 1)
      for i in 0..<16 {
        mask.scalars[i] = 0
        target.scalars[i] = padding
      }
      let pass = TrainingPass(
        network: try Network(lines: ["block channels=2", "conv"]), input: image, target: target,
        mask: mask, loss: .meanSquaredError)
      return pass.run(StandardFlow(), retention: .training).parameterGradients
    }
    let (a, b) = (try gradients(-3000), try gradients(7))
    #expect(a.map(\.scalars) == b.map(\.scalars))
  }

  @Test func `the mask of a batch is that of its patches`() throws {
    // Each clean value is its own index, so that a patch tells where it was cut.
    let (count, side) = (5, 12)
    let values = Tensor<Float>(
      shape: [count, 1, side, side], scalars: (0..<count * side * side).map(Float.init))
    let mask = values.scalars.indices.map { $0 % 7 == 3 || $0 % 5 == 0 }
    let stack = ImageStack(values: values, mask: mask, unit: .stored(0...1))
    let data = TrainingData(clean: stack, noisy: values, freshNoise: nil, scale: .none)
    var trainer = Trainer(try Network(lines: ["conv"]), optimizer: OptimizerSetting(SGD()))
    var options = TrainingOptions()
    (options.patch, options.batch, options.steps) = (7, 3, 1)
    _ = trainer.train(
      on: data, slices: Array(0..<count), loss: .meanSquaredError, flow: StandardFlow(),
      options: options, clock: { 0 }, afterStep: { _ in nil })
    let pass = try #require(trainer.lastPass)
    #expect(pass.mask?.shape == [3, 1, 7, 7])
    let expected = pass.target.scalars.map { mask[Int($0)] ? Float(0) : 1 }
    #expect(pass.mask?.scalars == expected)
  }

  /// Losses of the batches of one epoch of five slices, their pixels, and the mean that is reported.
  private func epoch(
    _ loss: Loss, mask: [Bool]?
  ) throws -> (losses: [Double], pixels: [Double], reported: Double) {
    let values = noise("clean", [5, 1, 12, 12])
    let stack = ImageStack(values: values, mask: mask, unit: .stored(0...1))
    let data = TrainingData(
      clean: stack, noisy: noise("noisy", values.shape), freshNoise: nil, scale: .none)
    var trainer = Trainer(try Network(lines: ["conv"]), optimizer: OptimizerSetting(SGD()))
    var options = TrainingOptions()
    (options.batch, options.epochs, options.shuffles) = (4, 1, false)
    var (losses, pixels): ([Double], [Double]) = ([], [])
    let report = trainer.train(
      on: data, slices: Array(0..<5), loss: loss, flow: StandardFlow(), options: options,
      clock: { 0 }
    ) { progress in
      losses.append(progress.loss)
      return nil
    }
    for slices in [0..<4, 4..<5] {
      let part = mask.map { Array($0[slices.lowerBound * 144..<slices.upperBound * 144]) }
      pixels.append(Double(part?.count { !$0 } ?? slices.count * 144))
    }
    return (losses, pixels, report.loss)
  }

  @Test(arguments: [Loss.meanSquaredError, .meanAbsoluteError], [false, true])
  func `a short last batch weighs as its pixels do`(loss: Loss, isMasked: Bool) throws {
    let mask = isMasked ? (0..<5 * 144).map { $0 < 300 } : nil
    let (losses, pixels, reported) = try epoch(loss, mask: mask)
    let mean = zip(losses, pixels).reduce(0) { $0 + $1.0 * $1.1 } / (pixels[0] + pixels[1])
    #expect(abs(reported / mean - 1) < 1e-12)
    #expect(abs(reported / ((losses[0] + losses[1]) / 2) - 1) > 1e-3, "batches do not weigh alike")
  }

  @Test func `of a sum, batches weigh alike, since each pixel is in it once`() throws {
    let (losses, _, reported) = try epoch(.halfSquares(gradientIsDeclared: false), mask: nil)
    #expect(abs(reported / ((losses[0] + losses[1]) / 2) - 1) < 1e-12)
  }

  @Test func `a point of a curve is the mean over the pixels of its epoch`() {
    var curve = TrainingCurve(
      number: 1, network: "main", setting: "", watched: "training", noisyPSNR: 30)
    for _ in 0..<8 {
      curve.add(loss: 1, weight: 400, part: 0.5)
      curve.add(loss: 6, weight: 100, part: 0.5)
    }
    #expect(curve.readableLosses.map(\.mean) == Array(repeating: 2, count: 8))
    #expect(curve.readableLosses.map(\.high) == Array(repeating: 6, count: 8))
  }

  @Test func `a step that is dropped ends inside, and leaves everything as it was`() throws {
    var trainer = Trainer(
      try Network(lines: ["block channels=16 kernel=5 convs=3", "conv"]),
      optimizer: OptimizerSetting(Adam()))
    var options = TrainingOptions()
    options.steps = 5
    let before = trainer.network.parameters.map(\.scalars)
    let asked = Asked()
    let report = trainer.train(
      on: data(count: 4), slices: [0, 1, 2, 3], loss: .meanSquaredError, flow: StandardFlow(),
      options: options, clock: { 0 }, shouldDrop: { asked.isAskedMoreThan(3) },
      afterStep: { _ in nil })
    #expect(report.steps == 0 && report.reason == .interrupt && report.failure == nil)
    #expect(trainer.network.parameters.map(\.scalars) == before)
    #expect(trainer.step == 0)
    // The same batch comes again.
    options.steps = 1
    _ = trainer.train(
      on: data(count: 4), slices: [0, 1, 2, 3], loss: .meanSquaredError, flow: StandardFlow(),
      options: options, resumes: true, clock: { 0 }, afterStep: { _ in nil })
    #expect(trainer.step == 1 && trainer.network.parameters.map(\.scalars) != before)
  }

  @Test func `a stopped step leaves everything as it was`() throws {
    var trainer = Trainer(
      try Network(lines: ["conv", "conv"]), optimizer: OptimizerSetting(Adam()))
    var options = TrainingOptions()
    options.epochs = 1
    var bad = data(count: 2)
    bad = TrainingData(
      clean: bad.clean,
      noisy: Tensor(shape: bad.noisy.shape, repeating: .infinity), freshNoise: nil,
      scale: bad.scale)
    let before = trainer.network.parameters.map(\.scalars)
    let report = trainer.train(
      on: bad, slices: [0, 1], loss: .meanSquaredError, flow: StandardFlow(), options: options,
      clock: { 0 }, afterStep: { _ in nil })
    let error = report.failure
    #expect(error == NonFiniteError(step: 1, tensor: "net.in", slice: error?.slice))
    #expect(report.reason == .nonFinite && report.steps == 0)
    #expect(trainer.network.parameters.map(\.scalars) == before)
    #expect(trainer.step == 0)
  }

  private func noise(_ name: String, _ shape: Shape) -> Tensor<Float> {
    Tensor(shape: shape) { RandomStream(seed: 1, name: name).fillNormals($0) }
  }

  private func data(count: Int) -> TrainingData {
    let clean = noise("clean", [count, 1, 12, 12])
    let stack = ImageStack(values: clean, unit: .stored(0...1))
    let noisy = Noise(GaussianNoise(deviation: 0.5), isFresh: false, seed: 1).apply(to: stack)
    return TrainingData(clean: stack, noisy: noisy, freshNoise: nil, scale: .none)
  }
}

/// Counts questions, from any thread.
private final class Asked: Sendable {
  private let count = Atomic<Int>(0)

  func isAskedMoreThan(_ times: Int) -> Bool {
    count.add(1, ordering: .relaxed).newValue > times
  }
}

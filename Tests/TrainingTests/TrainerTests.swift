import GradientFlows
import Networks
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
    let report = try trainer.train(
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
    _ = try trainer.train(
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
      return pass.run(StandardFlow(), retention: .training).gradients.parameters
    }
    let (a, b) = (try gradients(-3000), try gradients(7))
    #expect(a.map(\.scalars) == b.map(\.scalars))
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
    let error = #expect(throws: NonFiniteError.self) {
      try trainer.train(
        on: bad, slices: [0, 1], loss: .meanSquaredError, flow: StandardFlow(), options: options,
        clock: { 0 }, afterStep: { _ in nil })
    }
    #expect(error == NonFiniteError(step: 1, tensor: "net.in", slice: error?.slice))
    #expect(trainer.network.parameters.map(\.scalars) == before)
    #expect(trainer.step == 0)
  }

  private func noise(_ name: String, _ shape: Shape) -> Tensor<Float> {
    Tensor(shape: shape) { RandomStream(seed: 1, name: name).fillNormals($0) }
  }

  private func data(count: Int) -> TrainingData {
    let clean = noise("clean", [count, 1, 12, 12])
    let stack = ImageStack(
      values: clean, mask: nil, unit: .stored(0...1),
      origins: Array(repeating: SliceOrigin(patient: 1, series: 1), count: count))
    let noisy = Noise(.gaussian(deviation: 0.5), isFresh: false, seed: 1).apply(to: clean)
    return TrainingData(clean: stack, noisy: noisy, freshNoise: nil, scale: .none)
  }
}

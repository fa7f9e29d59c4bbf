import CT
import GradientFlows
import Networks
import Tensors
import TestSupport
import Testing
import Training

/// AdamW, averages and gradients of several batches against PyTorch (`Tests/Fixtures/training`), and what a
/// training keeps beside its last weights.
struct TrainedStateTests {
  struct Case: Decodable {
    let lines: [String]
    let decay_of_average: Double
    let losses: [Double]
  }

  /// The images of the fixture as data.
  private func data() throws -> TrainingData {
    let clean = try Fixture("training").tensor("clean").floats()
    return TrainingData(
      clean: ImageStack(values: clean, unit: .stored(0...1)),
      noisy: try Fixture("training").tensor("noisy").floats(), freshNoise: nil, scale: .none)
  }

  private func network() throws -> Network<Float> {
    let fixture = Fixture("training")
    var network = try Network<Float>(lines: try fixture.json("case.json", as: Case.self).lines)
    network.parameters = try network.parameterNames.map {
      try fixture.tensor("start/\($0)").floats()
    }
    return network
  }

  private func adamW() -> OptimizerSetting {
    var rule = AdamW()
    (rule.adam.learningRate, rule.weightDecay) = (0.01, 0.05)
    return OptimizerSetting(rule)
  }

  @Test func `ten steps of AdamW and the average of their weights are PyTorch's`() throws {
    let (fixture, data) = (Fixture("training"), try data())
    let expected = try fixture.json("case.json", as: Case.self)
    var trainer = Trainer(try network(), optimizer: adamW())
    var options = TrainingOptions()
    (options.steps, options.shuffles) = (10, false)
    options.averageDecay = expected.decay_of_average
    var losses: [Double] = []
    Precision.$current.withValue(.strict) {
      _ = trainer.train(
        on: data, slices: [0, 1, 2, 3], loss: .meanSquaredError, flow: StandardFlow(),
        options: options, clock: { 0 }
      ) { progress in
        losses.append(progress.loss)
        return nil
      }
    }
    for (found, wanted) in zip(losses, expected.losses) {
      #expect(abs(found - wanted) <= 1e-5 * wanted)
    }
    let average = try #require(trainer.network(.average))
    for (index, name) in trainer.network.parameterNames.enumerated() {
      expectClose(
        trainer.network.parameters[index], try fixture.tensor("adamw/\(name)"), within: 1e-5, name)
      expectClose(
        average.parameters[index], try fixture.tensor("average/\(name)"), within: 1e-5, name)
    }
  }

  @Test(arguments: [
    Loss.meanSquaredError, .halfSquares(gradientIsDeclared: true), .charbonnier(epsilon: 0.1),
  ])
  func `gradients of several batches make the update of one that is as large`(_ loss: Loss) throws {
    let data = try data()
    func trained(batch: Int, accumulation: Int) throws -> (Network<Float>, [Double], Int) {
      var trainer = Trainer(try network(), optimizer: OptimizerSetting(SGD()))
      var options = TrainingOptions()
      (options.batch, options.accumulation, options.epochs) = (batch, accumulation, 3)
      var losses: [Double] = []
      let report = trainer.train(
        on: data, slices: [0, 1, 2, 3], loss: loss, flow: StandardFlow(), options: options,
        clock: { 0 }
      ) { progress in
        losses.append(progress.loss)
        return nil
      }
      return (trainer.network, losses, report.steps)
    }
    let (whole, losses, steps) = try trained(batch: 3, accumulation: 1)
    let (parts, shares, count) = try trained(batch: 1, accumulation: 3)
    #expect(steps == 6 && count == 6)
    for (a, b) in zip(losses, shares) { #expect(abs(a - b) <= 1e-5 * a) }
    for (a, b) in zip(whole.parameters, parts.parameters) { expectClose(b, a, within: 1e-5) }
  }

  @Test
  func `the best state is that of the lowest validation loss, and patience ends the training`()
    throws
  {
    let data = try data()
    // Steps this long make the loss rise after a while.
    var rule = SGD()
    (rule.learningRate, rule.momentum) = (0.3, 0.9)
    var losses: [Double] = []
    var networks: [Network<Float>] = []
    func train(_ patience: Int?, epochs: Int) throws -> (Trainer, TrainingReport) {
      (losses, networks) = ([], [])
      var trainer = Trainer(try network(), optimizer: OptimizerSetting(rule))
      var options = TrainingOptions()
      (options.keepsBest, options.patience, options.epochs) = (true, patience, epochs)
      options.batch = 2
      let report = trainer.train(
        on: data, slices: [0, 1, 2], validation: [3], loss: .meanSquaredError,
        flow: StandardFlow(), options: options, clock: { 0 }
      ) { progress in
        if let loss = progress.validationLoss {
          losses.append(loss)
          networks.append(progress.network)
          let wanted = data.validationLoss(
            of: progress.network, slices: [3], .meanSquaredError)
          #expect(loss == wanted)
        }
        return nil
      }
      return (trainer, report)
    }
    let (trainer, report) = try train(nil, epochs: 30)
    // It may end before, with numbers that are no longer finite.
    #expect(losses.count > 3 && report.epochs >= losses.count)
    let last = losses.count - 1
    let lowest = try #require(losses.indices.min { losses[$0] < losses[$1] })
    #expect(lowest < last, "the training gets worse again")
    let best = try #require(trainer.kept.best)
    #expect(
      best.loss == losses[lowest] && best.epoch == lowest + 1 && best.step == 2 * (lowest + 1))
    #expect(
      trainer.network(.best)?.parameters.map(\.scalars)
        == networks[lowest].parameters.map(\.scalars))
    #expect(trainer.kept.epochsSinceBest == last - lowest)

    let all = losses
    let (patient, ended) = try train(2, epochs: 30)
    let end = try #require(Self.end(all, 2))
    #expect(ended.reason == .patience && ended.epochs == end + 1)
    #expect(patient.kept.epochsSinceBest == 2)
  }

  /// The place of the epoch at which `patience` epochs have passed without a lower loss.
  private static func end(_ losses: [Double], _ patience: Int) -> Int? {
    var (best, since) = (Double.infinity, 0)
    for (epoch, loss) in losses.enumerated() {
      (best, since) = loss < best ? (loss, 0) : (best, since + 1)
      if since == patience { return epoch }
    }
    return nil
  }

  @Test func `turned images stay a pair, and every way of turning occurs`() throws {
    // Each value tells its place, so that a turn can be read off.
    let (count, side) = (40, 3)
    let plane = (0..<9).map(Float.init)
    let values = Tensor<Float>(
      shape: [count, 1, side, side], scalars: (0..<count).flatMap { _ in plane })
    let mask = values.scalars.map { $0 == 4 || $0 == 1 }
    let stack = ImageStack(values: values, mask: mask, unit: .stored(0...1))
    let data = TrainingData(
      clean: stack, noisy: Tensor(shape: values.shape, scalars: values.scalars.map { $0 + 100 }),
      freshNoise: nil, scale: .none)
    func images(_ augmentation: Augmentation) throws -> Set<[Float]> {
      var trainer = Trainer(try Network(lines: ["conv"]), optimizer: OptimizerSetting(SGD()))
      var options = TrainingOptions()
      (options.batch, options.steps, options.augmentation) = (count, 1, augmentation)
      _ = trainer.train(
        on: data, slices: Array(0..<count), loss: .meanSquaredError, flow: StandardFlow(),
        options: options, clock: { 0 }, afterStep: { _ in nil })
      let pass = try #require(trainer.lastPass)
      #expect(pass.input.scalars == pass.target.scalars.map { $0 + 100 })
      let counted = try #require(pass.mask)
      #expect(counted.scalars == pass.target.scalars.map { $0 == 4 || $0 == 1 ? 0 : 1 })
      return Set((0..<count).map { pass.target.image($0).scalars })
    }
    var both = Augmentation()
    #expect(try images(both) == [plane])
    both.flips = true
    let flipped: Set<[Float]> = [
      plane, [2, 1, 0, 5, 4, 3, 8, 7, 6], [6, 7, 8, 3, 4, 5, 0, 1, 2],
      [8, 7, 6, 5, 4, 3, 2, 1, 0],
    ]
    #expect(try images(both) == flipped)
    both.rotates = true
    let all = try images(both)
    #expect(all.count == 8 && all.isSuperset(of: flipped))
    both.flips = false
    // numpy.rot90 of 0…8 by 0 to 3 quarter turns.
    #expect(
      try images(both) == [
        plane, [2, 5, 8, 1, 4, 7, 0, 3, 6], [8, 7, 6, 5, 4, 3, 2, 1, 0],
        [6, 3, 0, 7, 4, 1, 8, 5, 2],
      ])
  }

  @Test func `a sweep of rates finds where the loss falls and where it explodes`() throws {
    let (data, network) = (try data(), try network())
    var options = TrainingOptions()
    (options.steps, options.batch) = (60, 4)
    let sweep = RateSweep(
      network, optimizer: OptimizerSetting(SGD()), on: data, slices: [0, 1, 2, 3],
      loss: .meanSquaredError, flow: StandardFlow(), options: options, rates: 1e-4...100,
      shouldStop: { false }, progress: { _ in })
    #expect(sweep.points.count < 60, "it ends where the loss explodes")
    for (index, point) in sweep.points.enumerated() {
      let rate = 1e-4 * ReproducibleMath.power(1e6, Double(index) / 59)
      #expect(abs(point.rate - rate) <= 1e-12 * rate)
    }
    // The first loss is that of the network as it is.
    let first = TrainingPass(
      network: network, input: data.noisy, target: data.clean.values, loss: .meanSquaredError
    ).run(StandardFlow(), retention: .training).loss
    #expect(abs(sweep.points[0].loss - first) <= 1e-6 * first)
    let (steepest, lowest) = (try #require(sweep.steepest), try #require(sweep.lowest))
    #expect(steepest.rate < lowest.rate && lowest.smooth < first)
  }
}

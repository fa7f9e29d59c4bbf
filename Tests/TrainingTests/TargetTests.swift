import CT
import GradientFlows
import Networks
import Tensors
import TestSupport
import Testing
import Tomography
import Training

struct `Targets that are noisy themselves` {
  private static let side = 12

  /// Slices of smooth numbers.
  private static func clean(_ count: Int) -> ImageStack {
    let pixels = side * side
    return ImageStack(
      values: Tensor(
        shape: [count, 1, side, side],
        scalars: (0..<count * pixels).map { Float($0 % 7) / 7 + Float($0 / pixels) / 5 }),
      unit: .stored(0...1))
  }

  /// The change of the weights by one update of plain descent: the gradient, but for sign and rate.
  private static func change(
    _ network: Network<Float>, _ target: TargetImages, seed: UInt64
  ) -> [Double] {
    let clean = clean(2)
    let noise = Noise(GaussianNoise(deviation: 0.3), isFresh: true, seed: seed)
    let data = TrainingData(
      clean: clean, noisy: clean.values, freshNoise: noise, scale: .none, target: target)
    var trainer = Trainer(network, optimizer: OptimizerSetting(SGD()))
    var options = TrainingOptions()
    (options.batch, options.steps, options.shuffles) = (2, 1, false)
    _ = trainer.train(
      on: data, slices: [0, 1], loss: .meanSquaredError, flow: StandardFlow(), options: options,
      clock: { 0 }, afterStep: { _ in nil })
    return zip(trainer.network.parameters, network.parameters).flatMap { after, before in
      zip(after.scalars, before.scalars).map { Double($0) - Double($1) }
    }
  }

  @Test func `the mean of a thousand gradients towards noisy pairs is that towards clean slices`()
    throws
  {
    let network = try Network<Float>(lines: ["conv channels=2 act=relu", "conv"])
    let draws = 1000
    var sums: [Double] = [], squares: [Double] = []
    for draw in 0..<draws {
      let pair = Self.change(network, .draws, seed: UInt64(draw))
      let supervised = Self.change(network, .clean, seed: UInt64(draw))
      if sums.isEmpty { (sums, squares) = (pair.map { _ in 0 }, pair.map { _ in 0 }) }
      for i in pair.indices {
        let difference = pair[i] - supervised[i]
        sums[i] += difference
        squares[i] += difference * difference
      }
    }
    var scores = 0.0
    for i in sums.indices {
      let mean = sums[i] / Double(draws)
      let error = ((squares[i] / Double(draws) - mean * mean) / Double(draws)).squareRoot()
      #expect(abs(mean) < 3 * error + 1e-9, "weight \(i)")
      scores += error > 0 ? mean * mean / (error * error) : 1
    }
    // The weights are correlated, so the mean of the squared scores spreads more than that of independent ones.
    #expect(scores / Double(sums.count) < 2)
  }

  @Test func `a pair of stacks gives either image as input, the other as target`() throws {
    let clean = Self.clean(4)
    let one = clean.values
    let other = Tensor(shape: one.shape, scalars: one.scalars.map { $0 + 100 })
    let data = TrainingData(
      clean: clean, noisy: one, freshNoise: nil, scale: .none,
      target: .independent(IndependentImages([one, other])))
    var trainer = Trainer(try Network(lines: ["conv"]), optimizer: OptimizerSetting(SGD()))
    var options = TrainingOptions()
    (options.batch, options.steps, options.patch) = (4, 1, 6)
    var swapped = 0
    for _ in 0..<6 {
      _ = trainer.train(
        on: data, slices: [0, 1, 2, 3], loss: .meanSquaredError, flow: StandardFlow(),
        options: options, clock: { 0 }, afterStep: { _ in nil })
      let pass = try #require(trainer.lastPass)
      for image in 0..<4 {
        let input = pass.input.image(image).scalars, target = pass.target.image(image).scalars
        let isSwapped = input[0] > 50
        swapped += isSwapped ? 1 : 0
        for (x, y) in zip(input, target) { #expect(abs(abs(x - y) - 100) < 1e-3) }
      }
    }
    #expect(swapped > 4 && swapped < 20)
  }

  @Test func `neighbors are two pixels of one cell that share a side`() throws {
    let clean = Self.clean(2)
    // Each number is its own place.
    let places = Tensor<Float>(
      shape: clean.values.shape, scalars: (0..<clean.values.shape.count).map(Float.init))
    let data = TrainingData(
      clean: clean, noisy: places, freshNoise: nil, scale: .none, target: .neighbors)
    var trainer = Trainer(try Network(lines: ["conv"]), optimizer: OptimizerSetting(SGD()))
    var options = TrainingOptions()
    (options.batch, options.steps, options.shuffles) = (2, 1, false)
    options.stopsOnNonFinite = false
    _ = trainer.train(
      on: data, slices: [0, 1], loss: .meanSquaredError, flow: StandardFlow(), options: options,
      clock: { 0 }, afterStep: { _ in nil })
    let pass = try #require(trainer.lastPass)
    #expect(pass.input.shape == [2, 1, 6, 6])
    var kinds: Set<Float> = []
    for (place, (x, y)) in zip(pass.input.scalars, pass.target.scalars).enumerated() {
      let (image, cell) = place.quotientAndRemainder(dividingBy: 36)
      for number in [x, y] {
        let inImage = Int(number) - image * 144
        #expect(inImage / 12 / 2 == cell / 6 && inImage % 12 / 2 == cell % 6)
      }
      kinds.insert(abs(x - y))
    }
    #expect(kinds == [1, 12])
  }

  @Test func `the target of several images is one of them, the input the mean of the others`()
    throws
  {
    let clean = Self.clean(3)
    let offsets: [Float] = [0, 100, 1000, 10_000]
    let stacks = offsets.map { offset in
      Tensor(shape: clean.values.shape, scalars: clean.values.scalars.map { $0 + offset })
    }
    let data = TrainingData(
      clean: clean, noisy: clean.values, freshNoise: nil, scale: .none,
      target: .independent(IndependentImages(stacks)))
    var trainer = Trainer(try Network(lines: ["conv"]), optimizer: OptimizerSetting(SGD()))
    var options = TrainingOptions()
    (options.batch, options.steps, options.stopsOnNonFinite) = (3, 1, false)
    var seen: Set<Float> = []
    for _ in 0..<8 {
      _ = trainer.train(
        on: data, slices: [0, 1, 2], loss: .meanSquaredError, flow: StandardFlow(),
        options: options, clock: { 0 }, afterStep: { _ in nil })
      let pass = try #require(trainer.lastPass)
      for image in 0..<3 {
        let target = pass.target.image(image).scalars
        let offset = try #require(offsets.last { $0 <= target[0] })
        seen.insert(offset)
        let rest = (offsets.reduce(0, +) - offset) / 3
        for (x, y) in zip(pass.input.image(image).scalars, target) {
          #expect(abs((x - rest) - (y - offset)) < 2e-3)
        }
      }
    }
    #expect(seen == Set(offsets))
  }

  @Test func `the target of neighbors comes to hold what the network makes of the whole image`()
    throws
  {
    let clean = Self.clean(2)
    let places = Tensor<Float>(
      shape: clean.values.shape, scalars: (0..<clean.values.shape.count).map(Float.init))
    let data = TrainingData(
      clean: clean, noisy: places, freshNoise: nil, scale: .none, target: .neighbors)
    // f(y) = y, and a rate that changes no weight.
    var network = try Network<Float>(lines: ["conv kernel=1 bias=no"])
    network.parameters[0].scalars[0] = 1
    var rule = SGD()
    rule.learningRate = 1e-30
    var trainer = Trainer(network, optimizer: OptimizerSetting(rule))
    var options = TrainingOptions()
    (options.batch, options.steps, options.shuffles) = (2, 2, false)
    _ = trainer.train(
      on: data, slices: [0, 1], loss: .meanSquaredError, flow: StandardFlow(), options: options,
      clock: { 0 }, afterStep: { _ in nil })
    // Half of the training is over, so γ = 1 and t = (g₂ + g₂ + g₁ − g₂)/2.
    let pass = try #require(trainer.lastPass)
    for (x, y) in zip(pass.input.scalars, pass.target.scalars) {
      #expect([0.5, 6].contains(abs(x - y)))
    }
  }

  @Test
  func `reconstructions from disjoint views sum to the whole one, and their noise is independent`()
    throws
  {
    let side = 48
    let clean = ImageStack(
      values: Tensor(
        shape: [1, 1, side, side],
        scalars: (0..<side * side).map { place in
          let x = Double(place % side) - 23.5, y = Double(place / side) - 23.5
          return x * x + y * y < 400 ? 20 : -1000
        }), unit: .hounsfield)
    var choice = ScanChoice()
    (choice.views, choice.detectors) = (242, 200)
    let kind = LowDoseNoise(
      LowDose(photons: 20_000, dose: 1, electronic: 0, isMeasured: false), choice, .ramp,
      Attenuation(water: 0.0192), pixel: 8)
    let whole = kind.draw(
      clean.values.scalars, ofSlice: 0, in: clean, RandomStream(seed: 5, name: "noise/slice0")
    ).pixels
    let parts = kind.parts(ofSlice: 0, in: clean, count: 4, seed: 5)
    // 242 views are two parts of 61 and two of 60.
    let shares = [61.0, 61, 60, 60].map { $0 / 242 }
    for place in whole.indices {
      let sum = zip(parts, shares).reduce(0) { $0 + Double($1.0[place]) * $1.1 }
      #expect(abs(sum - Double(whole[place])) < 0.1)
    }
    // The noise: the difference of two draws.
    let others = kind.parts(ofSlice: 0, in: clean, count: 4, seed: 6)
    let noise = zip(parts, others).map { zip($0, $1).map { Double($0) - Double($1) } }
    func product(_ one: [Double], _ other: [Double]) -> Double {
      zip(one, other).reduce(0) { $0 + $1.0 * $1.1 }
    }
    for (one, other) in [(0, 1), (0, 2), (1, 3), (2, 3)] {
      let size = (product(noise[one], noise[one]) * product(noise[other], noise[other]))
        .squareRoot()
      #expect(abs(product(noise[one], noise[other])) < 0.1 * size, "\(one) and \(other)")
    }
  }

  @Test func `fresh views are those of the update's draw, a quarter of them for the target`() throws
  {
    let side = 24
    let clean = ImageStack(
      values: Tensor(
        shape: [2, 1, side, side], scalars: (0..<2 * side * side).map { Float($0 % 9) * 10 }),
      unit: .hounsfield)
    var choice = ScanChoice()
    (choice.views, choice.detectors) = (40, 100)
    let kind = LowDoseNoise(
      LowDose(photons: 20_000, dose: 1, electronic: 0, isMeasured: false), choice, .ramp,
      Attenuation(water: 0.0192), pixel: 8)
    let noise = Noise(kind, isFresh: true, seed: 5)
    let data = TrainingData(
      clean: clean, noisy: noise.apply(to: clean), freshNoise: noise, scale: .none,
      target: .viewDraws(kind))
    var trainer = Trainer(try Network(lines: ["conv"]), optimizer: OptimizerSetting(SGD()))
    var options = TrainingOptions()
    (options.batch, options.steps, options.shuffles) = (2, 1, false)
    options.stopsOnNonFinite = false
    for step in 1...2 {
      _ = trainer.train(
        on: data, slices: [0, 1], loss: .meanSquaredError, flow: StandardFlow(), options: options,
        clock: { 0 }, afterStep: { _ in nil })
      let pass = try #require(trainer.lastPass)
      for slice in 0..<2 {
        let whole = kind.draw(
          clean.values.image(slice).scalars, ofSlice: slice, in: clean,
          RandomStream(seed: 5, name: "noise/step\(step)/slice\(slice)")
        ).pixels
        let input = pass.input.image(slice).scalars, target = pass.target.image(slice).scalars
        for place in whole.indices {
          #expect(abs(0.75 * input[place] + 0.25 * target[place] - whole[place]) < 0.1)
        }
        #expect(input != target)
      }
    }
  }

  @Test
  func `correlation of neighbors is 0 for normal noise, and its share where noise is smoothed`()
    throws
  {
    let clean = Self.clean(4)
    let count = clean.values.shape.count
    let numbers = (0..<count).map { RandomStream(seed: 1, name: "x").uniform(at: $0) - 0.5 }
    func correlation(_ noise: [Double]) -> Double? {
      NoiseCorrelation.ofNeighbors(
        Tensor(
          shape: clean.values.shape,
          scalars: zip(clean.values.scalars, noise).map { $0 + Float($1) }),
        clean, slices: [0, 1, 2, 3])
    }
    #expect(abs(try #require(correlation(numbers))) < 0.1)
    // The mean of a pixel and the next in its row: ½ along rows, 0 along columns.
    let smooth = numbers.indices.map { (numbers[$0] + numbers[($0 + 1) % count]) / 2 }
    #expect(abs(try #require(correlation(smooth)) - 0.25) < 0.08)
    #expect(correlation(numbers.map { _ in 0 }) == nil)
  }
}

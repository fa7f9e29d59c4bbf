import CT
import GradientFlows
import Networks
import Tensors
import TestSupport
import Testing
import Training

/// A noise that tells where it was drawn: each pixel gets its place in the drawn area times one
/// random number.
private struct RampNoise: NoiseKind {
  let needsWholeSlice: Bool

  func words(_ unit: ValueUnit, seed: UInt64) -> String { "a ramp (seed \(seed))" }

  func atDose(_ factor: Double) -> (any NoiseKind)? { nil }

  static func slope(_ stream: RandomStream) -> Float { Float(stream.uniform(at: 0, in: 1...2)) }

  func apply(
    to pixels: UnsafeMutableBufferPointer<Float>, ofSlice slice: Int, in clean: ImageStack,
    _ stream: RandomStream
  ) {
    for i in pixels.indices { pixels[i] += Self.slope(stream) * Float(i) }
  }
}

struct `Fresh noise in training` {
  @Test(arguments: [false, true])
  func `noise that needs the whole slice is drawn on it and then cut`(_ whole: Bool) throws {
    // Each clean value is its own index, so that a patch tells where it was cut.
    let (count, side, patch) = (4, 12, 5)
    let values = Tensor<Float>(
      shape: [count, 1, side, side], scalars: (0..<count * side * side).map(Float.init))
    let noise = Noise(RampNoise(needsWholeSlice: whole), isFresh: true, seed: 7)
    let data = TrainingData(
      clean: ImageStack(values: values, unit: .stored(0...1)), noisy: values, freshNoise: noise,
      scale: .none)
    var trainer = Trainer(try Network(lines: ["conv"]), optimizer: OptimizerSetting(SGD()))
    var options = TrainingOptions()
    (options.patch, options.batch, options.steps) = (patch, 3, 1)
    _ = trainer.train(
      on: data, slices: Array(0..<count), loss: .meanSquaredError, flow: StandardFlow(),
      options: options, clock: { 0 }, afterStep: { _ in nil })
    let pass = try #require(trainer.lastPass)
    let expected = pass.target.scalars.enumerated().map { place, clean in
      let (slice, inSlice) = Int(clean).quotientAndRemainder(dividingBy: side * side)
      let slope = RampNoise.slope(RandomStream(seed: 7, name: "noise/step1/slice\(slice)"))
      return clean + slope * Float(whole ? inSlice : place % (patch * patch))
    }
    #expect(pass.input.scalars == expected)
  }
}

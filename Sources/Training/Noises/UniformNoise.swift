package import CT
package import Tensors

/// Multiplicative noise: noisy = clean·u, with u uniform in a range, as in the article's Part 4.
package struct UniformNoise: NoiseKind {
  package let gain: ClosedRange<Double>

  package init(gain: ClosedRange<Double>) { self.gain = gain }

  package var needsWholeSlice: Bool { false }

  package func atDose(_ factor: Double) -> (any NoiseKind)? { nil }

  package func words(_ unit: ValueUnit, seed: UInt64) -> String {
    "the source multiplied by uniform noise of \(gain.lowerBound.shortest) to "
      + "\(gain.upperBound.shortest) (seed \(seed))"
  }

  package func apply(
    to pixels: UnsafeMutableBufferPointer<Float>, ofSlice slice: Int, in clean: ImageStack,
    _ stream: RandomStream
  ) {
    for i in pixels.indices { pixels[i] *= Float(stream.uniform(at: i, in: gain)) }
  }
}

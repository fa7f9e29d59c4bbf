package import CT
package import Tensors

/// Normal noise: noisy = clean + σ·n, with n normal and σ in the data's unit.
package struct GaussianNoise: NoiseKind {
  package let deviation: Double

  package init(deviation: Double) { self.deviation = deviation }

  package var needsWholeSlice: Bool { false }

  package func atDose(_ factor: Double) -> (any NoiseKind)? {
    GaussianNoise(deviation: deviation / factor.squareRoot())
  }

  package func words(_ unit: ValueUnit, seed: UInt64) -> String {
    "normal noise of σ \(deviation.shortest)\(unit.suffix) (seed \(seed)) added to the source"
  }

  package func apply(
    to pixels: UnsafeMutableBufferPointer<Float>, ofSlice slice: Int, in clean: ImageStack,
    _ stream: RandomStream
  ) {
    withUnsafeTemporaryAllocation(of: Float.self, capacity: pixels.count) { noise in
      stream.fillNormals(noise, deviation: deviation)
      for i in pixels.indices { pixels[i] += noise[i] }
    }
  }
}

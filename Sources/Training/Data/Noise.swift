package import Tensors

/// Noise that makes noisy slices from clean ones.
package struct Noise: Hashable, Sendable {
  package enum Kind: Hashable, Sendable {
    /// noisy = clean + σ·n, n normal; σ in the data's unit.
    case gaussian(deviation: Double)
    /// noisy = clean · u, u uniform in the range: the multiplicative noise of the article's Part 4.
    case uniform(gain: ClosedRange<Double>)
  }

  package let kind: Kind
  /// Whether each training batch draws new noise; figures of merit always use the fixed draw.
  package let isFresh: Bool
  package let seed: UInt64

  package init(_ kind: Kind, isFresh: Bool, seed: UInt64) {
    (self.kind, self.isFresh, self.seed) = (kind, isFresh, seed)
  }

  /// The fixed draw for every slice of `clean`, `[N, 1, H, W]`.
  ///
  /// Once `shouldStop`, called from several threads, returns true, the rest is left out and the
  /// result is meaningless.
  package func apply(
    to clean: Tensor<Float>, shouldStop: () -> Bool = { false }
  ) -> Tensor<Float> {
    let pixels = clean.shape.planeCount
    return Tensor(shape: clean.shape) { output in
      parallel(chunks: clean.shape.batch) { slice, _ in
        guard !shouldStop() else { return }
        let plane = UnsafeMutableBufferPointer(
          rebasing: output[slice * pixels..<(slice + 1) * pixels])
        clean.scalars.withUnsafeBufferPointer {
          _ = plane.update(fromContentsOf: $0[slice * pixels..<(slice + 1) * pixels])
        }
        apply(to: plane, stream: "noise/slice\(slice)")
      }
    }
  }

  /// Adds the noise to `pixels`, from the random stream called `stream`.
  package func apply(to pixels: UnsafeMutableBufferPointer<Float>, stream: String) {
    let stream = RandomStream(seed: seed, name: stream)
    switch kind {
    case .gaussian(let deviation):
      withUnsafeTemporaryAllocation(of: Float.self, capacity: pixels.count) { noise in
        stream.fillNormals(noise, deviation: deviation)
        for i in pixels.indices { pixels[i] += noise[i] }
      }
    case .uniform(let gain):
      for i in pixels.indices { pixels[i] *= Float(stream.uniform(at: i, in: gain)) }
    }
  }
}

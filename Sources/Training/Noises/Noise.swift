package import CT
package import Tensors

/// A kind of noise: how clean pixels become noisy ones.
package protocol NoiseKind: Sendable {
  /// Whether a draw needs the whole slice, since a noisy pixel depends on others, as in noise made
  /// in projections; otherwise a patch can be drawn alone.
  var needsWholeSlice: Bool { get }

  /// Returns the noise at a multiple of the dose, nil where that has no meaning.
  ///
  /// - Parameter factor: How many times as many photons, above 0.
  /// - Returns: Noise of the same kind; nil where a dose says nothing, or where this one is out of reach.
  func atDose(_ factor: Double) -> (any NoiseKind)?

  /// Returns the noise in words, with all that decides a draw: `normal noise of σ 40 HU (seed 1)
  /// added to the source`.
  ///
  /// - Parameters:
  ///   - unit: The unit of the slices.
  ///   - seed: The seed of the draw.
  /// - Returns: A phrase for the description of a derived series.
  func words(_ unit: ValueUnit, seed: UInt64) -> String

  /// Makes pixels of a slice noisy, in place.
  ///
  /// - Parameters:
  ///   - pixels: The clean pixels, row by row: the whole slice, or a patch unless the noise needs
  ///     the whole slice.
  ///   - slice: The number of the slice.
  ///   - clean: The stack that it belongs to, with its size, unit, padding and spacing.
  ///   - stream: The random numbers of this draw.
  func apply(
    to pixels: UnsafeMutableBufferPointer<Float>, ofSlice slice: Int, in clean: ImageStack,
    _ stream: RandomStream)
}

/// Noise that makes noisy slices from clean ones.
package struct Noise: Sendable {
  package let kind: any NoiseKind
  /// Whether each training batch draws new noise; figures of merit always use the fixed draw.
  package let isFresh: Bool
  package let seed: UInt64

  package init(_ kind: any NoiseKind, isFresh: Bool, seed: UInt64) {
    (self.kind, self.isFresh, self.seed) = (kind, isFresh, seed)
  }

  /// The noise in words, with all that decides a draw.
  package func words(_ unit: ValueUnit) -> String { kind.words(unit, seed: seed) }

  /// The fixed draw for every slice of `clean`, `[N, 1, H, W]`.
  ///
  /// Once `shouldStop`, called from several threads, returns true, the rest is left out and the
  /// result is meaningless.
  package func apply(to clean: ImageStack, shouldStop: () -> Bool = { false }) -> Tensor<Float> {
    let pixels = clean.values.shape.planeCount
    return Tensor(shape: clean.values.shape) { output in
      parallel(chunks: clean.count) { slice, _ in
        guard !shouldStop() else { return }
        let plane = UnsafeMutableBufferPointer(
          rebasing: output[slice * pixels..<(slice + 1) * pixels])
        clean.values.scalars.withUnsafeBufferPointer {
          _ = plane.update(fromContentsOf: $0[slice * pixels..<(slice + 1) * pixels])
        }
        apply(to: plane, ofSlice: slice, in: clean, stream: "noise/slice\(slice)")
      }
    }
  }

  /// Adds the noise to `pixels` of a slice, from the random stream called `stream`.
  package func apply(
    to pixels: UnsafeMutableBufferPointer<Float>, ofSlice slice: Int, in clean: ImageStack,
    stream: String
  ) {
    kind.apply(to: pixels, ofSlice: slice, in: clean, RandomStream(seed: seed, name: stream))
  }
}

/// The values between the operations of a network, `[N, C, H, W]`.
///
/// The layout in memory is the engine's own affair: networks hand feature maps from operation to
/// operation and turn them into tensors only when somebody looks at a name.
package struct FeatureMap<Element: Scalar>: Sendable {
  package let shape: Shape

  /// Whether the operation that made this map found a NaN or an infinity in it.
  ///
  /// Only convolutions look: every non-finite value meets the next convolution or the loss.
  package let foundNonFinite: Bool

  /// The values; row-major `[N, C, H, W]` in the reference engine.
  var scalars: [Element]

  /// A map of the values of `tensor`, `[N, C, H, W]`.
  package init(_ tensor: Tensor<Element>) {
    self.init(shape: tensor.shape, scalars: tensor.scalars)
  }

  init(shape: Shape, scalars: [Element], foundNonFinite: Bool = false) {
    precondition(shape.rank == 4, "A feature map is [N,C,H,W], not \(shape).")
    self.shape = shape
    self.scalars = scalars
    self.foundNonFinite = foundNonFinite
  }

  /// The values as a tensor.
  package var tensor: Tensor<Element> {
    Tensor(shape: shape, scalars: scalars)
  }
}

/// The number of scalars one chunk of an element-wise operation covers.
let elementsPerChunk = 1 << 15

/// Calls `body` for consecutive parts of `0..<count`, on several threads.
@inline(__always)
func parallelRanges(_ count: Int, _ body: (Range<Int>) -> Void) {
  let chunks = max(1, count / elementsPerChunk)
  parallel(chunks: chunks) { chunk, _ in body(range(ofChunk: chunk, of: chunks, count: count)) }
}

/// An array of `count` scalars that `body` writes completely.
@inline(__always)
func uninitializedScalars<Element: Scalar>(
  _ count: Int, _ body: (UnsafeMutablePointer<Element>) -> Void
) -> [Element] {
  Array(unsafeUninitializedCapacity: count) { buffer, initialized in
    if let start = buffer.baseAddress { body(start) }
    initialized = count
  }
}

/// A dense array of numbers in row-major order: the last axis is contiguous in memory.
///
/// Values that are indexed, saved or hashed are tensors; the convolution engine may keep
/// activations in layouts of its own.
package struct Tensor<Element: Scalar>: Sendable {
  package let shape: Shape

  /// The numbers in row-major order; always `shape.count` of them.
  ///
  /// There is no observer that checks their number: it would copy the array for each element that
  /// is set.
  package var scalars: [Element]

  /// Creates a tensor of `shape` from its scalars in row-major order.
  package init(shape: Shape, scalars: [Element]) {
    precondition(
      scalars.count == shape.count, "\(shape) holds \(shape.count) scalars, not \(scalars.count).")
    self.shape = shape
    self.scalars = scalars
  }

  /// Creates a tensor in which every scalar is `value`.
  package init(shape: Shape, repeating value: Element) {
    self.shape = shape
    self.scalars = Array(repeating: value, count: shape.count)
  }

  /// Creates a tensor whose scalars `body` writes; it must write all of them.
  package init(
    shape: Shape, writing body: (UnsafeMutableBufferPointer<Element>) throws -> Void
  ) rethrows {
    self.shape = shape
    self.scalars = try Array(unsafeUninitializedCapacity: shape.count) { buffer, count in
      try body(UnsafeMutableBufferPointer(rebasing: buffer[0..<shape.count]))
      count = shape.count
    }
  }

  /// The same scalars under another shape of the same count.
  package func reshaped(_ shape: Shape) -> Tensor {
    Tensor(shape: shape, scalars: scalars)
  }
}

extension Tensor {
  /// The element-wise sum with another tensor; with nil, the tensor itself.
  @specialized(where Element == Float)
  @specialized(where Element == Double)
  package func adding(_ other: Tensor?) -> Tensor {
    guard let other else { return self }
    return combined(with: other) { x, y, sum, count in
      for i in 0..<count { sum[i] = x[i] + y[i] }
    }
  }

  /// Returns the tensor whose scalars `body` writes, from the scalars of both at the same indices.
  func combined(
    with other: Tensor,
    _ body: (
      _ x: UnsafePointer<Element>, _ y: UnsafePointer<Element>,
      _ results: UnsafeMutablePointer<Element>, _ count: Int
    ) -> Void
  ) -> Tensor {
    precondition(other.shape == shape, "\(shape) and \(other.shape) meet element by element.")
    return Tensor(shape: shape) { results in
      scalars.withUnsafeBufferPointer { x in
        other.scalars.withUnsafeBufferPointer { y in
          guard let x = x.baseAddress, let y = y.baseAddress, let target = results.baseAddress
          else { return }
          body(x, y, target, results.count)
        }
      }
    }
  }
}

import Tensors

/// Elementwise operations for the rules of optimizers.
extension Tensor<Float> {
  /// Returns the numbers `function(x, y)` for each number x and the number y of `other` at the same
  /// index.
  @inline(__always)
  func with(_ other: Tensor, _ function: (Float, Float) -> Float) -> Tensor {
    precondition(other.shape == shape, "\(shape) and \(other.shape) meet element by element.")
    // The compiler sees the whole loop and makes vector code of it.
    let count = scalars.count
    let results = [Float](unsafeUninitializedCapacity: count) { results, written in
      scalars.withUnsafeBufferPointer { x in
        other.scalars.withUnsafeBufferPointer { y in
          guard let x = x.baseAddress, let y = y.baseAddress, let target = results.baseAddress
          else { return }
          for i in 0..<count { target[i] = function(x[i], y[i]) }
        }
      }
      written = count
    }
    return Tensor(shape: shape, scalars: results)
  }

  /// Returns the numbers `function(x)` for each number x.
  @inline(__always)
  func mapped(_ function: (Float) -> Float) -> Tensor {
    Tensor(shape: shape, scalars: scalars.map(function))
  }

  /// A tensor of the same shape in which each number is `value`.
  func filled(with value: Float) -> Tensor { Tensor(shape: shape, repeating: value) }
}

package import Tensors

/// The straight line from values of the data to network range and back, unclipped.
///
///     network = (value − lower) / (upper − lower)
package struct Scale: Hashable, Sendable {
  /// The values that become 0 and 1.
  package let lower: Double, upper: Double

  package init(lower: Double, upper: Double) {
    precondition(lower < upper, "A scale needs lower < upper.")
    (self.lower, self.upper) = (lower, upper)
  }

  /// The scale that leaves values as they are.
  package static let none = Scale(lower: 0, upper: 1)

  package func toNetwork(_ tensor: Tensor<Float>) -> Tensor<Float> {
    var result = tensor
    result.scalars.withUnsafeMutableBufferPointer { toNetwork($0) }
    return result
  }

  /// Converts `values` to network range in place.
  func toNetwork(_ values: UnsafeMutableBufferPointer<Float>) {
    let (shift, factor) = (Float(lower), Float(1 / (upper - lower)))
    for i in values.indices { values[i] = (values[i] - shift) * factor }
  }

  package func fromNetwork(_ tensor: Tensor<Float>) -> Tensor<Float> {
    let (shift, factor) = (Float(lower), Float(upper - lower))
    return Tensor(shape: tensor.shape, scalars: tensor.scalars.map { $0 * factor + shift })
  }

  /// The largest difference between a finite value and itself after conversion there and back.
  package func roundTripError(_ tensor: Tensor<Float>) -> Double {
    let back = fromNetwork(toNetwork(tensor))
    return zip(tensor.scalars, back.scalars).reduce(0) { worst, pair in
      pair.0.isFinite ? max(worst, abs(Double(pair.0) - Double(pair.1))) : worst
    }
  }
}

package import Tensors

/// The straight line that takes values of the data to network range and back, unclipped.
///
///     network = (value − lower) / (upper − lower)
package struct Scale: Hashable, Sendable {
  /// The values that become 0 and 1.
  package let lower: Double, upper: Double

  package init(lower: Double, upper: Double) {
    precondition(lower < upper, "A scale needs lower < upper.")
    (self.lower, self.upper) = (lower, upper)
  }

  /// Values as they are.
  package static let none = Scale(lower: 0, upper: 1)

  package func toNetwork(_ tensor: Tensor<Float>) -> Tensor<Float> {
    var result = tensor
    result.scalars.withUnsafeMutableBufferPointer { toNetwork($0) }
    return result
  }

  /// Takes `values` to network range where they are.
  func toNetwork(_ values: UnsafeMutableBufferPointer<Float>) {
    let (shift, factor) = (Float(lower), Float(1 / (upper - lower)))
    for i in values.indices { values[i] = (values[i] - shift) * factor }
  }

  package func fromNetwork(_ tensor: Tensor<Float>) -> Tensor<Float> {
    let (shift, factor) = (Float(lower), Float(upper - lower))
    return Tensor(shape: tensor.shape, scalars: tensor.scalars.map { $0 * factor + shift })
  }

  /// The largest |value − value taken to network range and back|, over finite values.
  package func roundTripError(_ tensor: Tensor<Float>) -> Double {
    let back = fromNetwork(toNetwork(tensor))
    return zip(tensor.scalars, back.scalars).reduce(0) { worst, pair in
      pair.0.isFinite ? max(worst, abs(Double(pair.0) - Double(pair.1))) : worst
    }
  }
}

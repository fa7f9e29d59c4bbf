package import Tensors

/// One image of real numbers: a slice in HU, a channel of an activation, a difference.
package struct Plane: Hashable, Sendable {
  /// The number of columns and rows, each at least 1.
  package let width: Int, height: Int
  /// The values, row-major.
  package let values: [Float]

  /// Creates a plane from its values, row-major.
  package init(width: Int, height: Int, values: [Float]) {
    precondition(width > 0 && height > 0, "A plane has at least one pixel.")
    precondition(
      values.count == width * height, "\(width)×\(height) is not \(values.count) values.")
    (self.width, self.height, self.values) = (width, height, values)
  }

  /// Creates the plane at `[index, channel]` of a stack `[N,C,H,W]`.
  package init(_ stack: Tensor<Float>, index: Int = 0, channel: Int = 0) {
    let shape = stack.shape
    precondition(
      index < shape.batch && channel < shape.channels, "\(shape) has no [\(index),\(channel)].")
    let start = (index * shape.channels + channel) * shape.planeCount
    self.init(
      width: shape.width, height: shape.height,
      values: Array(stack.scalars[start..<start + shape.planeCount]))
  }

  /// The smallest and largest finite value; 0…0 when there is none.
  package var range: ClosedRange<Float> {
    var low = Float.infinity
    var high = -Float.infinity
    for value in values where value.isFinite {
      low = min(low, value)
      high = max(high, value)
    }
    return low <= high ? low...high : 0...0
  }

  /// Returns the plane a − b; both must have one size.
  package static func - (a: Plane, b: Plane) -> Plane {
    precondition(a.width == b.width && a.height == b.height, "Planes of one size subtract.")
    return Plane(
      width: a.width, height: a.height, values: zip(a.values, b.values).map { $0 - $1 })
  }
}

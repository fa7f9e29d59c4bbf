package import Tensors

/// The squared bias of an image among pixels with similar targets.
///
///     L = (1/M)·Σ m²         ∂L/∂x = (2/M)·m
///
/// m of a pixel is the mean of x − y over the pixels of its image whose target y lies in the same interval
/// [k·width, (k + 1)·width). The sum is over the M pixels that count. L is the part of the mean squared error
/// that does not average out within an interval. A network that minimizes the squared error alone draws what
/// is uncertain towards the mean, which makes bright tissue darker and dark tissue brighter; L is that shift,
/// squared. Source: Diskin, Eldar and Wiesel, "Learning to estimate without bias" (2023), who add the squared
/// bias to the squared error.
package struct ConditionalBias: Hashable, Sendable {
  /// The width of an interval of target values.
  package let width: Double

  package init(width: Double) {
    precondition(width > 0, "Intervals have a width.")
    self.width = width
  }

  /// Computes L and its gradient by x.
  ///
  /// - Parameters:
  ///   - x: `[N, 1, H, W]`.
  ///   - y: The target, `[N, 1, H, W]`.
  ///   - mask: 0 for pixels that do not count; nil if all count.
  /// - Returns: L, and ∂L/∂x, `[N, 1, H, W]`.
  package func evaluate(
    _ x: Tensor<Double>, _ y: Tensor<Double>, mask: [Double]?
  ) -> (value: Double, gradient: Tensor<Double>) {
    let means = means(x, y, mask: mask)
    let count = Double(max(1, mask.map { $0.count { $0 != 0 } } ?? x.shape.count))
    return (
      means.scalars.reduce(0) { $0 + $1 * $1 } / count,
      Tensor(shape: x.shape, scalars: means.scalars.map { 2 / count * $0 })
    )
  }

  /// Returns m of each pixel; 0 for those that do not count.
  package func means(_ x: Tensor<Double>, _ y: Tensor<Double>, mask: [Double]?) -> Tensor<Double> {
    let pixels = x.shape.count / max(1, x.shape.batch)
    let images = parallelMap(x.shape.batch) { image in
      var places: [Double: Int] = [:]
      var sums: [(error: Double, count: Double)] = []
      let range = image * pixels..<(image + 1) * pixels
      let groups = range.map { i -> Int? in
        if let mask, mask[i] == 0 { return nil }
        let interval = interval(y.scalars[i])
        let group = places[interval] ?? sums.count
        if group == sums.count {
          places[interval] = group
          sums.append((0, 0))
        }
        sums[group].error += x.scalars[i] - y.scalars[i]
        sums[group].count += 1
        return group
      }
      return groups.map { $0.map { sums[$0].error / sums[$0].count } ?? 0 }
    }
    return Tensor(shape: x.shape, scalars: images.flatMap(\.self))
  }

  /// Returns the offsets of the pixels that have part in the mean of the pixel at `offset`.
  package func pixels<Element: Scalar>(
    like offset: Int, of target: Tensor<Element>, mask: [Element]?
  ) -> [Int] {
    let pixels = target.shape.count / target.shape.batch
    let first = offset / pixels * pixels
    let own = interval(Double(target.scalars[offset]))
    return (first..<first + pixels).filter { i in
      let counts = mask.map { $0[i] != 0 } ?? true
      return counts && interval(Double(target.scalars[i])) == own
    }
  }

  /// Returns the number of the interval of a value; values that are not finite share one.
  private func interval(_ value: Double) -> Double {
    let number = (value / width).rounded(.down)
    return number.isFinite ? number : .infinity
  }
}

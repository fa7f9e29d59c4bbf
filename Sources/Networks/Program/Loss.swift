package import Tensors

/// The function that training minimizes, of the network's output and the target.
///
/// Losses are taken in network range. With a mask, masked pixels count neither in the sum nor in
/// its number of terms.
package enum Loss: Hashable, Sendable {
  /// (1/M)·Σ(output − target)², M the number of pixels.
  case meanSquaredError
  /// Σ(½·(output − target))², the article's sum over batch and pixels.
  ///
  /// Its gradient is ½·(output − target). The article's code used output − target, twice as much;
  /// `declared` takes that one.
  case halfSquares(gradientIsDeclared: Bool)
  /// (1/M)·Σ|output − target|, with gradient 0 where they are equal.
  case meanAbsoluteError

  /// Whether the loss is a mean over pixels.
  ///
  /// A sum gives each pixel the same weight already, however many there are in a batch; of means,
  /// that of a short batch weighs less.
  package var isMean: Bool {
    if case .halfSquares = self { false } else { true }
  }

  /// The command line that chooses the loss.
  package var line: String {
    switch self {
    case .meanSquaredError: "loss mse"
    case .halfSquares(let declared): "loss half-squares gradient=\(declared ? "declared" : "exact")"
    case .meanAbsoluteError: "loss l1"
    }
  }

  /// Computes the loss and its gradient with respect to the output.
  ///
  /// - Parameters:
  ///   - output: `[N, 1, H, W]`.
  ///   - target: `[N, 1, H, W]`.
  ///   - mask: 1 for pixels that count and 0 for others, `[N, 1, H, W]`; nil if all count.
  /// - Returns: The loss, and its gradient `[N, 1, H, W]`.
  package func evaluate<Element: Scalar>(
    _ output: FeatureMap<Element>, target: FeatureMap<Element>, mask: FeatureMap<Element>? = nil
  ) -> (value: Double, gradient: FeatureMap<Element>) {
    var error = output.subtracting(target)
    var count = Double(error.shape.count)
    if let mask {
      error = error.multiplied(by: mask)
      count = max(1, mask.sumOfMagnitudes())
    }
    switch self {
    case .meanSquaredError:
      return (error.sumOfSquares() / count, error.scaled(by: 2 / count))
    case .halfSquares(let declared):
      return (error.sumOfSquares() / 4, declared ? error : error.scaled(by: 0.5))
    case .meanAbsoluteError:
      return (error.sumOfMagnitudes() / count, error.signs().scaled(by: 1 / count))
    }
  }
}

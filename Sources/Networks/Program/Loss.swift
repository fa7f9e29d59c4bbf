import Operations
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
  /// (1/M)·Σ√((output − target)² + ε²): |output − target| with a rounded corner.
  ///
  /// Source: Charbonnier et al. (1994); as a loss of networks: Lai et al., "Deep Laplacian pyramid
  /// networks" (2017).
  case charbonnier(epsilon: Double)
  /// (1/P)·Σ(1 − SSIM), over the P pixels at least 5 from every border whose similarity counts.
  ///
  /// A mask decides by the middle of a window; masked values inside a window are read as they stand, as
  /// the figures of merit read them. `range` is that of the values, in network range. See
  /// ``StructuralSimilarity``; as a loss: Zhao et al., "Loss functions for image restoration with neural
  /// networks" (2017).
  case dissimilarity(range: Double)
  /// (1/R)·Σ(A·(output − target))² over the R rays of all images: the loss of their line integrals.
  ///
  /// A mask multiplies the difference. See ``ProjectedErrors``.
  case sinogram(views: Int)
  /// (1/M)·Σm², m the mean of output − target over the pixels of an image whose targets lie in the same
  /// interval of `width`, in network range. See ``ConditionalBias``.
  case bias(width: Double)
  /// Σ weight·loss of several losses.
  case mix([Weighted])

  /// A loss with its weight in a mix; no mix itself.
  package struct Weighted: Hashable, Sendable {
    package let weight: Double
    package let loss: Loss

    package init(weight: Double, loss: Loss) { (self.weight, self.loss) = (weight, loss) }
  }

  /// The losses whose weighted sum it is: itself, unless it is a mix.
  package var parts: [Weighted] {
    if case .mix(let parts) = self { parts } else { [Weighted(weight: 1, loss: self)] }
  }

  /// Whether the loss is a mean over pixels.
  ///
  /// A sum gives each pixel the same weight already, however many there are in a batch; of means,
  /// that of a short batch weighs less.
  package var isMean: Bool {
    parts.allSatisfy { if case .halfSquares = $0.loss { false } else { true } }
  }

  /// Whether the loss has a corner where output and target are equal, or a bend so narrow that differences
  /// cross it like one.
  package var hasCorner: Bool {
    parts.contains { part in
      switch part.loss {
      case .meanAbsoluteError: true
      case .charbonnier(let epsilon): epsilon < 0.1
      default: false
      }
    }
  }

  /// Whether pixels are taken together by the values of their targets, so that noise in these has one sign.
  package var needsCleanTargets: Bool {
    parts.contains { if case .bias = $0.loss { true } else { false } }
  }

  /// The smallest side of an image that the loss can judge.
  package var smallestSide: Int {
    parts.contains { if case .dissimilarity = $0.loss { true } else { false } }
      ? StructuralSimilarity.side : 1
  }

  /// The word that chooses the loss; of a mix, those of its losses.
  package var name: String {
    switch self {
    case .meanSquaredError: "mse"
    case .halfSquares: "half-squares"
    case .meanAbsoluteError: "l1"
    case .charbonnier: "charbonnier"
    case .dissimilarity: "ssim"
    case .sinogram: "sinogram"
    case .bias: "bias"
    case .mix(let parts): parts.map { "\($0.loss.name):\($0.weight)" }.joined(separator: " ")
    }
  }

  /// The command line that chooses the loss.
  package var line: String {
    (["loss \(name)"] + parts.compactMap(\.loss.option)).joined(separator: " ")
  }

  /// The option of a loss that is no mix.
  private var option: String? {
    switch self {
    case .halfSquares(let declared): "gradient=\(declared ? "declared" : "exact")"
    case .charbonnier(let epsilon): "epsilon=\(epsilon)"
    case .dissimilarity(let range): "range=\(range)"
    case .sinogram(let views): "views=\(views)"
    case .bias(let width): "width=\(width)"
    case .meanSquaredError, .meanAbsoluteError, .mix: nil
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
    switch self {
    case .mix(let parts): return evaluate(parts, output, target, mask)
    case .dissimilarity(let range):
      let (value, gradient) = StructuralSimilarity(range: range).dissimilarity(
        output.tensor.doubles(), target.tensor.doubles(), mask: mask?.tensor.doubles().scalars)
      return (value, FeatureMap(Tensor(gradient)))
    case .bias(let width):
      let (value, gradient) = ConditionalBias(width: width).evaluate(
        output.tensor.doubles(), target.tensor.doubles(), mask: mask?.tensor.doubles().scalars)
      return (value, FeatureMap(Tensor(gradient)))
    default: break
    }
    var error = output.subtracting(target)
    var count = Double(error.shape.count)
    if let mask { count = max(1, mask.sumOfMagnitudes()) }
    if case .charbonnier(let epsilon) = self {
      var (size, share) = (error.smoothMagnitudes(epsilon), error)
      share = error.divided(by: size).scaled(by: 1 / count)
      if let mask { (size, share) = (size.multiplied(by: mask), share.multiplied(by: mask)) }
      return (size.total() / count, share)
    }
    if let mask { error = error.multiplied(by: mask) }
    switch self {
    case .sinogram(let views):
      let (value, share) = ProjectedErrors(views: views).evaluate(error)
      return (value, mask.map { share.multiplied(by: $0) } ?? share)
    case .halfSquares(let declared):
      return (error.sumOfSquares() / 4, declared ? error : error.scaled(by: 0.5))
    case .meanAbsoluteError:
      return (error.sumOfMagnitudes() / count, error.signs().scaled(by: 1 / count))
    default: return (error.sumOfSquares() / count, error.scaled(by: 2 / count))
    }
  }

  private func evaluate<Element: Scalar>(
    _ parts: [Weighted], _ output: FeatureMap<Element>, _ target: FeatureMap<Element>,
    _ mask: FeatureMap<Element>?
  ) -> (value: Double, gradient: FeatureMap<Element>) {
    var sum: (value: Double, gradient: FeatureMap<Element>)?
    for part in parts {
      let (value, gradient) = part.loss.evaluate(output, target: target, mask: mask)
      let share = gradient.scaled(by: part.weight)
      sum =
        sum.map { ($0.value + part.weight * value, $0.gradient.adding(share)) }
        ?? (part.weight * value, share)
    }
    guard let sum else { preconditionFailure("A mix has at least one loss.") }
    return sum
  }
}

extension Loss {
  /// Returns the loss whose value over one part of a batch is what that part contributes to the loss of
  /// the whole.
  ///
  /// Losses and gradients of all parts then add up to those of the whole batch, to rounding.
  ///
  /// - Parameters:
  ///   - part: The shape of the part, `[N, 1, H, W]`, and its mask; nil where all pixels count.
  ///   - whole: Those of the whole batch.
  /// - Returns: The same losses, means weighted by the pixels that count.
  package func share<Element: Scalar>(
    of part: (shape: Shape, mask: Tensor<Element>?),
    in whole: (shape: Shape, mask: Tensor<Element>?)
  ) -> Loss {
    let shares = parts.map { weighted in
      let (own, all) = (weighted.loss.terms(in: part), weighted.loss.terms(in: whole))
      return Weighted(
        weight: weighted.weight * Double(own) / Double(max(1, all)), loss: weighted.loss)
    }
    let isSum = parts.count == 1 && !isMean
    return isSum ? self : .mix(shares)
  }

  /// The number of terms of the mean over images; 1 for a sum.
  private func terms<Element: Scalar>(
    in images: (shape: Shape, mask: Tensor<Element>?)
  ) -> Int {
    switch self {
    case .halfSquares: 1
    // Images of a batch have the same rays.
    case .sinogram: images.shape.batch
    case .dissimilarity:
      StructuralSimilarity.windows(images.shape, mask: images.mask?.doubles().scalars)
    default: images.mask.map { $0.scalars.count { $0 != 0 } } ?? images.shape.count
    }
  }
}

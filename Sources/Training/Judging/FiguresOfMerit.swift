package import CT
import Foundation
import Operations
package import Tensors

/// Figures of how close an image is to the clean one.
package struct FiguresOfMerit: Hashable, Sendable {
  /// Peak signal-to-noise ratio in dB; infinite for equal images.
  package let psnr: Double
  /// Mean structural similarity; NaN where no unmasked pixel has a window of 11×11 pixels.
  package let ssim: Double
  /// Root mean square error in the image's unit.
  package let rmse: Double

  package init(psnr: Double, ssim: Double, rmse: Double) {
    (self.psnr, self.ssim, self.rmse) = (psnr, ssim, rmse)
  }

  /// The mean of each figure over the slices that have figures; NaN when none has.
  package init(meanOf figures: [FiguresOfMerit?]) {
    let judged = figures.compactMap(\.self)
    // Padding may leave no pixel at least 5 from every border: the slice has no similarity then.
    let similar = judged.filter { !$0.ssim.isNaN || $0.psnr.isNaN }
    func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }
    self.init(
      psnr: mean(judged.map(\.psnr)), ssim: mean(similar.map(\.ssim)),
      rmse: mean(judged.map(\.rmse)))
  }

  /// Judges one slice; nil when all of it is padding.
  ///
  ///     RMSE = √(mean (image − clean)²)        PSNR = 20·log₁₀(range / RMSE)
  ///
  /// - Parameters:
  ///   - image: `[1, 1, H, W]`, unclipped.
  ///   - clean: `[1, 1, H, W]`.
  ///   - range: The range of values for PSNR and SSIM.
  ///   - mask: True where a pixel does not count.
  package init?(
    _ image: Tensor<Float>, clean: Tensor<Float>, range: Double, mask: [Bool]? = nil
  ) {
    self.init(image, clean: clean, rule: FigureRule(range: range), mask: mask)
  }

  /// Judges one slice by a rule; nil when all of it is padding.
  package init?(
    _ image: Tensor<Float>, clean: Tensor<Float>, rule: FigureRule, mask: [Bool]? = nil
  ) {
    let (shown, target) = (rule.shown(image), rule.shown(clean))
    guard let meanSquare = shown.meanSquare(against: target, mask) else { return nil }
    var square = meanSquare
    if rule.errorLimits != rule.window {
      let (x, y) = (image.clamped(to: rule.errorLimits), clean.clamped(to: rule.errorLimits))
      square = x.meanSquare(against: y, mask) ?? meanSquare
    }
    self.init(
      psnr: meanSquare == 0 ? .infinity : 10 * log10(rule.range * rule.range / meanSquare),
      ssim: rule.similarity.mean(
        rule.shifted(shown), rule.shifted(target), range: rule.range, mask: mask),
      rmse: square.squareRoot())
  }
}

extension Tensor<Float> {
  /// The mean square of the differences at pixels outside the mask; nil when there are none.
  fileprivate func meanSquare(against other: Tensor<Float>, _ mask: [Bool]?) -> Double? {
    var sum = 0.0
    var count = 0
    for i in scalars.indices where mask.map({ !$0[i] }) ?? true {
      let error = Double(scalars[i]) - Double(other.scalars[i])
      sum += error * error
      count += 1
    }
    return count > 0 ? sum / Double(count) : nil
  }

  /// The values moved into `limits`, NaN as it is; the tensor itself without limits.
  func clamped(to limits: ClosedRange<Double>?) -> Tensor<Float> {
    guard let limits else { return self }
    let (low, high) = (Float(limits.lowerBound), Float(limits.upperBound))
    return Tensor(
      shape: shape, scalars: scalars.map { $0 < low ? low : $0 > high ? high : $0 })
  }
}

extension ImageStack {
  /// Returns the figures of one image for each slice, computed on several threads.
  ///
  /// Once `shouldStop` returns true, the rest is left out and the figures are meaningless.
  ///
  /// - Parameters:
  ///   - images: The slices to judge, `[count, 1, H, W]`.
  ///   - convention: The range of values for the figures.
  ///   - shouldStop: Called before each slice, from several threads.
  /// - Returns: The figures in the order of the slices; nil for a slice that is all padding.
  package func figures(
    of images: Tensor<Float>, convention: Convention = .full,
    shouldStop: () -> Bool = { false }
  ) -> [FiguresOfMerit?] {
    precondition(images.shape == values.shape, "\(images.shape) are judged by \(values.shape).")
    let rule = convention.rule(for: unit)
    return parallelMap(count) { slice in
      shouldStop() || Parallelism.isOver
        ? nil
        : FiguresOfMerit(
          images.image(slice), clean: values.image(slice), rule: rule, mask: mask(of: slice))
    }
  }
}

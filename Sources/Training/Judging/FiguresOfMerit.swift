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
    var sum = 0.0
    var count = 0
    for i in clean.scalars.indices where mask.map({ !$0[i] }) ?? true {
      let error = Double(image.scalars[i]) - Double(clean.scalars[i])
      sum += error * error
      count += 1
    }
    guard count > 0 else { return nil }
    let meanSquare = sum / Double(count)
    self.init(
      psnr: meanSquare == 0 ? .infinity : 10 * log10(range * range / meanSquare),
      ssim: StructuralSimilarity(range: range).mean(image, clean, mask: mask),
      rmse: meanSquare.squareRoot())
  }
}

/// The range of values for figures of merit, by the name it is printed with.
package enum Convention: Hashable, Sendable {
  /// The full range, unclipped: 4096 for HU, else the range of the file's values.
  case full
  /// The given range, unclipped.
  case range(Double)

  package func range(for unit: ValueUnit) -> Double {
    switch (self, unit) {
    case (.range(let range), _): range
    case (.full, .hounsfield): 4096
    case (.full, .stored(let range)): range.upperBound - range.lowerBound
    }
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
    let range = convention.range(for: unit)
    return Array(unsafeUninitializedCapacity: count) { figures, initialized in
      nonisolated(unsafe) let places = figures
      parallel(chunks: count) { slice, _ in
        let mask = mask(of: slice)
        places.initializeElement(
          at: slice,
          to: shouldStop()
            ? nil
            : FiguresOfMerit(
              images.image(slice), clean: values.image(slice), range: range, mask: mask))
      }
      initialized = count
    }
  }
}

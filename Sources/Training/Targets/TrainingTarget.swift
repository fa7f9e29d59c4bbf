/// The images that a network is trained towards: clean slices, or others that are noisy themselves.
///
/// With the input x = s + n and the target y = s + n′, the expected square of f(x) − y is that of f(x) − s plus
/// the variance of n′, if n′ has the mean 0 for each s and x. So the gradient is that of clean targets in the
/// mean, with more noise. This holds for squared losses; l1 wants the median of y, so noise must be symmetric.
///
/// Source: Lehtinen et al., "Noise2Noise: learning image restoration without clean data" (2018).
package enum TrainingTarget: String, CaseIterable, Hashable, Sendable, Codable {
  case clean
  /// A second noisy image of the same slice: another draw, or a repeated scan.
  case pair
  /// Neighboring pixels of the noisy slice itself: ``NeighborSamples``.
  case neighbor
  /// The slice reconstructed from views that the input does not have: ``LowDoseNoise/parts(ofSlice:in:count:seed:)``.
  case views
}

extension TrainingTarget {
  /// The number of parts into which ``views`` takes the views of a scan apart.
  package static let partsOfViews = 4
}

/// The images that a target needs beside the noisy slices.
package enum TargetImages: Sendable {
  case clean
  /// Several noisy images of each slice.
  case independent(IndependentImages)
  /// Two draws of the noise for each batch.
  case draws
  /// A draw of the noise for each batch, reconstructed from two disjoint shares of its views.
  case viewDraws(LowDoseNoise)
  /// Neighbors within the noisy slices.
  case neighbors
}

/// A classical denoiser of single images.
///
/// All compute on several threads, with the same bits for any number of them, and leave work out once
/// it is abandoned (``abandonable(when:_:)``). Values are in the image's own unit.
package protocol ImageFilter: Sendable {
  /// A description in words, such as `a median filter of 3×3 pixels`.
  var description: String { get }

  /// Returns the filtered image, from `[1, 1, H, W]`.
  ///
  /// - Parameter image: The noisy image.
  /// - Returns: The filtered image, of the same shape.
  func apply(to image: Tensor<Float>) -> Tensor<Float>
}

/// The standard deviation of an image's noise, given or estimated.
package enum NoiseLevel: Hashable, Sendable {
  case known(Double)
  /// Estimated for each image, by ``Tensor/estimatedNoise()``.
  case estimated

  /// The standard deviation in the unit of `image`.
  package func deviation(of image: Tensor<Float>) -> Double {
    switch self {
    case .known(let deviation): deviation
    case .estimated: image.estimatedNoise()
    }
  }

  /// `σ 40`, or `σ estimated`.
  var words: String {
    switch self {
    case .known(let deviation): "σ \(deviation.shortest)"
    case .estimated: "σ estimated"
    }
  }
}

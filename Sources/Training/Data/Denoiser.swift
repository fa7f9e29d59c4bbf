package import Networks
package import Tensors

/// A network applied to noisy slices in the data's unit.
package struct Denoiser: Sendable {
  package let network: Network<Float>
  package let scale: Scale

  package init(_ network: Network<Float>, scale: Scale) {
    (self.network, self.scale) = (network, scale)
  }

  /// The denoised slice, `[1, 1, H, W]`, from a noisy one.
  ///
  /// Under `output normalize` the result is first scaled to 0…1 of network range by its own minimum
  /// and maximum. A slice that does not fit the network is padded by reflection, and the result cropped.
  package func denoise(_ noisy: Tensor<Float>) -> Tensor<Float> {
    var output = network.paddedOutput(of: scale.toNetwork(noisy))
    if network.outputRule == .normalize {
      let statistics = output.statistics()
      if statistics.max > statistics.min {
        output = Scale(lower: statistics.min, upper: statistics.max).toNetwork(output)
      }
    }
    return scale.fromNetwork(output)
  }
}

extension Network<Float> {
  /// Returns the output for images, `[N, 1, H, W]`; those that do not fit are padded by reflection, and the
  /// result is cropped.
  func paddedOutput(of images: Tensor<Float>) -> Tensor<Float> {
    let (height, width) = (images.shape.height, images.shape.width)
    guard let size = fitting(height: height, width: width) else {
      preconditionFailure("A network that fits no slice is refused before.")
    }
    guard size != (height, width) else { return output(of: FeatureMap(images)).tensor }
    let padded = images.reflected(toHeight: size.height, width: size.width)
    return output(of: FeatureMap(padded)).tensor.cropped(toHeight: height, width: width)
  }
}

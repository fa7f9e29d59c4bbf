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
    let (height, width) = (noisy.shape.height, noisy.shape.width)
    guard let size = network.fitting(height: height, width: width) else {
      preconditionFailure("A network that fits no slice is refused before.")
    }
    let isPadded = size != (height, width)
    var input = scale.toNetwork(noisy)
    if isPadded { input = input.reflected(toHeight: size.height, width: size.width) }
    var output = network.output(of: FeatureMap(input)).tensor
    if isPadded { output = output.cropped(toHeight: height, width: width) }
    if network.outputRule == .normalize {
      let statistics = output.statistics()
      if statistics.max > statistics.min {
        output = Scale(lower: statistics.min, upper: statistics.max).toNetwork(output)
      }
    }
    return scale.fromNetwork(output)
  }
}

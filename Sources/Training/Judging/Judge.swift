import CT
package import Networks
import Tensors

/// Judges networks on some slices of the data.
package struct Judge: Sendable {
  private let data: TrainingData
  private let slices: [Int]
  private let clean: ImageStack

  package init(_ data: TrainingData, slices: [Int]) {
    (self.data, self.slices) = (data, slices)
    clean = data.clean.slices(slices)
  }

  /// The mean figures of the slices as `network` denoises them.
  package func figures(of network: Network<Float>) -> FiguresOfMerit {
    let denoiser = Denoiser(network, scale: data.scale)
    let images = slices.map { denoiser.denoise(data.noisy.image($0)) }
    return FiguresOfMerit(meanOf: clean.figures(of: Tensor(joining: images)))
  }

  /// The mean figures of the noisy slices.
  package func noisyFigures() -> FiguresOfMerit {
    FiguresOfMerit(meanOf: clean.figures(of: data.noisy.images(slices)))
  }
}

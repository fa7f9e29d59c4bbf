import Networks
import Tensors

/// Two images of half the size, of neighboring pixels of one noisy image: Neighbor2Neighbor.
///
/// In each cell of 2×2 pixels, two that share a side are drawn; one goes to g₁, the other to g₂. The network
/// f is trained so that f(g₁) is near g₂. As neighbors do not quite show the same, a second term keeps what
/// f does to the whole image y:
///
///     ‖f(g₁) − g₂‖² + γ·‖f(g₁) − g₂ − (g₁(f(y)) − g₂(f(y)))‖²
///
/// where the gradient passes f(g₁) alone. Both squares together are (1 + γ)·‖f(g₁) − t‖² and a constant, with
/// t = (g₂ + γ·(g₂ + g₁(f(y)) − g₂(f(y))))/(1 + γ); t is the target here, under any loss. γ rises from 0 to 2
/// over the training.
///
/// It is no training towards clean slices where the noise of neighbors is correlated, as in reconstructed
/// CT: then the target's noise can be told from the input's.
///
/// Source: Huang et al., "Neighbor2Neighbor: self-supervised denoising from single noisy images" (2021).
struct NeighborSamples {
  let batch: Int
  /// The sides of the samples: half of those of the images, rounded down.
  let height: Int, width: Int
  /// The places of the two pixels of each cell within an image, image by image.
  private let first: [Int], second: [Int]

  /// γ at the end of a training.
  static let mostWeight = 2.0

  init(_ shape: Shape, _ stream: RandomStream) {
    let (columns, pixels) = (shape.width, shape.planeCount)
    (batch, height, width) = (shape.batch, shape.height / 2, shape.width / 2)
    var (first, second): ([Int], [Int]) = ([], [])
    for image in 0..<shape.batch {
      for cell in 0..<height * width {
        let corner = image * pixels + 2 * (cell / width) * columns + 2 * (cell % width)
        let choice = stream.integer(at: image * height * width + cell, below: 8)
        // A pixel of the cell, and the one beside or below or above it.
        let (y, x) = (choice & 1, choice >> 1 & 1)
        let isBeside = choice >> 2 == 0
        first.append(corner + y * columns + x)
        second.append(corner + (isBeside ? y : 1 - y) * columns + (isBeside ? 1 - x : x))
      }
    }
    (self.first, self.second) = (first, second)
  }

  private var shape: Shape { [batch, 1, height, width] }

  /// Returns the samples of a batch of noisy images.
  ///
  /// - Parameters:
  ///   - images: The batch, whose inputs are sampled.
  ///   - network: The network that is trained; nil for targets without f(y).
  /// - Returns: g₁ as input, g₂ or t as target, and a mask of the pixels that count in both.
  func batch(of images: Batch, by network: NetworkInTraining?) -> Batch {
    let weight = Self.mostWeight * (network?.share ?? 0)
    let denoised = weight > 0 ? network?.network.paddedOutput(of: images.input) : nil
    return Batch(
      input: Tensor(shape: shape, scalars: first.map { images.input.scalars[$0] }),
      target: target(images.input.scalars, denoised?.scalars, weight: weight),
      mask: images.mask.map { mask in
        Tensor(
          shape: shape, scalars: zip(first, second).map { mask.scalars[$0] * mask.scalars[$1] })
      })
  }

  /// g₂ of an image, or t where the network's image f(y) is given.
  private func target(_ image: [Float], _ denoised: [Float]?, weight: Double) -> Tensor<Float> {
    guard let denoised else { return Tensor(shape: shape, scalars: second.map { image[$0] }) }
    let share = Float(weight / (1 + weight))
    return Tensor(
      shape: shape,
      scalars: zip(first, second).map { image[$1] + share * (denoised[$0] - denoised[$1]) })
  }
}

/// A network that is trained, and the part of its training that is over, from 0 to 1.
struct NetworkInTraining {
  let network: Network<Float>
  let share: Double

  init(_ network: Network<Float>, share: Double) { (self.network, self.share) = (network, share) }
}

import Networks
import Tensors

extension TrainingPass {
  /// Computes the pass in parts of at most `images` images, one after the other, and adds up.
  ///
  /// Each part's loss is what it contributes to that of the whole batch, so loss and gradients are those of
  /// the batch at once, to rounding, in the memory of a part. What depends on all images of a batch
  /// together, such as statistics of a batch, is that of a part; of buffers, the mean over the parts is taken.
  ///
  /// - Parameters:
  ///   - flow: The flow of the gradients.
  ///   - images: The number of images of a part, at least 1.
  /// - Returns: The loss, the output and the parameters' gradients of the whole batch.
  package func run(_ flow: some GradientFlow, inPartsOf images: Int) -> PassResult<Element> {
    let count = input.shape.batch
    guard count > images else { return run(flow, retention: .training) }
    let parts = stride(from: 0, to: count, by: images).map { first in
      part(Array(first..<min(first + images, count))).run(flow, retention: .training)
    }
    return PassResult(self, adding: parts)
  }

  /// The images with the given numbers, with their share of the loss.
  private func part(_ images: [Int]) -> TrainingPass {
    let (input, target) = (input.images(images), target.images(images))
    let own = mask?.images(images)
    return TrainingPass(
      network: network, input: input, target: target, mask: own,
      loss: loss.share(of: (target.shape, own), in: (self.target.shape, mask)), epoch: epoch,
      step: step)
  }
}

package import Tensors

/// Batch normalization in training: mean and variance of each channel over all images of the batch.
///
///     n = weight · (x − μ) / √(σ² + ε) + bias
///
/// The gradients stand at ``StatisticsNorm``. Source: Ioffe and Szegedy, "Batch normalization:
/// accelerating deep network training by reducing internal covariate shift" (2015).
package struct BatchNorm: StatisticsNorm {
  package let epsilon: Double

  package init(epsilon: Double = 1e-5) { self.epsilon = epsilon }

  package var word: String { "batch norm" }
  package var sharing: ChannelSharing { .batch }

  package func resultShape(_ operands: [Shape]) throws(OperationError) -> Shape {
    let x = operands[0].asImage
    try Self.checkNumbers(operands)
    guard x.batch * x.planeCount > 1 else {
      throw OperationError(
        "the statistics of a batch need more than one number for each channel; \(operands[0]) has one",
        hint: "give it larger images or a larger batch")
    }
    return operands[0]
  }

  /// Throws unless each channel has a number in all operands behind the first.
  static func checkNumbers(_ operands: [Shape]) throws(OperationError) {
    let channels = operands[0].asImage.channels
    for numbers in operands.dropFirst() where numbers.count != channels {
      throw OperationError(
        "a norm has a number for each channel: \(operands[0]) has \(channels) channels, "
          + "\(numbers) holds \(numbers.count)",
        hint: "give a weight and a bias of \(channels) numbers")
    }
  }
}

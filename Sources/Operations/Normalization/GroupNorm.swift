package import Tensors

/// Group normalization: mean and variance of each image alone, over groups of neighboring channels.
///
///     n = weight · (x − μ) / √(σ² + ε) + bias
///
/// It computes the same in training and in use, whatever the batch. The gradients stand at
/// ``StatisticsNorm``. Source: Wu and He, "Group normalization" (2018).
package struct GroupNorm: StatisticsNorm {
  /// How many groups there are.
  package let groups: Int
  package let epsilon: Double

  package init(groups: Int, epsilon: Double = 1e-5) {
    precondition(groups > 0, "There is at least one group.")
    (self.groups, self.epsilon) = (groups, epsilon)
  }

  package var word: String { "group norm" }
  package var sharing: ChannelSharing { .groups(groups) }

  package func resultShape(_ operands: [Shape]) throws(OperationError) -> Shape {
    let channels = operands[0].asImage.channels
    try BatchNorm.checkNumbers(operands)
    guard channels % groups == 0 else {
      let divisors = (1...channels).filter { channels % $0 == 0 }.map(String.init)
      throw OperationError(
        "\(channels) channels do not fall into \(groups) groups of one size",
        hint: "groups of \(channels) channels: \(divisors.joined(separator: ", "))")
    }
    return operands[0]
  }
}

import GradientFlows
package import Networks
import Tensors

extension TrainingData {
  /// Returns the loss of a network on whole slices with the fixed noise, as one batch of them has it.
  ///
  /// Layers behave as in judging; slices that do not fit are padded by reflection. Slices are computed one after the other; of losses that are means, each weighs as its pixels do.
  ///
  /// - Parameters:
  ///   - network: The network.
  ///   - slices: The numbers of the slices, at least one.
  ///   - loss: The loss, in network range.
  /// - Returns: The loss.
  package func validationLoss(of network: Network<Float>, slices: [Int], _ loss: Loss) -> Double {
    let batches = slices.map { slice in
      batch(BatchPlan(patches: [.init(slice: slice, row: 0, column: 0)]), drawing: nil, patch: nil)
    }
    let weights = batches.map { $0.weight(in: loss) }
    let sum = zip(batches, weights).reduce(0.0) { sum, pair in
      let (batch, weight) = pair
      let pass = TrainingPass(
        network: network, input: batch.input, target: batch.target, mask: batch.mask, loss: loss
      ).padded()
      let value = loss.evaluate(
        network.output(of: FeatureMap(pass.input)), target: FeatureMap(pass.target),
        mask: pass.mask.map { FeatureMap($0) }
      ).value
      return sum + weight * value
    }
    return loss.isMean ? sum / weights.reduce(0, +) : sum
  }
}

package import Networks
package import Tensors

/// One forward and backward pass on one batch: enough to compute it, and to compute it again.
///
/// Training keeps the last of these instead of every value: the weights before the update and the
/// batch. Whoever asks for a name computes the pass again, with everything kept, to the same bits.
package struct TrainingPass<Element: Scalar>: Sendable {
  package let network: Network<Element>
  /// Network range, `[N, 1, H, W]`.
  package let input: Tensor<Element>, target: Tensor<Element>
  /// 1 for pixels that count, `[N, 1, H, W]`; none if all count.
  package let mask: Tensor<Element>?
  package let loss: Loss
  /// The number of the epoch, from 0; flows may change from epoch to epoch.
  package let epoch: Int

  package init(
    network: Network<Element>, input: Tensor<Element>, target: Tensor<Element>,
    mask: Tensor<Element>? = nil, loss: Loss, epoch: Int = 0
  ) {
    (self.network, self.input, self.target) = (network, input, target)
    (self.mask, self.loss, self.epoch) = (mask, loss, epoch)
  }

  /// The same batch through another network.
  package func with(_ network: Network<Element>) -> TrainingPass {
    TrainingPass(
      network: network, input: input, target: target, mask: mask, loss: loss, epoch: epoch)
  }

  /// The loss alone.
  package func forward(
    retention: Retention, readersDerive: Bool = false
  ) -> (pass: NetworkPass<Element>, loss: Double, outputGradient: FeatureMap<Element>) {
    let pass = network.forward(
      FeatureMap(input), retention: retention, readersDerive: readersDerive)
    let (value, gradient) = loss.evaluate(
      pass.output, target: FeatureMap(target), mask: mask.map { FeatureMap($0) })
    return (pass, value, gradient)
  }

  /// The loss and all gradients under `flow`.
  package func run(_ flow: some GradientFlow, retention: Retention) -> PassResult<Element> {
    flow.run(self, retention: retention)
  }

  /// The same pass in Double.
  package var doubles: TrainingPass<Double> {
    TrainingPass<Double>(
      network: network.doubles, input: input.doubles(), target: target.doubles(),
      mask: mask?.doubles(), loss: loss, epoch: epoch)
  }
}

/// What one forward and backward pass computed.
package struct PassResult<Element: Scalar>: Sendable {
  package let network: Network<Element>
  package let loss: Double
  package let pass: NetworkPass<Element>
  package let gradients: NetworkGradients<Element>

  /// Whether the pass met no NaN and no infinity, as far as it looked: each convolution's result,
  /// the loss, and the gradients of the parameters.
  package func isFinite() -> Bool {
    !pass.foundNonFinite && Element(loss).isFinite
      && gradients.parameters.allSatisfy { $0.isFinite() }
  }
}

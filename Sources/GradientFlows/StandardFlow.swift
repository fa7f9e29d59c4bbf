// Standard back-propagation, written by hand.
//
// The idea. The loss depends on each layer through the layer above it alone. So its gradient
// travels down the layers one after the other: what a layer passes on is what the layer below is
// fed with.
//
//         x ──▶ layer 1 ──▶ layer 2 ──▶ … ──▶ layer L ──▶ output ──▶ loss
//               ◀── g₁      ◀── g₂            ◀── g_L     ◀── ∂loss/∂output
//
// The equation. G_k is what layer k is fed with, g_k what it passes on to its input:
//
//         G_L = ∂loss/∂output        G_k = g_{k+1}        g_k = (∂out_k/∂in_k)ᵀ · G_k
//
// and the gradient of the weights of layer k is (∂out_k/∂w_k)ᵀ · G_k. Both products are the layer's
// own affair: they stand right under its forward pass, in `ResidualBlock` and `PlainConvolution`.
//
// Source: Rumelhart, Hinton and Williams, "Learning representations by back-propagating errors"
// (1986). The article's manual passes compute the same for its blocks.
//
// What it is not. It is no automatic differentiation: nothing is recorded, and every pullback was
// derived on paper. That is why it is checked against central differences and against PyTorch.

package import Networks
package import Tensors

/// Each layer is fed with what the layer above passes on: the gradient of the loss.
package struct StandardFlow: LayerwiseFlow {
  package init() {}

  package var name: String { "standard" }
  package var line: String { "flow standard" }
  package var goesStraight: Bool { true }

  package func backward<Element: Scalar>(
    _ network: Network<Element>, _ pass: consuming NetworkPass<Element>,
    outputGradient: FeatureMap<Element>, epoch: Int, retention: Retention
  ) -> NetworkGradients<Element> {
    let keepsInput = retention == .everything
    var incoming = network.lastLayerGradient(outputGradient)
    var layers: [LayerGradients<Element>] = []
    for (index, layer) in network.layers.enumerated().reversed() {
      let kept = retention.ofLayer(index)
      let gradients = layer.backward(
        incoming, pass.takeLast(), retention: kept, needsInput: index > 0 || kept == .everything)
      layers.insert(kept == .everything ? gradients : gradients.ofParameters, at: 0)
      if let handedDown = gradients.input { incoming = handedDown }
    }
    return NetworkGradients(
      output: outputGradient, layers: layers,
      input: keepsInput
        ? network.inputGradient(first: incoming, layers, outputGradient: outputGradient) : nil)
  }
}

extension Network {
  /// The gradient of the network's input: along the layers, through every skip from the input, and
  /// past the layers when the output is the input minus their result.
  package func inputGradient(
    first: FeatureMap<Element>, _ layers: [LayerGradients<Element>],
    outputGradient: FeatureMap<Element>
  ) -> FeatureMap<Element> {
    var sum = first
    for gradients in layers {
      if let throughSkip = gradients.networkInput { sum = sum.adding(throughSkip) }
    }
    return outputRule == .subtract ? sum.adding(outputGradient) : sum
  }
}

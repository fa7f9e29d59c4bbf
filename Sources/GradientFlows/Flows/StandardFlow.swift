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
  package var summary: String { "each layer is fed with what the layer above passes on" }
  package var goesStraight: Bool { true }

  package func backward<Element: Scalar>(
    _ network: Network<Element>, _ pass: consuming NetworkPass<Element>,
    outputGradient: FeatureMap<Element>, epoch: Int, watched: Int?
  ) -> LayerwiseGradients<Element> {
    var incoming = network.lastLayerGradient(outputGradient)
    var result = LayerwiseGradients<Element>()
    for (index, layer) in network.layers.enumerated().reversed() {
      if index == watched { result.fed = (incoming, nil) }
      let gradients = layer.backward(
        incoming, pass.takeLast(), needsInput: index > 0, insertion: nil)
      result.add(below: gradients)
      if let passedOn = gradients.input { incoming = passedOn }
    }
    return result
  }
}

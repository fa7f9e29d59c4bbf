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
// and the gradient of the weights of layer k is (∂out_k/∂w_k)ᵀ · G_k. Both products are those of the
// layer's operations, each of which has its pullback right under its forward computation: see
// `Convolution2D`, `Activate` and `Merge`, and `Execution`, which walks through them.
//
// Source: Rumelhart, Hinton and Williams, "Learning representations by back-propagating errors"
// (1986). The article's manual passes compute the same for its blocks.
//
// Limits. This is not automatic differentiation: nothing is recorded, and every pullback was
// derived on paper. That is why it is checked against central differences and against PyTorch.

import Networks
import Tensors

/// Each layer is fed with what the layer above passes on: the gradient of the loss.
package struct StandardFlow: LayerwiseFlow {
  package init() {}

  package var name: String { "standard" }
  package var line: String { "flow standard" }
  package var summary: String { "each layer is fed with what the layer above passes on" }
}

// Back-propagation through random kernels: feedback alignment.
//
// The idea. The exact gradient goes back through the kernels that the values went forward through, turned
// round. No nerve cell knows the synapses of others, so here it goes back through other kernels, which are
// random and know nothing of the weights. The weights still learn, since they come to suit the kernels that
// bring them their errors: the angle between the two gradients shrinks.
//
//         x ──w₁──▶ b1 ──w₂──▶ b2 ──w₃──▶ out          forward: the weights
//                   ◀──B₂ᵀ──   ◀──B₃ᵀ── ∂loss/∂out     backward: kernels of their own
//
// The equation. For every convolution and dense layer z = w ∗ x + b, but for those that read the network's input:
//
//         x̄ = Bᵀ ∗ z̄         w̄ = z̄ ⋆ x         b̄ = Σ z̄
//
// All else (activations, merges, skips, norms) has its own pullback. B has the shape of w. Variants:
//
//         signs=none       B is drawn once, as init=he draws weights
//         signs=fixed      B = |R|·sign(w), |R| drawn once
//         signs=redrawn    B = |R|·sign(w), |R| drawn for every step
//         mirror=yes       B is drawn once, then trained by the gradient of w with the session's optimizer:
//                          both get the same updates, so with a decay of weights their difference decays
//
// B has a name, `b2.conv1.weight.feedback`, comes from the random stream of that name, and is saved with the
// weights.
//
// Sources: Lillicrap, Cownden, Tweed and Akerman, "Random feedback weights support learning in deep neural
// networks" (2014), arXiv 1411.0247; signs: Liao, Leibo and Poggio, "How important is weight symmetry in
// backpropagation?" (2016), arXiv 1510.05067, and Moskovitz, Litwin-Kumar and Abbott, arXiv 1812.06488;
// mirror: Kolen and Pollack (1994), in the form of Akrout et al., "Deep learning without weight transport"
// (2019), arXiv 1904.05391.
//
// Limits. Only the topmost layer gets the gradient of the loss. A step takes as long as one of the standard flow; with signs=redrawn,
// the time to draw the kernels comes on top.

package import Networks
import Operations
package import Tensors

/// Gradients go back through random kernels in place of the weights.
package struct FeedbackFlow: LayerwiseFlow, SeededFlow {
  /// How the random kernels get their signs: drawn, or those of the weights, with sizes drawn once or in each
  /// step.
  package enum Signs: String, CaseIterable, Sendable {
    case none
    case fixed
    case redrawn
  }

  package var signs = Signs.none
  /// Whether the kernels get the weights' updates.
  package var mirrors = false
  package var seed: UInt64

  package init(seed: UInt64 = 1) { self.seed = seed }

  package var name: String { "feedback" }
  package var isGradient: Bool { false }
  package var rewrites: Bool { true }

  package func replacement<Element: Scalar>(in network: Network<Element>) -> Replacement? {
    let kind =
      mirrors
      ? " that learns what the weight learns" : signs == .none ? "" : " with the weight's signs"
    return Replacement(
      .fromAbove, "B", "the gradient through a random kernel B\(kind)",
      layers: network.layers.indices.dropLast())
  }

  package var line: String {
    "flow feedback signs=\(signs.rawValue) mirror=\(mirrors ? "yes" : "no") seed=\(seed)"
  }

  package var summary: String {
    switch (signs, mirrors) {
    case (_, true): "x.grad = Bᵀ ∗ z.grad, B learns what the weight learns"
    case (.none, _): "x.grad = Bᵀ ∗ z.grad, B random and fixed"
    case (.fixed, _): "x.grad = Bᵀ ∗ z.grad, B random with the signs of the weight"
    case (.redrawn, _): "x.grad = Bᵀ ∗ z.grad, B drawn anew each step with the signs of the weight"
    }
  }

  package func rewritten<Element: Scalar>(
    _ program: Program<Element>, of network: Network<Element>
  ) -> Program<Element> {
    program.rewritten { node, place, operands, rewriting in
      guard let weight = program.kernel(of: place), let operation = node.operation else {
        return rewriting.write(node, reading: operands)
      }
      let kernel = rewriting.tensor(Self.name(of: weight), isTrained: false, beside: node)
      return rewriting.write(
        node, reading: operands + [kernel],
        by: OtherKernel(operation, operands: operands.count))
    }
  }

  /// The name of the kernel in the place of a weight.
  private static func name(of weight: String) -> String { weight + ".feedback" }

  package func tensors<Element: Scalar>(
    for network: Network<Element>, step: Int
  ) -> [FlowTensor<Element>] {
    let program = network.program(loss: .meanSquaredError, hasMask: false)
    return program.nodes.indices.compactMap { place in
      guard let name = program.kernel(of: place),
        let weight = program.tensor(at: program.nodes[place].operands[1])
      else { return nil }
      let own = Self.name(of: name)
      // Kernels that are drawn for every step are not kept from one to the next.
      let kernel =
        signs == .redrawn
        ? .feedback(weight.shape, seed: seed, name: "\(own)/\(step)", isKept: false)
        : trained(own, weight.shape, in: network) ?? .feedback(weight.shape, seed: seed, name: own)
      return FlowTensor(
        own, signs == .none ? kernel : kernel.withSigns(of: weight),
        mirrors ? .with(parameter: name) : .fixed)
    }
  }
}

extension Program {
  /// Returns the name of the weight of a convolution or dense layer at `place` that passes a gradient on to what a layer
  /// computed; nil for other nodes.
  fileprivate func kernel(of place: Int) -> String? {
    let node = nodes[place]
    guard node.operation is Convolution2D || node.operation is Dense,
      nodes[node.operands[1]].isParameter, source(of: node.operands[0]) != input
    else { return nil }
    return nodes[node.operands[1]].name
  }
}

extension Tensor {
  /// |x|·sign(w), element by element.
  fileprivate func withSigns(of weight: Tensor) -> Tensor {
    Tensor(
      shape: shape,
      scalars: zip(scalars, weight.scalars).map { x, w in
        w > 0 ? abs(x) : w < 0 ? -abs(x) : 0
      })
  }
}

// Local learning: every block has a loss of its own, and no gradient passes between blocks.
//
// The idea. A block need not wait for the gradient of those above. A head of one 1×1 convolution makes an output
// of what the block hands on, the session's loss compares it with the target, and the gradient of that loss
// ends at the block's input. The last block has the network's own output and loss.
//
//         x ──▶ b1 ──✂──▶ b2 ──✂──▶ b3 ──▶ out ──▶ loss
//               │ ▲       │ ▲        ◀─────────────
//               ▼ │       ▼ │
//             head₁       head₂
//             loss₁       loss₂
//
// The equation. h_k is what block k hands on, a_k and c_k are weight and bias of its head:
//
//         out_k = a_k ∗ h_k + c_k, or the input minus it where the network subtracts
//         G_k = ∂loss(out_k, target)/∂h_k            G_L = ∂loss/∂h_L
//
// Where h_k is smaller than the output, as below a pool, each pixel of a_k ∗ h_k + c_k stands for those that it covers.
//
// Plain layers belong to the block above them, those behind the last block to it; in a network without blocks, every layer with weights
// counts. Long skips between parts are cut. Heads are parameters of the flow: `b1.local.weight` and `b1.local.bias` are drawn as
// init=he draws them, trained by the session's optimizer, and saved with the weights.
//
// Source: Nøkland and Eidnes, "Training neural networks with local error signals" (2019), arXiv 1901.06656, whose
// heads for classes become a head for images.
//
// Limits. Each block gets the exact gradient of a loss of its own, and only the last one that of the network's loss: a block
// learns to be useful at once, not to prepare what others finish.

package import Networks
import Operations
package import Tensors

/// Every block is fed with the gradient of a loss of its own.
package struct LocalFlow: LayerwiseFlow, SeededFlow {
  package var seed: UInt64

  package init(seed: UInt64 = 1) { self.seed = seed }

  package var name: String { "local" }
  package var line: String { "flow local seed=\(seed)" }
  package var isGradient: Bool { false }
  package var rewrites: Bool { true }
  package var summary: String {
    "each block learns by a head and a loss of its own, nothing passes between"
  }

  package func replacement<Element: Scalar>(in network: Network<Element>) -> Replacement? {
    Replacement(
      .fromItself, "loss", "the gradient of a loss of its own",
      layers: Stages(network).ends.dropLast())
  }

  package func rewritten<Element: Scalar>(
    _ program: Program<Element>, of network: Network<Element>
  ) -> Program<Element> {
    let stages = Stages(network)
    let heads = Array(stages.ends.dropLast())
    let factors = program.outputFactors(of: heads)
    return program.rewritten(losses: { rewriting in
      zip(heads, factors).map { head(of: $0, enlargedBy: $1, network, &rewriting) }
    }) { node, place, operands, rewriting in
      rewriting.write(node, at: place, reading: operands, leavesZero: false) { reader, read in
        stages.part(ofLayer: reader) != stages.part(ofLayer: read)
      }
    }
  }

  /// Writes the head of a layer and returns the place of its loss.
  private func head<Element: Scalar>(
    of layer: Int, enlargedBy factor: Int?, _ network: Network<Element>,
    _ rewriting: inout Rewriting<Element>
  ) -> Int {
    let original = rewriting.original
    let name = Self.name(of: network.layerNames[layer])
    let node = original.nodes[original.layers[layer].output]
    let (weight, bias) = (
      rewriting.tensor("\(name).weight", isTrained: true, beside: node),
      rewriting.tensor("\(name).bias", isTrained: true, beside: node)
    )
    var out = rewriting.value(
      "\(name).z", Convolution2D(),
      [rewriting.place(of: original.layers[layer].output), weight, bias], beside: node)
    out = rewriting.enlarged(out, by: factor, named: "\(name).up", beside: node)
    if network.outputRule == .subtract {
      out = rewriting.value(
        "\(name).out", Difference(), [rewriting.place(of: original.input), out], beside: node)
    }
    let loss = original.nodes[original.loss]
    let others = loss.operands.dropFirst().map { rewriting.place(of: $0) }
    return rewriting.value("\(name).loss", loss.operation ?? Copy(), [out] + others, beside: node)
  }

  private static func name(of layer: String) -> String { layer + ".local" }

  package func tensors<Element: Scalar>(
    for network: Network<Element>, step: Int
  ) -> [FlowTensor<Element>] {
    let names = network.layerNames
    return Stages(network).ends.dropLast().flatMap { layer -> [FlowTensor<Element>] in
      let name = Self.name(of: names[layer])
      let shape: Shape = [1, network.layers[layer].outputChannels, 1, 1]
      let (weight, bias) = ("\(name).weight", "\(name).bias")
      return [
        FlowTensor(
          weight,
          trained(weight, shape, in: network) ?? .feedback(shape, seed: seed, name: weight),
          .own(rate: nil)),
        FlowTensor(
          bias, trained(bias, [1], in: network) ?? Tensor(shape: [1], repeating: 0),
          .own(rate: nil)),
      ]
    }
  }

  package func requireFit<Element: Scalar>(_ network: Network<Element>) throws(NetworkError) {
    try network.requireWholeScales(
      Stages(network).ends.dropLast(), for: name,
      doing: "compares what every block hands on with the target")
  }
}

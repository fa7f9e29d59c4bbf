// Densely connected dilated back-propagation.
//
// The idea. Beside what the block above passes on, a block is also fed with what blocks further up
// passed on, as if their gradients skipped the blocks between, like the taps of a dilated
// convolution.
//
//                                 ╭───────── ρ·g₄ ─────────╮
//                     ╭───────────┼─ ρ·g₃ ────╮ ╭─ ρ·g₄ ───┼───╮
//         x ──▶ b1 ◀──┴── g₂ ─ b2 ◀── g₃ ─ b3 ◀─── g₄ ─ b4 ◀── ∂loss/∂out
//
// The equation. L blocks; G_k is what block k is fed with, g_k what it passes on to its input, t the
// number of the epoch from 0:
//
//         G_L = ∂loss/∂out       G_{L−1} = g_L
//         G_k = g_{k+1} + ρ(t) · Σ_{j ≥ k+2} g_j            ρ(t) = rate / (1 + decay·t)
//
// Each g_j is itself made from a G_j that had its links. Variants:
//
//         links=sparse         only j = k + 2
//         links=include-next   from j = k + 1, so that g_{k+1} counts 1 + ρ
//         combine=product      Π g_j in place of Σ g_j, element by element; with blocks=b1,b2 in
//                              those blocks only, and a sum in the others
//         insert=after         the links join behind the activation's derivative of block k: they
//                              are added to dz of its last convolution, not to G_k
//
// Plain convolutions between blocks propagate the standard way and take no links. Gradients are
// added element by element, so only blocks are linked where block j reads an image of the shape that block
// k hands on.
//
// Source: the code of the article this program grew out of (dense, sum: rate 1000, decay 0.08 and
// 800, 0.064; dense, product: 800, 0.064). Insertion behind the derivative is that of its author's
// earlier three-layer network, whose δ₂ + ρ·δ₃ joined two quantities behind their derivatives.
//
// Limits. The result is the gradient of no loss: a link carries what block j passes on past the
// blocks between without their Jacobians. With rate 1000 it is hundreds of times larger than the
// true gradient; only an optimizer that divides by the gradient's magnitude takes it. `compare` and
// `gradcheck` show how far it is off. With rate 0 it is the standard flow, to the bit.

package import Networks
package import Tensors

/// Blocks are also fed with what blocks further up pass on.
package struct DilatedFlow: LayerwiseFlow {
  /// Which blocks above block k are linked to it.
  package enum Links: String, CaseIterable, Sendable {
    case dense
    case sparse
    case includeNext = "include-next"
  }

  /// How the linked gradients become one.
  package enum Combination: String, CaseIterable, Sendable {
    case sum
    case product

    /// The way that blocks go which `combinationBlocks` does not name.
    package var other: Combination { self == .sum ? .product : .sum }
  }

  /// Where the links join a block: G_k, or dz of its last convolution.
  package enum Insertion: String, CaseIterable, Sendable {
    case before
    case after
  }

  /// ρ in the first epoch.
  package var rate = 1000.0
  /// How fast ρ falls: by a half after 1/decay epochs.
  package var decay = 0.08
  package var links = Links.dense
  package var combination = Combination.sum
  /// The blocks, counted from 1, that `combination` holds for; empty if it holds for all.
  ///
  /// The others take the other way.
  package var combinationBlocks: Set<Int> = []
  package var insertion = Insertion.before

  package init() {}

  package var name: String { "dilated" }
  package var isGradient: Bool { rate == 0 }

  package var line: String {
    let blocks = combinationBlocks.sorted().map { "b\($0)" }.joined(separator: ",")
    return "flow dilated rate=\(rate) decay=\(decay) links=\(links.rawValue) "
      + "combine=\(combination.rawValue)\(blocks.isEmpty ? "" : " blocks=" + blocks) "
      + "insert=\(insertion.rawValue)"
  }

  /// ρ(t) = rate / (1 + decay·t), for epoch t from 0.
  package func linkWeight(epoch: Int) -> Double? { weight(epoch: epoch) }

  private func weight(epoch: Int) -> Double { rate / (1 + decay * Double(epoch)) }

  /// Where the links join a block and how they become one: `G(k) = g(k+1) + ρ·Σ g(j)`.
  package var summary: String {
    func sum(_ combination: Combination) -> String {
      let joined = combination == .product ? "ρ·Π g(j)" : "ρ·Σ g(j)"
      return insertion == .after
        ? "dz(k) = act′·da(k) + \(joined)" : "G(k) = g(k+1) + \(joined)"
    }
    guard !combinationBlocks.isEmpty else { return sum(combination) }
    let blocks = combinationBlocks.sorted().map { "b\($0)" }.joined(separator: ", ")
    return "\(sum(combination)) in \(blocks), \(sum(combination.other)) in the others"
  }

  package func join<Element: Scalar>(
    at index: Int, in network: Network<Element>, epoch: Int
  ) -> LinkJoin? {
    let ρ = weight(epoch: epoch)
    let sources = links(in: network).filter { $0.target == index }.map(\.source)
    guard ρ != 0, !sources.isEmpty else { return nil }
    return LinkJoin(
      sources: sources,
      isProduct: combination(ofBlock: network.blockNumber(at: index)) == .product,
      isBehindDerivative: insertion == .after, weight: ρ)
  }

  /// How the links of block `number`, counted from 1, become one.
  package func combination(ofBlock number: Int) -> Combination {
    combinationBlocks.isEmpty || combinationBlocks.contains(number)
      ? combination : combination.other
  }

  /// Returns the links between blocks whose gradients have equal shapes.
  package func links<Element: Scalar>(in network: Network<Element>) -> [FlowLink] {
    pairs(in: network).filter { network.fits($0) }
  }

  package func gaps<Element: Scalar>(in network: Network<Element>) -> [FlowLink] {
    pairs(in: network).filter { !network.fits($0) }
  }

  /// Returns the pairs of blocks that the flow would link if all shapes were equal.
  private func pairs<Element: Scalar>(in network: Network<Element>) -> [FlowLink] {
    let blocks = network.blockIndices
    return blocks.indices.flatMap { k in
      let sources: Range<Int> =
        switch links {
        case .dense: k + 2..<max(k + 2, blocks.count)
        case .sparse: k + 2..<max(k + 2, min(k + 3, blocks.count))
        case .includeNext: k + 1..<max(k + 1, blocks.count)
        }
      return sources.reversed().map { FlowLink(source: blocks[$0], target: blocks[k]) }
    }
  }

  package func requireFit<Element: Scalar>(_ network: Network<Element>) throws(NetworkError) {
    let last = network.blockIndices.count
    if let number = combinationBlocks.filter({ $0 > last }).min(), last > 0 {
      throw NetworkError(
        code: "no-such-layer", "flow dilated names b\(number), the network has b1 to b\(last)",
        hint: "name other blocks= in the flow line")
    }
  }
}

extension Network {
  /// The places of the blocks among the layers.
  fileprivate var blockIndices: [Int] { layers.indices.filter { layers[$0].isBlock } }

  /// Returns whether the gradient that one block passes on has the shape of that which is fed to another.
  fileprivate func fits(_ link: FlowLink) -> Bool {
    let shapes = layerShapes
    return shapes.isEmpty
      ? layers[link.source].inputChannels == layers[link.target].outputChannels
      : shapes[link.source].input == shapes[link.target].output
  }

  /// Which block, counted from 1, stands at `index` of the layers.
  fileprivate func blockNumber(at index: Int) -> Int {
    layers[...index].count { $0.isBlock }
  }
}

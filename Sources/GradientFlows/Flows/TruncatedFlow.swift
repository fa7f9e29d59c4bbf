// Back-propagation that ends after some blocks.
//
// The idea. Most of what a block has to learn may be told by the blocks right above the loss. So the gradient goes back through the
// topmost K blocks and no further; those below keep the weights that they were given.
//
//         x ──▶ b1 ──▶ b2 ──▶ b3 ──▶ b4 ──▶ out ──▶ loss
//                  0      ✂ ◀──── ◀──────── ∂loss/∂out            depth=2
//
// The equation. For the blocks k = 1…L and what layer k is fed with, G_k:
//
//         G_k as in the standard flow for k > L − K            G_k = 0 for k ≤ L − K
//
// Plain layers belong to the block above them, those behind the last block to it; in a network without
// blocks, every layer with weights counts. A long skip that leads from below the K blocks into them is cut, too.
//
// Source: truncation in time is that of Williams and Peng, "An efficient gradient-based algorithm for
// on-line training of recurrent network trajectories" (1990); here it is one in depth.
//
// Limits. The upper weights get their exact gradient, the lower ones none, so these never learn: the top is fine-tuned, without time
// or memory for the way further back.

package import Networks
import Operations
package import Tensors

/// The gradient goes back through the topmost blocks alone.
package struct TruncatedFlow: LayerwiseFlow {
  /// The number of blocks, at least 1.
  package var depth: Int

  package init(depth: Int = 1) {
    precondition(depth > 0, "At least the topmost block has a gradient.")
    self.depth = depth
  }

  package var name: String { "truncated" }
  package var line: String { "flow truncated depth=\(depth)" }
  package var isGradient: Bool { false }
  package var rewrites: Bool { true }
  package var summary: String {
    "the gradient goes back through the last \(depth == 1 ? "block" : "\(depth) blocks") and is 0 below"
  }

  package func replacement<Element: Scalar>(in network: Network<Element>) -> Replacement? {
    Replacement(
      .nothing, "0", "no gradient: these layers do not learn", layers: Array(0..<first(network)))
  }

  /// The place of the lowest layer that the gradient reaches.
  private func first<Element: Scalar>(_ network: Network<Element>) -> Int {
    let stages = Stages(network)
    return stages.count > depth ? stages.start(of: stages.count - depth) : 0
  }

  package func rewritten<Element: Scalar>(
    _ program: Program<Element>, of network: Network<Element>
  ) -> Program<Element> {
    let first = first(network)
    return program.rewritten { node, place, operands, rewriting in
      rewriting.write(node, at: place, reading: operands, leavesZero: true) { reader, read in
        reader >= first && read < first
      }
    }
  }
}

// Standard back-propagation with less memory: values are computed twice.
//
// The idea. Going back needs the values that went forward, and keeping them all is what fills the memory. So only what
// some blocks hand on is kept; when the gradient comes to a part, the values in it are computed again.
//
//         x ──▶ b1 ──▶ b2 ──▶ ● b3 ──▶ b4 ──▶ ● b5 ──▶ b6 ──▶ loss           every=2: ● is kept
//                                               ◀───────────────
//                               again: b3 ──▶ b4
//                              ◀────────────────
//
// The equation. That of the standard flow, with the same bits. With parts of n blocks out of L, about L/n + n blocks' values are alive
// at once instead of L, least for n = √L, which is the default; each value but those of the last part is
// computed twice, so a step takes about a third longer.
//
// Source: Chen, Xu, Zhang and Guestrin, "Training deep nets with sublinear memory cost" (2016), arXiv 1604.06174.
//
// Its limits. The gradient is the standard one, so quality is not compared: only memory and time differ. The
// stepper and `explain` keep every value at once, as under the standard flow.

package import Networks
package import Tensors

/// The standard gradient; values between the kept ones are computed again on the way back.
package struct CheckpointedFlow: LayerwiseFlow {
  /// The number of blocks in a part; nil for √L, rounded up.
  package var every: Int?

  package init(every: Int? = nil) {
    precondition(every.map { $0 > 0 } ?? true, "A part has at least one block.")
    self.every = every
  }

  package var name: String { "checkpointed" }
  package var line: String { "flow checkpointed" + (every.map { " every=\($0)" } ?? "") }
  package var summary: String {
    "as the standard flow; values within \(every.map { "\($0)" } ?? "√L") blocks are computed again"
  }

  package func parts<Element: Scalar>(
    of program: Program<Element>, _ network: Network<Element>
  ) -> [Range<Int>] {
    let starts = firstLayers(network).map { program.layers[$0].nodes.lowerBound }
    return zip([0] + starts, starts + [program.nodes.count]).map { $0..<$1 }
  }

  package func computedTwice<Element: Scalar>(
    in network: Network<Element>
  ) -> [ClosedRange<Int>] {
    let starts = firstLayers(network)
    return zip([0] + starts.dropLast(), starts).map { $0...($1 - 1) }
  }

  /// The places of the first layers of all parts but the first.
  private func firstLayers<Element: Scalar>(_ network: Network<Element>) -> [Int] {
    let stages = Stages(network)
    let size = every ?? max(1, Int(Double(stages.count).squareRoot().rounded(.up)))
    return stride(from: size, to: stages.count, by: size).map { stages.start(of: $0) }
  }
}

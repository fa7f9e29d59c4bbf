// The gradient by the ways that it took: how many residual blocks it went through.
//
// The idea. At every residual block the gradient has two ways back: through the block's convolutions, or past them by the skip. A network
// of L blocks is so a sum over 2^L ways, and a weight's gradient is the sum of what arrives by each of them. Here ways
// of one length, that go through as many blocks, are added up, not one by one but by a recursion, which costs L backward passes, not 2^L.
//
//         x ─┬─▶ b1 ─┬─▶ ⊕ ─┬─▶ b2 ─┬─▶ ⊕ ─┬─▶ b3 ─┬─▶ ⊕ ─▶ loss
//            └───────┘      └───────┘      └───────┘
//
// The equation. G^n(u) is the part of ∂loss/∂u by ways through n blocks. Pullbacks are linear in what comes back, so each
// part goes back alone, and where a way leaves a block through its convolutions, n grows by one:
//
//         G^0(loss) = 1          G^n(u) = Σ over readers r of u:  (∂r/∂u)ᵀ · G^m(r)
//         m = n − 1 where u is a block's input and r begins its convolutions, else m = n
//
// and Σ_n G^n = ∂loss/∂u. A weight within a block counts the blocks above it that were passed, not its own. Where a merge multiplies,
// the way through carries the factor s and the way past the factor a: the parts are defined, and neither way is free of the other.
//
// Source: Veit, Wilber and Belongie, "Residual networks behave like ensembles of relatively shallow networks" (2016),
// arXiv 1605.06431: most gradient in a network of 110 layers comes by ways 10 to 34 blocks long.

import Networks
import Operations
package import Tensors

/// The gradient of every parameter, in parts by the number of residual blocks that it went through.
package struct GradientPaths<Element: Scalar>: Sendable {
  /// By parameter, then by the number of blocks, from 0: the part; nil where no way has that length.
  package let parts: [[Tensor<Element>?]]
  /// The number of ways of each length to what a parameter is read by, by parameter.
  package let ways: [[Double]]

  /// Splits the gradients of a pass under the standard flow.
  package init(_ pass: TrainingPass<Element>) {
    let known = ForwardPass(pass).values
    let program = known.program
    let through = Self.entrances(program, pass.network)
    let count = pass.network.layers.count { $0.isBlock } + 1
    var arrived = [[Value<Element>?]](
      repeating: Array(repeating: nil, count: count), count: program.nodes.count)
    var ways = [[Double]](repeating: Array(repeating: 0, count: count), count: program.nodes.count)
    arrived[program.end][0] = .number(1)
    ways[program.end][0] = 1
    for place in program.nodes.indices.reversed() {
      let node = program.nodes[place]
      let operands = node.operands.compactMap { known.values[$0] }
      guard let operation = node.operation, let result = known.values[place],
        operands.count == node.operands.count, ways[place].contains(where: { $0 > 0 })
      else { continue }
      let values = OperationValues(operands: operands, result: result)
      for (number, operand) in node.operands.enumerated()
      where program.hasGradient(operand) && node.hasPullback(to: number) {
        let step = through.contains(place) && program.isLayerInput(operand) ? 1 : 0
        for length in 0..<count - step where ways[place][length] > 0 {
          ways[operand][length + step] += ways[place][length]
          guard let gradient = arrived[place][length] else { continue }
          let share = operation.pullback(gradient, to: number, values)
          arrived[operand][length + step] =
            arrived[operand][length + step].map { $0.adding(share) } ?? share
        }
      }
      // Gradients that all operands have received are not needed any more.
      arrived[place] = []
    }
    parts = program.parameterPlaces.map { place in arrived[place].map { $0?.tensor } }
    self.ways = program.parameterPlaces.map { ways[$0] }
  }

  /// The places of the nodes that begin the convolutions of a block: they read its input and are not on the way of
  /// its skip.
  private static func entrances(
    _ program: Program<Element>, _ network: Network<Element>
  ) -> Set<Int> {
    var found: Set<Int> = []
    for (layer, nodes) in zip(network.layers, program.layers) where layer.isBlock {
      let output = program.nodes[nodes.output]
      var skip: Set<Int> = output.operands.count > 1 ? [output.operands[1]] : []
      for place in nodes.nodes.reversed() where skip.contains(place) {
        skip.formUnion(program.nodes[place].operands)
      }
      found.formUnion(
        nodes.nodes.filter {
          program.nodes[$0].operands.contains(nodes.input) && !skip.contains($0)
            && $0 != nodes.output
        })
    }
    return found
  }
}

extension Program {
  /// Whether the value at `place` is what a layer is given.
  fileprivate func isLayerInput(_ place: Int) -> Bool { layers.contains { $0.input == place } }
}

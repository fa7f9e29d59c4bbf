// A pass through a network as a program: operations in the order in which they are computed.
//
// Every layer lowers itself to operations (see `Lowering`); the program adds what becomes of the last
// layer's result, and the loss. Whatever looks at a pass walks through the program and knows no kind of
// layer: the tape, the stepper, `explain`, the names of values, the plans of memory.
//
//         net.in ─▶ b1.in ─▶ b1.conv1.z ─▶ b1.conv1.a ─▶ b1.out ─▶ … ─▶ net.out ─▶ loss
//                     └────▶ b1.skip ─────────────────────┘                         ▲
//                                                                        target, mask
//
// A node may be read by several others, and may read any that was computed before it.

package import Operations
package import Tensors

/// The operations of a pass, from the network's input to the loss.
package struct Program<Element: Scalar>: Sendable {
  /// A value that is given.
  package enum Given: Sendable {
    /// The network's input, `[N, 1, H, W]`, or that of a layer alone, which has other `channels`.
    case input(channels: Int)
    /// The image that the output is compared with, `[N, 1, H, W]`.
    case target
    /// 1 for pixels that count and 0 for others, `[N, 1, H, W]`.
    case mask
    /// A weight or bias.
    case parameter(Tensor<Element>)
  }

  /// A value of the pass: given, or the result of an operation.
  package struct Node: Sendable {
    /// Such as `b2.conv1.z`; nil for a value inside an operation of several, which has no name.
    package let name: String?
    /// Its name in formulas of its layer: `z`, `a`, `s`, `out`.
    package let symbol: String
    /// The beginning of its name, such as `b2.conv1`; nil for what belongs to the whole network.
    package let place: String?
    /// The place of the layer that it belongs to, among the network's layers; nil for the network.
    package let layer: Int?
    /// The word for the operation in steps and diagrams.
    package let word: String
    /// The operation that computes it; nil for a given value.
    package let operation: (any Operation)?
    /// The places, among the nodes, of what the operation reads.
    package let operands: [Int]
    package let given: Given?

    /// Whether it is a value under another name.
    package var isAlias: Bool { operation?.isAlias ?? false }

    /// Whether it is a weight or bias.
    package var isParameter: Bool { if case .parameter = given { true } else { false } }
  }

  /// Where a layer stands in the program.
  package struct LayerNodes: Sendable {
    /// The value that it is given, and the one that it hands on.
    package let input: Int, output: Int
    /// The result of its last convolution, before the activation.
    package let preactivation: Int
    /// All that it computes.
    package let nodes: Range<Int>
  }

  package let nodes: [Node]
  package let layers: [LayerNodes]
  package let input: Int, output: Int, loss: Int
  /// The places of what the output is compared with, and where; nil where there is none.
  package let target: Int?, mask: Int?
  private let places: [String: Int]

  init(
    nodes: [Node], layers: [LayerNodes], input: Int, output: Int, target: Int?, mask: Int?,
    loss: Int
  ) {
    (self.nodes, self.layers, self.input, self.output) = (nodes, layers, input, output)
    (self.target, self.mask, self.loss) = (target, mask, loss)
    places = Dictionary(
      uniqueKeysWithValues: nodes.enumerated().compactMap { index, node in
        node.name.map { ($0, index) }
      })
  }

  /// Returns the place of the value called `name`; nil if there is none.
  package func place(_ name: String) -> Int? { places[name] }

  /// The places of the parameters, in the order of the network's `parameters`.
  package var parameters: [Int] { nodes.indices.filter { nodes[$0].isParameter } }

  /// The names of all values in forward order, from the input to the output; parameters, target and
  /// loss aside.
  package var valueNames: [String] {
    let inner = nodes.indices.filter {
      nodes[$0].layer != nil && !nodes[$0].isParameter
    }.compactMap { nodes[$0].name }
    return ["net.in"] + inner + ["net.out"]
  }

  /// Returns whether a gradient of the value is wanted: not of target and mask.
  package func hasGradient(_ index: Int) -> Bool { index != target && index != mask }

  /// Returns the value that an alias stands for, through all names.
  package func source(of index: Int) -> Int {
    nodes[index].isAlias ? source(of: nodes[index].operands[0]) : index
  }
}

extension Network {
  /// The names of all values of a pass in forward order; parameters aside.
  package var valueNames: [String] {
    program(loss: .meanSquaredError, hasMask: false).valueNames
  }

  /// The pass of a batch as a program.
  ///
  /// - Parameters:
  ///   - loss: What training makes small.
  ///   - hasMask: Whether only the pixels of a mask count.
  /// - Returns: The program.
  package func program(loss: Loss, hasMask: Bool) -> Program<Element> {
    var lowering = Lowering<Element>(reluNaN: reluNaN)
    let input = lowering.networkInput
    var x = input
    var places: [Program<Element>.LayerNodes] = []
    for (index, (name, layer)) in zip(layerNames, layers).enumerated() {
      places.append(lowering.lower(layer, x, named: name, at: index))
      x = places[index].output
    }
    let output =
      outputRule == .subtract
      ? lowering.value(ofNetwork: "net.out", Difference(), [input, x])
      : lowering.value(ofNetwork: "net.out", Copy(word: "output"), [x])
    let target = lowering.give("target", .target)
    let mask = hasMask ? lowering.give("mask", .mask) : nil
    let end = lowering.value(ofNetwork: "loss", loss, [output, target] + (mask.map { [$0] } ?? []))
    return Program(
      nodes: lowering.nodes, layers: places, input: input, output: output, target: target,
      mask: mask, loss: end)
  }
}

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
    /// The weight or bias with this number among the program's ``Program/parameters``.
    case parameter(Int)
    /// The tensor with this number among the program's ``Program/buffers``: training updates it, and it
    /// has no gradient.
    case buffer(Int)
    /// The tensor with this number among the program's ``Program/flowTensors``: it belongs to a gradient
    /// flow, which may train it.
    case flow(Int, isTrained: Bool)
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

    /// Whether it is a tensor that training updates without a gradient.
    package var isBuffer: Bool { if case .buffer = given { true } else { false } }

    /// Whether it is a tensor of a gradient flow's own.
    package var isOfFlow: Bool { if case .flow = given { true } else { false } }

    /// Whether it is a tensor with a gradient that training uses.
    package var isTrained: Bool {
      if case .flow(_, let isTrained) = given { isTrained } else { isParameter }
    }

    /// Returns whether operand number `index` gets a share of the gradient.
    package func hasPullback(to index: Int) -> Bool { operation?.hasPullback(to: index) ?? false }

    /// Whether it hands on its one operand, and the operand's gradient, as they are.
    package var handsOn: Bool {
      operands.count == 1 && operation.map { $0.sharesResult && $0.sharesGradient(to: 0) } ?? false
    }
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
  /// The place of the value whose gradient is 1: the loss, or the sum of several losses.
  package let end: Int
  /// The places of what the output is compared with, and where; nil where there is none.
  package let target: Int?, mask: Int?
  /// The weights and biases, in the order of the network's `parameters`.
  package var parameters: [Tensor<Element>]
  /// The tensors that training updates without a gradient, in the order of the network's `buffers`.
  package var buffers: [Tensor<Element>]
  /// The places of the buffers' next values, in their order.
  package let bufferUpdates: [Int]
  /// The names of the tensors of a gradient flow's own.
  package let flowNames: [String]
  /// These tensors, in the order of ``flowNames``.
  package var flowTensors: [Tensor<Element>] = []
  private let places: [String: Int]

  init(
    _ lowering: Lowering<Element>, layers: [LayerNodes], output: Int, target: Int? = nil,
    mask: Int? = nil, loss: Int
  ) {
    (nodes, input, self.layers, self.output) =
      (lowering.nodes, lowering.networkInput, layers, output)
    (parameters, buffers) = (lowering.parameters, lowering.buffers)
    bufferUpdates = lowering.bufferUpdates
    (self.target, self.mask, self.loss) = (target, mask, loss)
    (end, flowNames) = (loss, [])
    places = Self.places(nodes)
  }

  /// A program that was written anew, node by node.
  init(_ rewriting: Rewriting<Element>) {
    let original = rewriting.original
    func new(_ place: Int) -> Int { rewriting.place(of: place) }
    nodes = rewriting.nodes
    layers = rewriting.layers
    (input, output) = (new(original.input), rewriting.output)
    (loss, end) = (new(original.loss), rewriting.end)
    (target, mask) = (original.target.map(new), original.mask.map(new))
    (parameters, buffers) = (original.parameters, original.buffers)
    bufferUpdates = original.bufferUpdates.map(new)
    flowNames = rewriting.flowNames
    places = Self.places(nodes)
  }

  private static func places(_ nodes: [Node]) -> [String: Int] {
    Dictionary(
      uniqueKeysWithValues: nodes.enumerated().compactMap { index, node in
        node.name.map { ($0, index) }
      })
  }

  /// Returns the place of the value called `name`; nil if there is none.
  package func place(_ name: String) -> Int? { places[name] }

  /// The places of the parameters, in the order of the network's `parameters`.
  package var parameterPlaces: [Int] { nodes.indices.filter { nodes[$0].isParameter } }

  /// Returns the parameter, buffer or tensor of a flow at `place`; nil for other values.
  package func tensor(at place: Int) -> Tensor<Element>? {
    switch nodes[place].given {
    case .parameter(let number): parameters[number]
    case .buffer(let number): buffers[number]
    case .flow(let number, _): flowTensors.indices.contains(number) ? flowTensors[number] : nil
    default: nil
    }
  }

  /// The names of all values in forward order, from the input to the output; parameters, target and
  /// loss aside.
  package var valueNames: [String] {
    let inner = nodes.indices.filter {
      nodes[$0].layer != nil && !nodes[$0].isParameter && !nodes[$0].isBuffer
        && !nodes[$0].isOfFlow
    }.compactMap { nodes[$0].name }
    return ["net.in"] + inner + ["net.out"]
  }

  /// Returns whether the value has a gradient: target, mask, buffers and tensors of a flow that it does not
  /// train have none.
  package func hasGradient(_ index: Int) -> Bool {
    index != target && index != mask && !nodes[index].isBuffer
      && (!nodes[index].isOfFlow || nodes[index].isTrained)
  }

  /// Returns the shape of every value for a batch of images of `height` by `width`.
  ///
  /// - Throws: `OperationError` of the first operation that images of this size do not fit.
  package func shapes(batch: Int, height: Int, width: Int) throws(OperationError) -> [Shape] {
    var shapes: [Shape] = []
    for (index, node) in nodes.enumerated() {
      switch node.given {
      case .parameter, .buffer, .flow: shapes.append(tensor(at: index)?.shape ?? [])
      case .input(let channels): shapes.append([batch, channels, height, width])
      case .target, .mask: shapes.append([batch, 1, height, width])
      case nil:
        let operands = node.operands.map { shapes[$0] }
        shapes.append(try node.operation?.resultShape(operands) ?? operands[0])
      }
    }
    return shapes
  }

  /// By place, whether a gradient comes back from the loss to the value; running statistics lead nowhere in a pass.
  package var leadsToLoss: [Bool] {
    var leads = nodes.indices.map { $0 == end }
    for place in nodes.indices.reversed() where leads[place] {
      for (number, operand) in nodes[place].operands.enumerated()
      where nodes[place].hasPullback(to: number) { leads[operand] = true }
    }
    return leads
  }

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
  ///   - mode: Whether the pass is one of training.
  /// - Returns: The program.
  package func program(loss: Loss, hasMask: Bool, mode: PassMode = .training) -> Program<Element> {
    plan(PassKey(loss: loss, hasMask: hasMask, mode: mode)).program
  }

  /// Writes the pass of a batch as operations.
  func lowered(loss: Loss, hasMask: Bool, mode: PassMode) -> Program<Element> {
    var lowering = Lowering<Element>(reluNaN: reluNaN, mode: mode)
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
      lowering, layers: places, output: output, target: target, mask: mask, loss: end)
  }
}

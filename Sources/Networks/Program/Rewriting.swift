package import Operations
package import Tensors

/// A program that is written anew, node by node, as a gradient flow changes it.
///
/// A flow may put another operation in the place of one, let an operation read more, and add values,
/// tensors of its own and losses. What a value is called, and what a layer hands on, stays. So everything that walks
/// through a program (the pass, the stepper, `explain`, plans of memory) sees what the flow does and knows no flow.
package struct Rewriting<Element: Scalar> {
  package typealias Node = Program<Element>.Node
  /// Returns the place of what stands for a node of the original, which reads `operands`.
  package typealias Writing = (
    _ node: Node, _ place: Int, _ operands: [Int], _ rewriting: inout Rewriting
  ) -> Int

  package let original: Program<Element>
  package private(set) var nodes: [Node] = []
  private(set) var flowNames: [String] = []
  private(set) var layers: [Program<Element>.LayerNodes] = []
  /// The place of the network's output itself.
  private(set) var output = 0
  /// The place of the value whose gradient is 1.
  private(set) var end = 0
  /// By place in the original: what stands for it; its first new node, and the one behind its last.
  private var places: [Int] = []
  private var starts: [Int] = [], ends: [Int] = []

  fileprivate init(_ original: Program<Element>) { self.original = original }

  /// Returns the place of what stands for the node at `place` of the original.
  package func place(of place: Int) -> Int { places[place] }

  /// Writes a node with other operands, and another operation and word if they are given.
  package mutating func write(
    _ node: Node, reading operands: [Int], by operation: (any Operation)? = nil,
    word: String? = nil
  ) -> Int {
    append(
      Node(
        name: node.name, symbol: node.symbol, place: node.place, layer: node.layer,
        word: word ?? node.word, operation: operation ?? node.operation,
        operands: operands, given: node.given))
  }

  /// Writes a value that belongs to the place and layer of `node`.
  package mutating func value(
    _ name: String?, _ operation: any Operation, _ operands: [Int], beside node: Node,
    symbol: String? = nil
  ) -> Int {
    append(
      Node(
        name: name, symbol: symbol ?? name.map(Self.lastWord) ?? node.symbol, place: node.place,
        layer: node.layer, word: operation.word, operation: operation, operands: operands,
        given: nil))
  }

  /// Writes a tensor of the flow's own, which belongs to the place and layer of `node`.
  package mutating func tensor(
    _ name: String, isTrained: Bool, beside node: Node
  ) -> Int {
    flowNames.append(name)
    return append(
      Node(
        name: name, symbol: Self.lastWord(name), place: node.place, layer: node.layer,
        word: "given",
        operation: nil, operands: [],
        given: .flow(flowNames.count - 1, isTrained: isTrained)))
  }

  private static func lastWord(_ name: String) -> String {
    String(name.split(separator: ".").last ?? "")
  }

  private mutating func append(_ node: Node) -> Int {
    nodes.append(node)
    return nodes.count - 1
  }

  fileprivate mutating func run(_ write: Writing, losses: (inout Rewriting) -> [Int]) {
    for (place, node) in original.nodes.enumerated() {
      starts.append(nodes.count)
      places.append(write(node, place, node.operands.map { places[$0] }, &self))
      ends.append(nodes.count)
    }
    output = nodes.firstIndex { $0.name == original.nodes[original.output].name } ?? 0
    end = places[original.loss]
    let others = losses(&self)
    if !others.isEmpty {
      end = value("losses", Sum(), [end] + others, beside: original.nodes[original.loss])
    }
    layers = original.layers.map { layer in
      .init(
        input: places[layer.input], output: places[layer.output],
        preactivation: places[layer.preactivation],
        nodes: starts[layer.nodes.lowerBound]..<ends[layer.nodes.upperBound - 1])
    }
  }
}

extension Program {
  /// Returns the program written anew.
  ///
  /// - Parameters:
  ///   - losses: Writes further losses behind that of the network, whose gradients are also 1, and returns
  ///     their places.
  ///   - write: Writes one node.
  /// - Returns: The program, without its flow's tensors.
  package func rewritten(
    losses: (inout Rewriting<Element>) -> [Int] = { _ in [] },
    _ write: Rewriting<Element>.Writing
  ) -> Program {
    var rewriting = Rewriting(self)
    rewriting.run(write, losses: losses)
    return Program(rewriting)
  }
}

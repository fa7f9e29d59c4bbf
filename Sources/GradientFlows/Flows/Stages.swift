import Networks
import Operations
import Tensors

/// The parts that a network is divided into, one for each block, with the plain layers before it.
///
/// Layers behind the last block belong to its part. A network without blocks has a part for each layer with weights.
struct Stages {
  /// The place, among the layers, of the last layer of each part, from the input on.
  let ends: [Int]

  init<Element: Scalar>(_ network: Network<Element>) {
    let layers = network.layers
    let blocks = layers.indices.filter { layers[$0].isBlock }
    var ends =
      blocks.isEmpty ? layers.indices.filter { !layers[$0].parameters.isEmpty } : blocks
    if !ends.isEmpty { ends[ends.count - 1] = layers.count - 1 }
    self.ends = ends
  }

  var count: Int { ends.count }

  /// The place of the first layer of part `number`, from 0.
  func start(of number: Int) -> Int { number == 0 ? 0 : ends[number - 1] + 1 }

  /// Returns the number of the part that the layer in place `layer` belongs to.
  func part(ofLayer layer: Int) -> Int { ends.firstIndex { layer <= $0 } ?? max(0, count - 1) }
}

extension Rewriting {
  /// Writes a node as it is, but for the values of other layers that `isCut` names by the places of the
  /// reading layer and of the read one: from there, no gradient goes back.
  mutating func write(
    _ node: Node, at place: Int, reading operands: [Int], leavesZero: Bool,
    cutting isCut: (_ reader: Int, _ read: Int) -> Bool
  ) -> Int {
    guard let reader = node.layer else { return write(node, reading: operands) }
    let cuts = original.nodes[place].operands.map { operand in
      original.nodes[operand].layer.map { $0 != reader && isCut(reader, $0) } ?? false
    }
    let cut = Cut(isZero: leavesZero)
    if node.isAlias, cuts == [true] {
      return write(node, reading: operands, by: cut, word: cut.word)
    }
    let read = zip(operands, cuts).map { operand, isCut in
      isCut ? value(nil, cut, [operand], beside: node, symbol: nodes[operand].symbol) : operand
    }
    return write(node, reading: read)
  }
}

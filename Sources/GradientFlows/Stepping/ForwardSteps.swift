// The operations of a forward pass, one step of the stepper each.

import Networks
import Operations

extension Program {
  /// The operations of the forward pass, from the input to the loss.
  ///
  /// An operation without a name is part of the step that reads it, and an alias of the step of its
  /// value.
  func forwardSteps() -> [PassStep] {
    nodes.indices.filter { isTold($0) }.map { index in
      let node = nodes[index]
      // The output of a layer is also the input of the next, under that name.
      let others = names(of: index).reversed().filter { $0 != node.name }
      // The result of a convolution goes by its whole name, so that one sees where a layer begins.
      let isWhole = node.layer == nil || node.symbol == "z"
      let target = isWhole ? node.name ?? "" : node.symbol
      return PassStep(
        .forward, layer: node.layer, node.word, "\(target) = \(formula(index))",
        reads: reads(index), writes: others + [node.name ?? ""])
    }
  }

  /// Whether the node is an operation of its own.
  func isTold(_ index: Int) -> Bool {
    nodes[index].operation != nil && nodes[index].name != nil && !nodes[index].isAlias
  }

  /// The names of the value at `index`, its own first.
  private func names(of index: Int) -> [String] {
    [nodes[index].name].compactMap(\.self)
      + nodes.indices.filter { $0 != index && source(of: $0) == index }.compactMap {
        nodes[$0].name
      }
  }

  /// The names of what the operation at `index` reads, in the order in which it reads them; target and
  /// mask are no values of the pass.
  private func reads(_ index: Int) -> [String] {
    nodes[index].operands.flatMap { operand -> [String] in
      guard hasGradient(operand) else { return [] }
      return nodes[operand].name == nil ? reads(operand) : [called(operand, at: nil)]
    }
  }
}

// How the values of a program are called in the formulas of a step.

import Networks
import Operations

extension Program {
  /// Returns what formulas at `place`, such as `b1.conv1`, call the value of the node at `index`.
  ///
  /// A value of the same place goes by its letter; a parameter elsewhere in the layer by its name
  /// within the place; everything else by its whole name. What a layer is given goes by the name of
  /// what hands it on.
  func called(_ index: Int, at place: String?) -> String {
    let node = nodes[index]
    guard let name = node.name else { return node.symbol }
    if node.isAlias, nodes[node.operands[0]].layer != node.layer {
      return called(node.operands[0], at: nil)
    }
    guard let place, name.hasPrefix(place + ".") else { return name }
    let rest = String(name.dropFirst(place.count + 1))
    if node.isParameter || node.isOfFlow { return rest }
    return node.place == place ? node.symbol : name
  }

  /// Returns what the step of the node at `index` calls its gradient.
  func gradientCalled(_ index: Int) -> String {
    let node = nodes[index]
    guard let name = node.name else { return "\(node.symbol).grad" }
    return "\(node.place.map { name.dropFirst($0.count + 1).description } ?? name).grad"
  }

  /// Returns the target of a pullback in a formula of the node at `reader`: the gradient of the node at
  /// `index`, by its name within the reader's place, else within its layer, else by its whole name.
  func targetCalled(_ index: Int, by reader: Int) -> String {
    let (node, reader) = (nodes[index], nodes[reader])
    let number = reader.operands.firstIndex(of: index)
    if let letter = number.flatMap({ reader.operation?.letter(ofOperand: $0) }) {
      return "\(letter).grad"
    }
    let name = node.name ?? node.symbol
    let layer = reader.place.map { String($0.prefix { $0 != "." }) }
    for prefix in [reader.place, layer].compactMap(\.self) where name.hasPrefix(prefix + ".") {
      return "\(name.dropFirst(prefix.count + 1)).grad"
    }
    return "\(name).grad"
  }

  /// Returns the names that the operation of the node at `index` goes by in a formula.
  ///
  /// An operand without a name goes by its own formula if `isInlined`, else by its letter.
  func operationNames(_ index: Int, isInlined: Bool = false) -> OperationNames {
    let node = nodes[index]
    return OperationNames(
      operands: node.operands.map { operand in
        nodes[operand].name == nil && isInlined && nodes[operand].operation?.sharesResult == false
          ? formula(operand) : called(operand, at: node.place)
      }, result: node.symbol, areLetters: true)
  }

  /// Returns the right-hand side that computes the node at `index`, in letters.
  func formula(_ index: Int) -> String {
    let node = nodes[index]
    return node.operation?.formula(operationNames(index, isInlined: true)) ?? node.symbol
  }
}

import Networks
import Operations
package import Tensors

/// A computation with typed numbers and its gradients, operation by operation.
package struct ComputationWalk: SteppedPass {
  package let computation: Computation
  package let gradients: ComputationGradients
  package let steps: [PassStep]
  package let firstBackwardStep: Int
  package let layers: [(name: String, line: String)]

  /// Walks from what was typed to the number at `end`, and back.
  package init(_ computation: Computation, _ gradients: ComputationGradients) {
    self.computation = computation
    self.gradients = gradients
    let nodes = computation.nodes
    let needed = computation.needed(for: gradients.end).filter { nodes[$0].operation != nil }
    var names: [String] = []
    var lines: [String: String] = [:]
    for index in needed {
      let name = nodes[index].definition
      if !names.contains(name) { names.append(name) }
      lines[name] = computation.equation(of: index)
    }
    layers = names.map { ($0, lines[$0] ?? "") }

    let forward = needed.map { index in
      PassStep(
        .forward, layer: names.firstIndex(of: nodes[index].definition),
        nodes[index].operation?.word ?? "", computation.equation(of: index),
        reads: nodes[index].operands.map { nodes[$0].name }, writes: [nodes[index].name])
    }
    let end = "\(nodes[gradients.end].name).grad"
    var backward = [
      PassStep(
        .backward, layer: names.firstIndex(of: nodes[gradients.end].definition), "seed",
        "\(end) = 1", reads: [], writes: [end])
    ]
    var counts: [Int: Int] = [:]
    for arrival in gradients.arrivals { counts[arrival.to, default: 0] += 1 }
    var seen: [Int: Int] = [:]
    for (number, arrival) in gradients.arrivals.enumerated() {
      seen[arrival.to, default: 0] += 1
      let (from, to) = ("\(nodes[arrival.from].name).grad", "\(nodes[arrival.to].name).grad")
      let (position, count) = (seen[arrival.to] ?? 1, counts[arrival.to] ?? 1)
      let share = gradients.share(number, in: computation)
      backward.append(
        PassStep(
          .backward, layer: names.firstIndex(of: nodes[arrival.from].definition),
          nodes[arrival.from].operation?.word ?? "",
          "\(to) \(position > 1 ? "←" : "=") \(position > 1 ? "\(to) + " : "")\(share.text)",
          reads: [from] + share.reads, writes: [to],
          arrival: count > 1 ? .init(number: position, count: count) : nil))
    }
    steps = forward + backward
    firstBackwardStep = forward.count
  }

  /// The name of the number that the gradients are of.
  package var end: String { computation.nodes[gradients.end].name }

  package var flowNames: [String] { ["tape"] }

  package func isGiven(_ name: String) -> Bool {
    computation.node(name).map { $0.operation == nil } ?? false
  }

  package func value(_ name: String, flow: Int) -> Tensor<Float>? {
    if let base = ValueName(name).gradientBase {
      return computation.place(base).flatMap { gradients.values[$0] }
    }
    return computation.node(name)?.value
  }

  package func written(_ name: String, by step: PassStep, flow: Int) -> Tensor<Float>? {
    guard let arrival = step.arrival, name == step.place,
      let place = ValueName(name).gradientBase.flatMap({ computation.place($0) })
    else { return value(name, flow: flow) }
    let arrived = gradients.arrivals.filter { $0.to == place }.prefix(arrival.number)
    return arrived.dropFirst().reduce(arrived.first?.value) { $0?.adding($1.value) }
  }
}

extension Computation {
  /// The places that the number at `end` was computed from, itself included, in order.
  fileprivate func needed(for end: Int) -> [Int] {
    var found: Set<Int> = [end]
    for index in (0...end).reversed() where found.contains(index) {
      found.formUnion(nodes[index].operands)
    }
    return found.sorted()
  }

  /// The right-hand side that made the value at `index`, in letters; nil for what was typed.
  package func formula(of index: Int) -> String? {
    let node = nodes[index]
    return node.operation?.formula(
      OperationNames(operands: node.operands.map { nodes[$0].name }, result: node.name))
  }

  /// The equation that made the value at `index`, in letters.
  func equation(of index: Int) -> String {
    "\(nodes[index].name) = \(formula(of: index) ?? "given")"
  }
}

extension Computation.Node {
  /// The name that was typed: y for y.2.
  fileprivate var definition: String { String(name.prefix { $0 != "." }) }
}

extension ComputationGradients {
  /// Arrival `number` in letters.
  func share(_ number: Int, in computation: Computation) -> PullbackFormula {
    let arrival = arrivals[number]
    let node = computation.nodes[arrival.from]
    guard let operation = node.operation else {
      preconditionFailure("Nothing arrives from what is typed.")
    }
    return operation.pullbackFormula(
      "\(node.name).grad", to: arrival.operand,
      OperationNames(
        operands: node.operands.map { computation.nodes[$0].name }, result: node.name))
  }
}

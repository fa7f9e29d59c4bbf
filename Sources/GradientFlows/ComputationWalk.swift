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
    let needed = computation.needed(for: gradients.end).filter { nodes[$0].operation != .given }
    var names: [String] = []
    var lines: [String: String] = [:]
    for index in needed {
      let name = nodes[index].definition
      if !names.contains(name) { names.append(name) }
      lines[name] = "\(nodes[index].name) = \(computation.formula(of: index))"
    }
    layers = names.map { ($0, lines[$0] ?? "") }

    let forward = needed.map { index in
      PassStep(
        .forward, layer: names.firstIndex(of: nodes[index].definition),
        nodes[index].operation.word,
        "\(nodes[index].name) = \(computation.formula(of: index))",
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
      let factor = gradients.factor(number, in: computation)
      backward.append(
        PassStep(
          .backward, layer: names.firstIndex(of: nodes[arrival.from].definition),
          nodes[arrival.from].operation.word,
          "\(to) \(position > 1 ? "←" : "=") \(position > 1 ? "\(to) + " : "")\(factor.formula(from))",
          reads: [from] + factor.reads, writes: [to],
          arrival: count > 1 ? .init(number: position, count: count) : nil))
    }
    steps = forward + backward
    firstBackwardStep = forward.count
  }

  /// The name of the number that the gradients are of.
  package var end: String { computation.nodes[gradients.end].name }

  package var flowNames: [String] { ["tape"] }

  package func isGiven(_ name: String) -> Bool {
    computation.node(name).map { $0.operation == .given } ?? false
  }

  package func value(_ name: String, flow: Int) -> Tensor<Float>? {
    if name.hasSuffix(".grad") {
      return computation.place(String(name.dropLast(5))).flatMap { gradients.values[$0] }
    }
    return computation.node(name)?.value
  }

  package func written(_ name: String, by step: PassStep, flow: Int) -> Tensor<Float>? {
    guard let arrival = step.arrival, name == step.place,
      let place = computation.place(String(name.dropLast(5)))
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

  /// How the value at `index` was made, in letters.
  package func formula(of index: Int) -> String {
    let names = nodes[index].operands.map { nodes[$0].name }
    return switch nodes[index].operation {
    case .given: "given"
    case .copy: names[0]
    case .negative: "−\(names[0])"
    case .sum: "\(names[0]) + \(names[1])"
    case .difference: "\(names[0]) − \(names[1])"
    case .product: "\(names[0]) · \(names[1])"
    case .quotient: "\(names[0]) / \(names[1])"
    case .spread: "\(names[0]) at every place"
    case .activation(let function): "\(function.rawValue)(\(names[0]))"
    case .total: "Σ \(names[0])"
    case .mean: "Σ \(names[0]) / \(nodes[nodes[index].operands[0]].value.shape.count)"
    case .convolution: "\(names[0]) ∗ \(names[1])"
    }
  }
}

extension Computation.Node {
  /// The name that was typed: y for y.2.
  fileprivate var definition: String { String(name.prefix { $0 != "." }) }
}

extension Computation.Operation {
  fileprivate var word: String {
    switch self {
    case .given: "given"
    case .copy: "copy"
    case .negative: "negate"
    case .sum: "add"
    case .difference: "subtract"
    case .product: "multiply"
    case .quotient: "divide"
    case .spread: "spread"
    case .activation(let function): function.rawValue
    case .total: "sum"
    case .mean: "mean"
    case .convolution: "conv2d"
    }
  }
}

/// What an operation multiplies a gradient with on its way to one operand, in letters.
struct PullbackFactor {
  /// Names of what it reads besides the gradient.
  var reads: [String] = []
  /// The whole expression, given the name of the gradient.
  let formula: (String) -> String
}

extension ComputationGradients {
  /// Which operand of its operation arrival `number` goes to: the second, if the first has had its.
  func operand(_ number: Int, in computation: Computation) -> Int {
    let arrival = arrivals[number]
    let operands = computation.nodes[arrival.from].operands
    let earlier = arrivals[..<number].count { $0.from == arrival.from && $0.to == arrival.to }
    return operands.indices.filter { operands[$0] == arrival.to }[earlier]
  }

  /// How the gradient reaches an operand, in letters.
  func factor(_ number: Int, in computation: Computation) -> PullbackFactor {
    let node = computation.nodes[arrivals[number].from]
    let position = operand(number, in: computation)
    let names = node.operands.map { computation.nodes[$0].name }
    func times(_ name: String) -> PullbackFactor {
      PullbackFactor(reads: [name]) { "\($0) · \(name)" }
    }
    switch node.operation {
    case .given, .copy, .sum: return PullbackFactor { $0 }
    case .negative: return PullbackFactor { "−\($0)" }
    case .difference: return PullbackFactor { position == 0 ? $0 : "−\($0)" }
    case .product: return times(names[1 - position])
    case .quotient:
      return position == 0
        ? PullbackFactor(reads: [names[1]]) { "\($0) / \(names[1])" }
        : PullbackFactor(reads: [node.name, names[1]]) { "−\($0) · \(node.name) / \(names[1])" }
    case .spread: return PullbackFactor { "Σ \($0)" }
    case .activation(let function):
      let known = function.needsPreactivation ? names[0] : node.name
      return PullbackFactor(reads: [known]) { "\($0) · \(function.rawValue)′(\(names[0]))" }
    case .total: return PullbackFactor { "\($0) at every place" }
    case .mean:
      let count = computation.nodes[node.operands[0]].value.shape.count
      return PullbackFactor { "\($0) / \(count) at every place" }
    case .convolution:
      return position == 0
        ? PullbackFactor(reads: [names[1]]) { "\(names[1])ᵀ ∗ \($0)" }
        : PullbackFactor(reads: [names[0]]) { "\($0) ⋆ \(names[0])" }
    }
  }
}

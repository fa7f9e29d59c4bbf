import Networks
import Tensors

/// The places at which a flow reads gradients and adds to them in a pass, and the plan that keeps those.
struct LayerwiseWork<Element: Scalar> {
  let plan: PassPlan<Element>
  /// The layer that is looked into; nil for none.
  let watched: Program<Element>.LayerNodes?
  /// The links that are added to a gradient, by the place of the value whose gradient it is.
  private let joins: [Int: LinkJoin]
  private let keeping: Set<Int>
  private let isSeparate: Bool
  /// The parts of the program that are gone through one after the other.
  private let parts: [Range<Int>]
  /// Returns the plan in which each operation is computed alone.
  let separatePlan: () -> PassPlan<Element>

  init(
    _ flow: some LayerwiseFlow, _ network: Network<Element>, _ key: PassKey, epoch: Int,
    step: Int, retention: Retention
  ) {
    var key = key
    key.isSeparate = retention == .everything
    let tensors = flow.tensors(for: network, step: step)
    let plain = network.plan(key, under: flow, tensors)
    separatePlan = { [key] in
      var key = key
      key.isSeparate = true
      return network.plan(key, under: flow, tensors)
    }
    parts =
      retention == .training
      ? flow.parts(of: plain.program, network) : [plain.program.nodes.indices]
    let layers = plain.program.layers
    let found = layers.indices.compactMap { index in
      flow.join(at: index, in: network, epoch: epoch).map { (layers[index], $0) }
    }
    joins = Dictionary(
      uniqueKeysWithValues: found.map { layer, join in
        (join.isBehindDerivative ? layer.preactivation : layer.output, join)
      })
    watched = if case .layer(let index) = retention { layers[index] } else { nil }
    let sources = found.flatMap { $0.1.sources }.map { layers[$0].input }
    let targets = found.filter { !$0.1.isBehindDerivative }.map(\.0.output)
    key.watched = Set(sources + targets + (watched.map { [$0.output] } ?? []))
    key.kept = watched.map { Set(plain.program.read(by: $0)) } ?? []
    (keeping, isSeparate) = (key.watched, key.isSeparate)
    plan = key.watched.isEmpty || isSeparate ? plain : network.plan(key, under: flow, tensors)
  }

  /// Goes forward and backward through the whole program.
  func run<Arithmetic: PassArithmetic>(
    _ execution: inout Execution<Element, Arithmetic>, _ arithmetic: Arithmetic,
    seed: Arithmetic.Quantity
  ) {
    guard parts.count == 1 else { return runInParts(&execution, arithmetic) }
    let nodes = plan.program.nodes.indices
    execution.forward(nodes)
    // Several losses get their gradient from their sum, a single one with its value.
    let isGiven = isSeparate || plan.program.end != plan.program.loss
    execution.backward(nodes, seed: isGiven ? seed : nil, keeping: keeping) { place, gradients in
      joined(arithmetic, place) { gradients[$0] }
    }
  }

  /// Goes forward through all parts, keeping what later parts read; then back through them, where all but
  /// the last are computed again.
  private func runInParts<Arithmetic: PassArithmetic>(
    _ execution: inout Execution<Element, Arithmetic>, _ arithmetic: Arithmetic
  ) {
    let readers = partsThatRead
    var kept: [Int: Arithmetic.Quantity] = [:]
    for (number, part) in parts.enumerated() {
      let isLast = number == parts.count - 1
      execution.forward(part, keepsRecords: isLast)
      guard !isLast else { break }
      for place in part where readers[place] != nil { kept[place] = execution.value(at: place) }
      execution.forget(part, but: Set(readers.keys))
    }
    for (number, part) in parts.enumerated().reversed() {
      let isLast = number == parts.count - 1
      for (place, reading) in readers where reading.contains(number) {
        if !isLast, let value = kept[place] { execution.give(value, at: place) }
        // The lowest part that reads a value is the last to need it: its own computes it again.
        if reading.min() == number, plan.program.nodes[place].operation != nil { kept[place] = nil }
      }
      if !isLast { execution.forward(part) }
      execution.backward(part, seed: nil, keeping: keeping, settlesOthers: number == 0) {
        place, gradients in joined(arithmetic, place) { gradients[$0] }
      }
    }
  }

  /// By the place that holds a value: the parts behind its own that read it.
  private var partsThatRead: [Int: Set<Int>] {
    var readers: [Int: Set<Int>] = [:]
    let program = plan.program
    for (number, part) in parts.enumerated() {
      for place in part {
        for read in plan.forwardReads(at: place) where program.tensor(at: read) == nil {
          let holder = plan.holders[read]
          if holder < part.lowerBound { readers[holder, default: []].insert(number) }
        }
      }
    }
    return readers
  }

  /// Returns what links add to the gradient at `place`; nil where they add nothing.
  func joined<Arithmetic: PassArithmetic>(
    _ arithmetic: Arithmetic, _ place: Int, _ gradient: (Int) -> Arithmetic.Quantity?
  ) -> Arithmetic.Quantity? {
    joins[place]?.added(arithmetic, at: place) { gradient(plan.program.layers[$0].input) }
  }
}

extension Program {
  /// Returns the places of the values that a layer reads of others.
  func read(by layer: LayerNodes) -> [Int] {
    layer.nodes.flatMap { nodes[$0].operands }.filter { !layer.nodes.contains($0) }
  }
}

extension LinkJoin {
  /// Returns ρ times the sum, or the product, of the gradients that the sources pass on, which
  /// `gradient` gives by their places among the layers; nil where there are none.
  fileprivate func added<Arithmetic: PassArithmetic>(
    _ arithmetic: Arithmetic, at place: Int, _ gradient: (Int) -> Arithmetic.Quantity?
  ) -> Arithmetic.Quantity? {
    let linked = sources.compactMap(gradient)
    guard let first = linked.first else { return nil }
    let joined = linked.dropFirst().reduce(first) {
      isProduct
        ? arithmetic.product($0, $1, at: place) : arithmetic.sum($0, $1, at: place)
    }
    return arithmetic.scaled(joined, by: weight, at: place)
  }
}

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

  init(
    _ flow: some GradientFlow, _ network: Network<Element>, _ key: PassKey, epoch: Int,
    retention: Retention
  ) {
    var key = key
    key.isSeparate = retention == .everything
    let plain = network.plan(key)
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
    plan = key.watched.isEmpty || isSeparate ? plain : network.plan(key)
  }

  /// Goes forward and backward through the whole program.
  func run<Arithmetic: PassArithmetic>(
    _ execution: inout Execution<Element, Arithmetic>, _ arithmetic: Arithmetic,
    seed: Arithmetic.Quantity
  ) {
    let nodes = plan.program.nodes.indices
    execution.forward(nodes)
    execution.backward(nodes, seed: isSeparate ? seed : nil, keeping: keeping) { place, gradients in
      joined(arithmetic, place) { gradients[$0] }
    }
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

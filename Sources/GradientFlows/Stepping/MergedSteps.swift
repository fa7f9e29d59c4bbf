/// The steps of several flows as one list: steps that write the same value stand together, those that only some
/// flows make are between them.
struct MergedSteps {
  private(set) var steps: [PassStep] = []
  private let flows: Int

  /// No steps yet, of this many flows.
  init(_ flows: Int) { self.flows = flows }

  /// Adds the steps of the flows with the numbers `group`.
  mutating func add(_ others: [PassStep], of group: [Int]) {
    guard !steps.isEmpty, group.count < flows else {
      steps = group.count == flows ? others : others.map { $0.spread(over: flows, from: group) }
      return
    }
    var next = 0
    for step in others {
      let spread = step.spread(over: flows, from: group)
      if let found = steps[next...].firstIndex(where: { $0.isSame(as: step) }) {
        steps[found] = steps[found].joined(with: spread, of: group)
        next = found + 1
      } else {
        steps.insert(spread, at: next)
        next += 1
      }
    }
  }
}

extension PassStep {
  /// The formula of a flow that does not make a step.
  private static var absent: String { "has no such step" }

  /// Whether both make the same value, as the same of several arrivals there.
  fileprivate func isSame(as other: PassStep) -> Bool {
    place == other.place && (arrival?.number ?? 1) == (other.arrival?.number ?? 1)
      && (!place.isEmpty || reads == other.reads)
  }

  /// The step with a formula for each of `count` flows, of which those in `group` make it.
  fileprivate func spread(over count: Int, from group: [Int]) -> PassStep {
    let formulas = (0..<count).map { flow in
      group.firstIndex(of: flow).map { formula(flow: $0) } ?? Self.absent
    }
    return PassStep(
      direction, layer: layer, operation, formulas, reads: reads, writes: writes, arrival: arrival)
  }

  /// The step with the formulas that `other` has for the flows in `group`.
  fileprivate func joined(with other: PassStep, of group: [Int]) -> PassStep {
    let count = max(formulasByFlow.count, other.formulasByFlow.count, 1)
    let formulas = (0..<count).map {
      group.contains($0) ? other.formula(flow: $0) : formula(flow: $0)
    }
    func union(_ names: [String], _ others: [String]) -> [String] {
      others.filter { !names.contains($0) } + names
    }
    return PassStep(
      direction, layer: layer, operation, formulas, reads: union(reads, other.reads),
      writes: union(writes, other.writes), arrival: arrival ?? other.arrival)
  }
}

// A pass through a program: forwards through its groups and operations, then backwards.
//
//         v = f(u₁, u₂, …)                       node by node
//         ūᵢ ← ūᵢ + (∂f/∂uᵢ)ᵀ · v̄                from the last node to the first
//
// Shares that arrive at a value from several readers are added in the order of the readers. A value is let
// go of when it has been read for the last time; a plan made for looking keeps every one with a name.
//
// Source: Griewank and Walther, "Evaluating derivatives" (2008), chapter 3.

import Operations
package import Tensors

/// The values and gradients of one pass.
package struct Execution<Element: Scalar, Arithmetic: PassArithmetic> {
  package typealias Quantity = Arithmetic.Quantity
  /// Returns the term that a flow adds to the gradient at a place, from gradients that stay; nil for none.
  package typealias Joining = (_ place: Int, _ gradients: [Quantity?]) -> Quantity?

  package let plan: PassPlan<Element>
  private let arithmetic: Arithmetic
  /// By place of the node whose memory they are.
  private var values: [Quantity?]
  private var gradients: [Quantity?]
  /// By number of the group, and of the fused norm.
  private var records: [Arithmetic.Record?], normRecords: [Arithmetic.Record?]
  /// By place, what readers contributed to a gradient so far, the last reader's first.
  private var arrivals: [[Quantity]]
  /// Whether a convolution found a NaN or an infinity.
  package private(set) var foundNonFinite = false

  package init(_ plan: PassPlan<Element>, _ arithmetic: Arithmetic) {
    (self.plan, self.arithmetic) = (plan, arithmetic)
    let count = plan.program.nodes.count
    values = Array(repeating: nil, count: count)
    gradients = values
    records = Array(repeating: nil, count: plan.fusion.groups.count)
    normRecords = Array(repeating: nil, count: plan.fusion.norms.count)
    arrivals = Array(repeating: [], count: count)
  }

  private var nodes: [Program<Element>.Node] { plan.program.nodes }

  /// Returns the value at `place`; nil if it was not computed or not kept.
  package func value(at place: Int) -> Quantity? { values[plan.holders[place]] }

  /// Returns the gradient at `place`; nil if it was not computed or not kept.
  package func gradient(at place: Int) -> Quantity? { gradients[place] }

  /// Takes a value that is given.
  package mutating func give(_ value: Quantity, at place: Int) {
    values[plan.holders[place]] = value
  }

  /// Lets go of the value that the node at `place` holds.
  private mutating func release(_ place: Int) {
    values[place] = values[place].flatMap { arithmetic.released($0) }
  }

  /// Lets go of what the nodes in `range` computed, but for the values that the nodes in `kept` hold.
  package mutating func forget(_ range: Range<Int>, but kept: Set<Int>) {
    for place in range
    where plan.holders[place] == place && nodes[place].operation != nil && !kept.contains(place) {
      release(place)
    }
  }

  private func known(_ place: Int) -> Quantity {
    guard let value = value(at: place) else {
      preconditionFailure("\(nodes[place].name ?? nodes[place].word) was not computed.")
    }
    return value
  }

  // MARK: - Forward

  /// Computes the nodes in `range`.
  package mutating func forward(_ range: Range<Int>, keepsRecords: Bool = true) {
    for place in range {
      switch plan.fusion.roles[place] {
      case .first, .inside: continue
      case .alone:
        if nodes[place].operation == nil { continue }
        guard plan.holders[place] == place else { break }
        let result = arithmetic.forward(place, nodes[place].operands.map(known))
        foundNonFinite = foundNonFinite || arithmetic.foundNonFinite(result)
        values[place] = result
      case .loss:
        let operands = nodes[place].operands.map(known)
        guard keepsRecords else {
          values[place] = arithmetic.forward(place, operands)
          break
        }
        let (value, gradient) = arithmetic.loss(place, operands)
        values[place] = value
        arrivals[plan.arrivalPlaces[nodes[place].operands[0]]].append(gradient)
      case .last(let number), .whole(let number):
        let group = plan.fusion.groups[number]
        let (result, record, isNonFinite) = arithmetic.forward(
          group, known(group.x), joining: group.skip.map(known), keepsRecord: keepsRecords)
        foundNonFinite = foundNonFinite || isNonFinite
        values[place] = result
        records[number] = record
      case .rectified(let number):
        let norm = plan.fusion.norms[number]
        (values[place], normRecords[number]) = arithmetic.forward(
          norm, nodes[norm.norm].operands.map(known), keepsRecord: keepsRecords)
      }
      for ended in plan.endsForward[place] { release(ended) }
    }
  }

  // MARK: - Backward

  /// Computes the gradients of all that some nodes read, from that of the last of them.
  ///
  /// - Parameters:
  ///   - range: The places of the nodes.
  ///   - seed: The gradient of the last node in `range`; nil where the loss gave that of the output.
  ///   - keeping: The places whose gradients stay.
  ///   - settlesOthers: Whether the values outside the range get their gradients now; otherwise what
  ///     arrived there waits for the range that they are in.
  ///   - joining: What a flow adds to the gradient at a place, found among the gradients that stay; nil
  ///     where it adds nothing.
  package mutating func backward(
    _ range: Range<Int>, seed: Quantity?, keeping: Set<Int> = [], settlesOthers: Bool = true,
    joining: Joining = { _, _ in nil }
  ) {
    if let seed { arrivals[range.upperBound - 1].append(seed) }
    for place in range.reversed() {
      switch plan.fusion.roles[place] {
      case .inside, .loss: break
      case .alone: pullBack(place, keeping, joining)
      case .last(let number): joinBack(place, plan.fusion.groups[number], number, keeping, joining)
      case .first(let number), .whole(let number):
        convolveBack(place, plan.fusion.groups[number], number, keeping, joining)
      case .rectified(let number): normalizeBack(place, number, keeping, joining)
      }
      for ended in plan.endsBackward[place] { release(ended) }
    }
    guard settlesOthers else { return }
    // Values outside the range have, as gradients, the shares of these nodes alone.
    for place in arrivals.indices where !arrivals[place].isEmpty {
      gradients[place] = settle(place, joining)
    }
  }

  /// The sum of what arrived at a value, with what a flow adds; nil where nothing arrived.
  private mutating func settle(
    _ place: Int, _ joining: Joining
  ) -> Quantity? {
    guard var sum = arrivals[place].popLast() else { return nil }
    while let next = arrivals[place].popLast() { sum = arithmetic.sum(sum, next, at: place) }
    guard let extra = joining(place, gradients) else { return sum }
    return arithmetic.sum(sum, extra, at: place)
  }

  private mutating func pullBack(
    _ place: Int, _ keeping: Set<Int>, _ joining: Joining
  ) {
    guard let gradient = settle(place, joining) else { return }
    let node = nodes[place]
    if plan.isSeparate || node.isTrained || keeping.contains(place) {
      gradients[place] = gradient
    }
    guard node.operation != nil else { return }
    let (operands, result) = (node.operands.map { value(at: $0) }, value(at: place))
    let wanted = wantedOperands(place)
    hand(arithmetic.pullbacks(place, to: wanted, gradient, operands, result), to: wanted, of: place)
    if plan.isSeparate, node.name == nil {
      gradients[place] = nil
      if plan.holders[place] == place { values[place] = nil }
    }
  }

  /// Returns the numbers of the operands of the node at `place` that get a gradient.
  private func wantedOperands(_ place: Int) -> [Int] {
    nodes[place].operands.indices.filter {
      plan.needsGradient[nodes[place].operands[$0]] && nodes[place].hasPullback(to: $0)
    }
  }

  /// Adds to what arrived at operands of the node at `place`.
  private mutating func hand(_ shares: [Quantity], to numbers: [Int], of place: Int) {
    for (number, share) in zip(numbers, shares) {
      arrivals[plan.arrivalPlaces[nodes[place].operands[number]]].append(share)
    }
  }

  /// Goes back through a ReLU and the normalization before it.
  private mutating func normalizeBack(
    _ place: Int, _ number: Int, _ keeping: Set<Int>, _ joining: Joining
  ) {
    guard let gradient = settle(place, joining), let record = normRecords[number] else { return }
    if keeping.contains(place) { gradients[place] = gradient }
    normRecords[number] = nil
    let norm = plan.fusion.norms[number]
    let operands = nodes[norm.norm].operands.map { value(at: $0) }
    let wanted = wantedOperands(norm.norm)
    hand(
      arithmetic.pullbacks(norm, to: wanted, gradient, operands, record), to: wanted, of: norm.norm)
  }

  /// Goes back through the join of a group, to s; the way to the convolution waits for its place.
  private mutating func joinBack(
    _ place: Int, _ group: FusedConvolution, _ number: Int, _ keeping: Set<Int>,
    _ joining: Joining
  ) {
    guard let gradient = settle(place, joining) else { return }
    if keeping.contains(place) { gradients[place] = gradient }
    if let skip = group.skip, plan.needsGradient[skip], var record = records[number] {
      records[number] = nil
      arrivals[plan.arrivalPlaces[skip]].append(
        arithmetic.skipGradient(group, gradient, value(at: skip), &record))
      records[number] = record
    }
    arrivals[group.convolution].append(gradient)
  }

  private mutating func convolveBack(
    _ place: Int, _ group: FusedConvolution, _ number: Int, _ keeping: Set<Int>,
    _ joining: Joining
  ) {
    let isWhole = group.result == place
    guard let gradient = isWhole ? settle(place, joining) : arrivals[place].popLast(),
      let record = records[number]
    else { return }
    if isWhole, keeping.contains(place) { gradients[place] = gradient }
    records[number] = nil
    let s = group.merge?.multiplies ?? false ? group.skip.flatMap { value(at: $0) } : nil
    let needsInput = plan.needsGradient[group.x]
    // One other share is added by the kernel; of several, which are rare, the sum is taken after it.
    let source = plan.arrivalPlaces[group.x]
    let addend = needsInput && arrivals[source].count == 1 ? arrivals[source].popLast() : nil
    let insertion = isWhole ? nil : joining(place, gradients)
    let holder = plan.holders[group.x]
    guard let x = values[holder] else { preconditionFailure("An input was not kept.") }
    if plan.endsBackward[place].contains(holder) { release(holder) }
    let (input, parameters) = arithmetic.backward(
      group, consume gradient, consume x, times: s, consume record, needsInput: needsInput,
      insertion: insertion, adding: addend)
    if let input { arrivals[source].append(input) }
    for (place, gradient) in zip([group.weight] + (group.bias.map { [$0] } ?? []), parameters) {
      gradients[place] = gradient
    }
  }
}

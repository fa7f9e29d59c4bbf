// How a program is run: its groups, whose memory each value takes, and when it is read for the last time.
//
// A plan depends on the lines of the network and on what a flow looks at, not on weights; so it is made
// once and used for every step.

import Operations
import Synchronization
package import Tensors

/// Whether a pass is one of training or one that judges; layers such as batch norm differ.
package enum PassMode: Hashable, Sendable {
  case training
  case judging
}

/// The values that a pass keeps.
package enum Retention: Hashable, Sendable {
  /// Only the result.
  case nothing
  /// The values that the backward pass needs.
  case training
  /// The values that the backward pass needs, and every named value of the layer with this index.
  case layer(Int)
  /// Every value that has a name.
  case everything
}

/// The facts that a plan depends on, beside the network's lines.
package struct PassKey: Hashable, Sendable {
  package var loss: Loss
  package var hasMask: Bool
  package var mode: PassMode
  /// Whether each operation is computed alone and every value with a name is kept.
  package var isSeparate: Bool
  /// Whether a backward pass follows.
  package var goesBack: Bool
  /// The places of values whose gradients a flow reads, or adds to, or that are looked at.
  package var watched: Set<Int>
  /// The places of values that stay to the end.
  package var kept: Set<Int>
  /// The line of the flow that writes the program anew; nil where it stays as the layers lower it.
  package var rewriting: String?
  /// The precision in use, on which the groups depend.
  private let precision = Precision.current

  package init(
    loss: Loss = .meanSquaredError, hasMask: Bool = false, mode: PassMode = .training,
    isSeparate: Bool = false, goesBack: Bool = true, watched: Set<Int> = [], kept: Set<Int> = []
  ) {
    (self.loss, self.hasMask, self.mode) = (loss, hasMask, mode)
    (self.isSeparate, self.goesBack) = (isSeparate, goesBack)
    (self.watched, self.kept) = (watched, kept)
  }
}

/// A program with the order of its work and the ends of its values.
package struct PassPlan<Element: Scalar>: Sendable {
  package var program: Program<Element>
  package let fusion: Fusion
  /// Whether every value with a name is kept, with its gradient.
  let isSeparate: Bool
  /// By place, the node whose memory the value is: of what hands on its operand as it is, that of the
  /// operand.
  package let holders: [Int]
  /// By place, the values that are read for the last time by the node there, forwards and backwards.
  let endsForward: [[Int]], endsBackward: [[Int]]
  /// By place, whether a gradient is computed.
  let needsGradient: [Bool]
  /// By place, the value at which shares of its gradient arrive.
  ///
  /// It is the operand where a node with one reader hands on its operand as it is: so a kernel meets the
  /// other share that it can add.
  let arrivalPlaces: [Int]

  package init(_ program: Program<Element>, _ key: PassKey) {
    self.program = program
    isSeparate = key.isSeparate
    let fusion =
      key.isSeparate
      ? Fusion(separate: program.nodes.count)
      : Fusion(program, watched: key.watched, kept: key.kept)
    self.fusion = fusion
    let holders: [Int] = program.nodes.enumerated().reduce(into: []) { holders, entry in
      // A group writes its result, also one with no activation.
      let isShared =
        fusion.roles[entry.offset] == .alone && entry.element.operation?.sharesResult ?? false
      holders.append(isShared ? holders[entry.element.operands[0]] : entry.offset)
    }
    self.holders = holders
    let readers = program.readers
    arrivalPlaces = program.nodes.enumerated().reduce(into: []) { places, entry in
      let (place, node) = entry
      let passes =
        !key.isSeparate && node.handsOn && readers[place].count == 1
        && !key.watched.contains(place)
      places.append(passes ? places[node.operands[0]] : place)
    }
    var needs = program.nodes.indices.map { key.isSeparate ? program.hasGradient($0) : false }
    if !key.isSeparate {
      for (place, node) in program.nodes.enumerated() {
        needs[place] =
          node.isTrained || key.watched.contains(place)
          || node.operation.map { operation in
            !operation.endsGradient
              && node.operands.indices.contains {
                needs[node.operands[$0]] && operation.hasPullback(to: $0)
              }
          } ?? false
      }
      if key.rewriting != nil {
        let arrives = program.arrives
        needs = zip(needs, arrives).map { $0 && $1 }
      }
    }
    needsGradient = needs
    var forward: [Int: Int] = [:]
    var backward: [Int: Int] = [:]
    for place in program.nodes.indices {
      for read in program.forwardReads(at: place, fusion) { forward[holders[read]] = place }
      forward[holders[place]] = max(forward[holders[place]] ?? place, place)
    }
    if key.goesBack, !key.isSeparate {
      for place in program.nodes.indices.reversed() {
        for read in program.backwardReads(at: place, fusion, needs) {
          backward[holders[read]] = place
        }
      }
    }
    let stays = Set(
      (key.kept.union([program.output, program.loss] + program.bufferUpdates)).map { holders[$0] })
    var (endsForward, endsBackward) = (
      [[Int]](repeating: [], count: program.nodes.count),
      [[Int]](repeating: [], count: program.nodes.count)
    )
    for (holder, last) in forward
    where !key.isSeparate && !stays.contains(holder) && !program.nodes[holder].isParameter
      && !program.nodes[holder].isBuffer && !program.nodes[holder].isOfFlow
    {
      if let first = backward[holder] {
        endsBackward[first].append(holder)
      } else {
        endsForward[last].append(holder)
      }
    }
    (self.endsForward, self.endsBackward) = (endsForward, endsBackward)
  }

  /// Returns the places of the values that the work at `place` reads forwards.
  package func forwardReads(at place: Int) -> [Int] { program.forwardReads(at: place, fusion) }
}

extension Program {
  /// By place, whether a gradient arrives that is not 0 from the start.
  fileprivate var arrives: [Bool] {
    var arrives = nodes.indices.map { $0 == end }
    for place in nodes.indices.reversed()
    where arrives[place] && nodes[place].operation?.endsGradient == false {
      for (number, operand) in nodes[place].operands.enumerated()
      where nodes[place].hasPullback(to: number) { arrives[operand] = true }
    }
    return arrives
  }

  /// Returns the values that the work at `place` reads forwards.
  fileprivate func forwardReads(at place: Int, _ fusion: Fusion) -> [Int] {
    switch fusion.roles[place] {
    case .alone, .loss: nodes[place].operands
    case .first, .inside: []
    case .last(let number), .whole(let number):
      [fusion.groups[number].x] + (fusion.groups[number].skip.map { [$0] } ?? [])
    case .rectified(let number): nodes[fusion.norms[number].norm].operands
    }
  }

  /// Returns the values that the work at `place` reads backwards.
  fileprivate func backwardReads(at place: Int, _ fusion: Fusion, _ needs: [Bool]) -> [Int] {
    switch fusion.roles[place] {
    case .loss, .inside, .last: return []
    case .first(let number), .whole(let number):
      let group = fusion.groups[number]
      guard needs[group.result] else { return [] }
      return [group.x] + (group.merge?.multiplies ?? false ? group.skip.map { [$0] } ?? [] : [])
    case .alone: return pullbackReads(at: place, needs)
    // The derivative of ReLU is in the record or the reader's.
    case .rectified(let number): return pullbackReads(at: fusion.norms[number].norm, needs)
    }
  }

  /// Returns the values that the pullbacks of the operation at `place` read.
  private func pullbackReads(at place: Int, _ needs: [Bool]) -> [Int] {
    let node = nodes[place]
    guard let operation = node.operation, needs[place] else { return [] }
    // The formula of a loss takes what it compares with for granted.
    if operation is Loss { return node.operands }
    return node.operands.indices.filter {
      needs[node.operands[$0]] && operation.hasPullback(to: $0)
    }.flatMap { number -> [Int] in
      let reads = operation.pullbackReads(to: number, operands: node.operands.count)
      return reads.operands.map { node.operands[$0] } + (reads.result ? [place] : [])
    }
  }
}

/// The plans that a network was asked for, as long as its lines stay as they are.
final class PlanCache<Element: Scalar>: Sendable {
  private let plans = Mutex<[PassKey: PassPlan<Element>]>([:])
  private let layerShapes = Mutex<[LayerShapes]?>(nil)
  /// The number of plans that are kept: parts of batches with masks may each have a loss of their own.
  private static var capacity: Int { 64 }

  func plan(_ key: PassKey, _ make: () -> PassPlan<Element>) -> PassPlan<Element> {
    if let known = plans.withLock({ $0[key] }) { return known }
    var plan = make()
    (plan.program.parameters, plan.program.buffers) = ([], [])
    plans.withLock { plans in
      if plans.count >= Self.capacity { plans = [:] }
      plans[key] = plan
    }
    return plan
  }
}

extension PlanCache {
  func layerShapes(_ make: () -> [LayerShapes]) -> [LayerShapes] {
    if let known = layerShapes.withLock({ $0 }) { return known }
    let shapes = make()
    layerShapes.withLock { $0 = shapes }
    return shapes
  }
}

extension Network {
  /// Returns how the pass of a batch is run, with the network's parameters.
  ///
  /// - Parameters:
  ///   - key: The facts that the plan depends on.
  ///   - changing: Writes the program anew; it must do the same for equal keys.
  /// - Returns: The plan.
  package func plan(
    _ key: PassKey, changing: (Program<Element>) -> Program<Element> = { $0 }
  ) -> PassPlan<Element> {
    var plan = plans.plan(key) {
      PassPlan(changing(lowered(loss: key.loss, hasMask: key.hasMask, mode: key.mode)), key)
    }
    (plan.program.parameters, plan.program.buffers) = (parameters, buffers)
    return plan
  }
}

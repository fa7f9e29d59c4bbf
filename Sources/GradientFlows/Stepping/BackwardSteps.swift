// The operations of a backward pass, under one flow or under several at once.
//
// A value's gradient is final when all that read the value have handed their share back. So the pass
// goes from the loss to the input, and into an operation only when its own gradient is final; of two
// ways it takes the first operand's to its end, as far as it goes, before the second's.

import Networks
import Operations
import Tensors

/// Tells the backward pass of a program.
struct BackwardSteps<Element: Scalar> {
  private let program: Program<Element>
  /// By layer: the links that join it, under each of the flows that are walked.
  private let joins: [LayerJoins]
  private var made: [PassStep] = []
  /// By place: how many shares are told of all that arrive there.
  private var told: [Int: Int] = [:]
  /// By place: how many readers have not been gone through.
  private var pending: [Int: Int] = [:]

  /// Tells the operations from the loss to the input.
  ///
  /// - Parameters:
  ///   - program: What the pass computes.
  ///   - joins: By flow and layer, how links join it. A step that one of the flows makes alone changes
  ///     nothing under the others, and its formulas say so.
  /// - Returns: The operations in their order.
  static func steps(of program: Program<Element>, joins: [[LinkJoin?]]) -> [PassStep] {
    var telling = BackwardSteps(program, joins)
    if !program.layers.isEmpty { telling.walk() }
    return telling.made
  }

  private init(_ program: Program<Element>, _ joins: [[LinkJoin?]]) {
    self.program = program
    let names = program.layers.map { layer in
      String(program.nodes[layer.input].name?.prefix { $0 != "." } ?? "")
    }
    self.joins = program.layers.indices.map { layer in
      LayerJoins(names, joins.map { $0[layer] })
    }
  }

  private mutating func walk() {
    let leads = program.leadsToLoss
    for (place, node) in program.nodes.enumerated() where leads[place] {
      for (number, operand) in node.operands.enumerated() where node.hasPullback(to: number) {
        pending[operand, default: 0] += 1
      }
    }
    var next = [program.end]
    while let index = next.popLast() {
      tellLinks(index)
      tell(index)
      let node = program.nodes[index]
      for (number, operand) in node.operands.enumerated().reversed()
      where program.hasGradient(operand) && node.hasPullback(to: number) {
        pending[operand, default: 1] -= 1
        if pending[operand] == 0, operand != program.input { next.append(operand) }
      }
    }
    tellInput()
  }

  // MARK: - An operation

  /// Tells the shares that the operation at `index` hands back.
  private mutating func tell(_ index: Int) {
    let node = program.nodes[index]
    guard let operation = node.operation, let name = node.name, !isHandedDown(index) else { return }
    let isSeed = index == program.end && program.end == program.loss
    var share = Share(reads: isSeed ? [] : [name + ".grad"])
    collect(index, operation, gradient: program.gradientCalled(index), into: &share)
    guard let last = share.targets.last else {
      if operation is Cut { tellCut(node, name) }
      return
    }
    let arrival = program.nodes[last].isTrained ? nil : arrival(at: last)
    if arrival?.number ?? 1 > 1 {
      share.formulas[last] = share.formulas[last]?.replacing(
        " = ", with: " += ", maxReplacements: 1)
    }
    let isFinal = arrival?.isFinal ?? true
    made.append(
      PassStep(
        .backward, layer: index == program.loss ? nil : node.layer,
        node.isAlias ? node.symbol : node.word,
        share.targets.compactMap { share.formulas[$0] }.joined(separator: ", "),
        reads: share.reads,
        writes: share.targets.flatMap { target in
          (target == last && isFinal ? handedDown(target) : [])
            + [(program.nodes[target].name ?? "") + ".grad"]
        }, arrival: arrival))
  }

  /// Tells that a gradient goes no further, since the value below has its gradient from elsewhere.
  private mutating func tellCut(_ node: Program<Element>.Node, _ name: String) {
    let below = node.operands.first.flatMap { program.nodes[$0].name } ?? ""
    made.append(
      PassStep(
        .backward, layer: node.layer, node.word,
        "\(node.symbol).grad goes no further, \(below).grad is another", reads: ["\(name).grad"],
        writes: []))
  }

  /// The shares of an operation, and of those without a name that it reads.
  private struct Share {
    var reads: [String]
    /// The places whose gradients it writes, parameters first: theirs are final at once.
    var targets: [Int] = []
    var formulas: [Int: String] = [:]
  }

  private func collect(
    _ index: Int, _ operation: any Operation, gradient: String, into share: inout Share
  ) {
    let (operands, names) = (program.nodes[index].operands, program.operationNames(index))
    let order =
      operands.indices.filter { program.nodes[operands[$0]].isTrained }
      + operands.indices.filter { !program.nodes[operands[$0]].isTrained }
    for number in order {
      let operand = operands[number]
      // The last step tells all gradients that arrive at the network's input.
      guard program.hasGradient(operand), operand != program.input,
        operation.hasPullback(to: number)
      else { continue }
      let pullback = operation.pullbackFormula(gradient, to: number, names)
      share.reads += readNames(pullback, of: index).filter { !share.reads.contains($0) }
      if program.nodes[operand].name == nil, let inner = program.nodes[operand].operation {
        collect(operand, inner, gradient: pullback.text, into: &share)
      } else {
        share.targets.append(operand)
        share.formulas[operand] = "\(program.targetCalled(operand, by: index)) = \(pullback.text)"
      }
    }
  }

  /// The whole names of what a pullback reads beside the gradient.
  private func readNames(_ pullback: PullbackFormula, of index: Int) -> [String] {
    let node = program.nodes[index]
    let names = program.operationNames(index)
    return pullback.reads.map { read in
      guard let number = names.operands.firstIndex(of: read) else { return node.name ?? read }
      var operand = node.operands[number]
      while program.nodes[operand].name == nil { operand = program.nodes[operand].operands[0] }
      return program.called(operand, at: nil)
    }
  }

  // MARK: - From layer to layer

  /// Whether the gradient of the alias at `index` is that of the value it stands for in the layer
  /// below, which nothing else reads: both are written at once.
  private func isHandedDown(_ index: Int) -> Bool {
    let node = program.nodes[index]
    guard node.isAlias, let source = node.operands.first, source != program.input,
      program.nodes[source].layer != node.layer
    else { return source(of: index) == program.input }
    return readers(of: source) == 1
  }

  private func source(of index: Int) -> Int? {
    program.nodes[index].isAlias ? program.nodes[index].operands.first : nil
  }

  private func readers(of index: Int) -> Int {
    program.nodes.count { node in
      node.operands.indices.contains { node.operands[$0] == index && node.hasPullback(to: $0) }
    }
  }

  /// The gradients in the layer below that are final with the one at `index`; links make one final
  /// later.
  private func handedDown(_ index: Int) -> [String] {
    guard isHandedDown(index), let source = source(of: index), source != program.input,
      links(before: source) == nil
    else { return [] }
    return [(program.nodes[source].name ?? "") + ".grad"]
  }

  // MARK: - Where several meet

  /// Counts a share that arrives at `index`; nil when it is the only one.
  private mutating func arrival(at index: Int) -> PassStep.Arrival? {
    let count = readers(of: index) + (links(behind: index) == nil ? 0 : 1)
    told[index, default: 0] += 1
    return count > 1 ? .init(number: told[index] ?? 1, count: count) : nil
  }

  /// The layer whose output is at `index`, if links are added to what it is fed with.
  private func links(before index: Int) -> Int? {
    program.layers.firstIndex { $0.output == index }.flatMap { joins[$0].areBefore ? $0 : nil }
  }

  /// The layer whose last pre-activation is at `index`, if links are added to its gradient.
  private func links(behind index: Int) -> Int? {
    program.layers.firstIndex { $0.preactivation == index }.flatMap {
      joins[$0].areBehind ? $0 : nil
    }
  }

  private mutating func tellLinks(_ index: Int) {
    if let layer = links(before: index) { made.append(joins[layer].step(before: layer)) }
    if let layer = links(behind: index), let name = program.nodes[index].name {
      made.append(joins[layer].step(behind: "\(name).grad", layer: layer))
    }
  }

  /// Tells the last step: all that arrives at the network's input.
  private mutating func tellInput() {
    let name = program.nodes[program.input].name ?? ""
    let shares = program.inputShares
    made.append(
      PassStep(
        .backward, layer: nil, "input",
        "\(name).grad = \(shares.map(\.text).joined(separator: " + "))",
        reads: shares.flatMap(\.reads), writes: ["\(name).grad"]))
  }
}

extension Program {
  /// The gradients that arrive at the network's input, one of each reader, in letters.
  fileprivate var inputShares: [PullbackFormula] {
    nodes.indices.compactMap { reader in
      let node = nodes[reader]
      guard let operation = node.operation, let number = node.operands.firstIndex(of: input),
        operation.hasPullback(to: number)
      else { return nil }
      let gradient = "\(node.name ?? node.symbol).grad"
      let share = operation.pullbackFormula(gradient, to: number, operationNames(reader))
      return PullbackFormula(share.text, reads: [gradient] + share.reads)
    }
  }
}

/// The links that join one layer, under each of the flows that are walked.
private struct LayerJoins {
  /// The names of the network's layers.
  let names: [String]
  let joins: [LinkJoin?]

  init(_ names: [String], _ joins: [LinkJoin?]) { (self.names, self.joins) = (names, joins) }

  /// Whether links are added to what the layer is fed with.
  var areBefore: Bool { joins.contains { $0?.isBehindDerivative == false } }
  /// Whether links are added to dz of its last convolution.
  var areBehind: Bool { joins.contains { $0?.isBehindDerivative == true } }

  /// The step that adds links to what layer `index` is fed with.
  func step(before index: Int) -> PassStep {
    let (target, from) = ("\(names[index]).out.grad", "\(names[index + 1]).in.grad")
    return PassStep(
      .backward, layer: index, "links",
      formulas(isBehind: false) { "\(target) = \(from)\($0.map { " + \($0)" } ?? "")" },
      reads: [from] + sources(isBehind: false).filter { $0 != from }, writes: [target])
  }

  /// The step that adds links to the gradient called `target`, of a convolution's result.
  func step(behind target: String, layer index: Int) -> PassStep {
    PassStep(
      .backward, layer: index, "links",
      formulas(isBehind: true) { $0.map { "z.grad += \($0)" } ?? "z.grad = z.grad" },
      reads: sources(isBehind: true), writes: [target], arrival: .init(number: 2, count: 2))
  }

  /// A formula for each flow; `letters` is given what the flow adds, nil if it adds nothing there.
  private func formulas(isBehind: Bool, _ letters: (String?) -> String) -> [String] {
    joins.map { join in
      letters(join.flatMap { $0.isBehindDerivative == isBehind ? $0.formula(names) : nil })
    }
  }

  /// The gradients that any of the flows adds, each once.
  private func sources(isBehind: Bool) -> [String] {
    let all = Set(
      joins.compactMap(\.self).filter { $0.isBehindDerivative == isBehind }.flatMap(\.sources))
    return all.sorted(by: >).map { "\(names[$0]).in.grad" }
  }
}

// The groups of a program's nodes that one kernel computes together.
//
// Fusion changes no number: a group gives the bits of its operations one after the other. Training runs
// the fused program; the stepper, `explain` and the tape run each operation alone.
//
// | pattern                           | forward                   | backward                             |
// |-----------------------------------|---------------------------|--------------------------------------|
// | convolution                       | z                         | x̄, w̄, b̄ in one pass over z̄            |
// | convolution, activation           | a, a bit a value for ReLU | z̄ = act′·ā on the way to x̄, w̄, b̄     |
// | convolution, activation, join     | out, while a is at hand   | s̄ first; then z̄ = act′·(G·s), x̄, w̄, b̄|
// | convolution, join                 | out, while z is at hand   | s̄ first; then z̄ = G·s, x̄, w̄, b̄      |
// | norm, ReLU                        | a, while n is at hand     | sums and x̄ read through act′         |
// | ReLU before a convolution         |                           | the reader's kernel applies act′     |
// | other shares of x̄                 |                           | the reader's kernel adds one         |
// | loss                              | loss and its gradient     |                                      |
// | any other operation               | alone                     | alone                                |
//
// A value inside a group has no reader outside of it, and no flow looks at its gradient.

import Operations
package import Tensors

/// A convolution with what follows it: out = join(act(x ∗ w + b), s).
package struct FusedConvolution: Sendable {
  /// The places of z, of a = act(z), and of the join's result; nil for what does not follow.
  package let convolution: Int, activation: Int?, join: Int?
  package let function: Activation
  package let reluNaN: ReLUNaN
  /// nil without a join.
  package let merge: Merge?
  /// The places of the convolution's operands, and of s.
  package let x: Int, weight: Int, bias: Int?, skip: Int?
  /// The place of the kernel that x̄ goes through in place of the weight; nil for the weight.
  package let feedback: Int?
  /// Whether the convolution that reads the result computes the derivative of this group's ReLU.
  package fileprivate(set) var leavesDerivative = false
  /// Whether this group computes the derivative of the ReLU that made x.
  package fileprivate(set) var isInputRectified = false

  /// The place of the group's result.
  package var result: Int { join ?? activation ?? convolution }
}

/// A normalization with the ReLU that alone reads it: a = ReLU(norm(x)).
package struct FusedNorm: Sendable {
  /// The places of n = norm(x) and of a.
  package let norm: Int, activation: Int
  package let reluNaN: ReLUNaN
  /// Whether the convolution that reads the result computes the derivative of the ReLU.
  package fileprivate(set) var leavesDerivative = false
}

/// A program divided into groups of nodes.
package struct Fusion: Sendable {
  /// The part that a node plays.
  package enum Role: Hashable, Sendable {
    /// A node that is computed for itself.
    case alone
    /// A loss, computed together with its gradient.
    case loss
    /// The first, a middle, and the last node of a group: its number among the groups.
    case first(Int)
    case inside
    case last(Int)
    /// The only node of a group.
    case whole(Int)
    /// The ReLU of a normalization: its number among the fused norms.
    case rectified(Int)
  }

  /// By place among the nodes.
  package private(set) var roles: [Role]
  package private(set) var groups: [FusedConvolution] = []
  package private(set) var norms: [FusedNorm] = []

  /// Every operation for itself.
  package init(separate count: Int) { roles = Array(repeating: .alone, count: count) }

  /// Divides a program into the largest groups.
  ///
  /// - Parameters:
  ///   - program: The program.
  ///   - watched: The places of values whose gradients a flow reads or adds to, apart from the results of
  ///     convolutions before their activation.
  ///   - kept: The places of values that are wanted afterwards.
  package init<Element: Scalar>(
    _ program: Program<Element>, watched: Set<Int>, kept: Set<Int> = []
  ) {
    let readers = program.readers
    func soleReader(_ place: Int) -> Int? {
      watched.contains(place) || readers[place].count != 1 ? nil : readers[place][0]
    }
    /// The join that alone reads the value at a place as the one so far, and how it joins; what hands the
    /// value on, as from one layer to the next, may stand between.
    func joinBehind(_ place: Int) -> (place: Int, merge: Merge)? {
      var value = place
      while !kept.contains(value), let reader = soleReader(value) {
        let node = program.nodes[reader]
        if let merge = node.operation as? Merge {
          return merge == .none || node.operands[0] != value ? nil : (reader, merge)
        }
        guard node.handsOn else { return nil }
        value = reader
      }
      return nil
    }
    roles = Array(repeating: .alone, count: program.nodes.count)
    if program.end == program.loss, program.nodes[program.loss].operation is Loss {
      roles[program.loss] = .loss
    }
    for (place, node) in program.nodes.enumerated() {
      let other = node.operation as? OtherKernel
      guard let operation = (other?.base ?? node.operation) as? Convolution2D,
        operation.geometry.isPlain, program.nodes[node.operands[1]].isParameter
      else { continue }
      let operands = other == nil ? node.operands : Array(node.operands.dropLast())
      let activation = readers[place].count == 1 ? readers[place][0] : nil
      let function = activation.flatMap { program.nodes[$0].operation as? Activate }
      let join = joinBehind(function == nil ? place : activation ?? place)
      let group = FusedConvolution(
        convolution: place, activation: function == nil ? nil : activation, join: join?.place,
        function: function?.function ?? .linear, reluNaN: function?.reluNaN ?? .keep,
        merge: join?.merge, x: node.operands[0], weight: node.operands[1],
        bias: operands.count > 2 ? operands[2] : nil,
        skip: join.map { program.nodes[$0.place].operands[1] },
        feedback: other == nil ? nil : node.operands.last)
      groups.append(group)
      let number = groups.count - 1
      let places = [place, group.activation, group.join].compactMap { $0 }
      for inner in places { roles[inner] = .inside }
      roles[place] = .first(number)
      roles[group.result] = places.count == 1 ? .whole(number) : .last(number)
    }
    for (place, node) in program.nodes.enumerated() where node.operation is any ChannelNorm {
      guard let reader = soleReader(place),
        let function = program.nodes[reader].operation as? Activate, function.function == .relu
      else { continue }
      (roles[place], roles[reader]) = (.inside, .rectified(norms.count))
      norms.append(FusedNorm(norm: place, activation: reader, reluNaN: function.reluNaN))
    }
    for number in groups.indices
    where groups[number].function == .relu && groups[number].join == nil {
      groups[number].leavesDerivative = leaveDerivative(
        of: groups[number].result, program, readers, watched)
    }
    for number in norms.indices {
      norms[number].leavesDerivative = leaveDerivative(
        of: norms[number].activation, program, readers, watched)
    }
  }

  /// Leaves the derivative of a ReLU to the convolution that reads its result, where that alone passes a
  /// gradient on to it, with at most one share of another reader added.
  ///
  /// - Parameters:
  ///   - result: The place of the ReLU's result.
  ///   - program: The program.
  ///   - readers: By place, the nodes that read each value.
  ///   - watched: The places of values whose gradients a flow reads or adds to.
  /// - Returns: Whether there is such a convolution.
  private mutating func leaveDerivative<Element: Scalar>(
    of result: Int, _ program: Program<Element>, _ readers: [[Int]], _ watched: Set<Int>
  ) -> Bool {
    var place = result
    while !watched.contains(place), readers[place].count == 1,
      program.nodes[readers[place][0]].handsOn
    { place = readers[place][0] }
    guard !watched.contains(place), (1...2).contains(readers[place].count),
      case let reader = groups.firstIndex(where: { $0.convolution == readers[place][0] }),
      let reader, groups[reader].x == place,
      let weight = program.tensor(at: groups[reader].weight),
      Convolution.goesBackAtOnce(kernelShape: weight.shape, Element.self)
    else { return false }
    groups[reader].isInputRectified = true
    return true
  }
}

extension Program {
  /// By place, the places of the nodes that read each value, in order; a node that reads it twice is
  /// there twice.
  var readers: [[Int]] {
    var readers: [[Int]] = Array(repeating: [], count: nodes.count)
    for (reader, node) in nodes.enumerated() {
      for operand in node.operands { readers[operand].append(reader) }
    }
    return readers
  }
}

extension Operation {
  /// Returns which operands the pullback of operand `index` reads, and whether it reads the result, as its
  /// formula tells.
  func pullbackReads(to index: Int, operands count: Int) -> (operands: [Int], result: Bool) {
    let names = (0..<count).map { "operand \($0)" }
    let reads = pullbackFormula(
      "gradient", to: index,
      OperationNames(operands: names, result: "result", areLetters: true)
    ).reads
    return (names.indices.filter { reads.contains(names[$0]) }, reads.contains("result"))
  }
}

import Networks
import Operations
import Tensors

/// The memory of a pass that computes every operation alone, known before anything is computed.
///
/// It walks through the program as the pass does, with numbers of bytes in place of maps: what an
/// operation hands on as it is takes no memory, and a map without a holder is free. Weights and
/// their gradients are no maps and not counted.
struct PassMemory<Element: Scalar> {
  /// An operation and the shape of what it gives.
  private struct Entry {
    let operation: (any Operation)?
    let operands: [Int]
    let shape: Shape
    let isParameter: Bool
    let hasName: Bool
    /// Whether its gradient is computed.
    var isVariable = true
  }

  private let program: Program<Element>
  private var entries: [Entry] = []
  private var heap = Heap()
  /// The shape of an input, as if it were one image.
  private let batch: Shape

  /// The memory of `program` on images of `pixels` in all.
  init(_ program: Program<Element>, pixels: Int) {
    self.program = program
    batch = [1, 1, 1, pixels]
    for node in program.nodes {
      let shape: Shape
      switch node.given {
      case .parameter(let tensor): shape = tensor.shape
      case .input(let channels): shape = [1, channels, 1, pixels]
      case .target, .mask: shape = [1, 1, 1, pixels]
      case nil:
        let operands = node.operands.map { entries[$0].shape }
        guard let known = try? node.operation?.resultShape(operands) else {
          preconditionFailure("The operations of a layer fit together.")
        }
        shape = known
      }
      entries.append(
        Entry(
          operation: node.operation, operands: node.operands, shape: shape,
          isParameter: node.isParameter, hasName: node.name != nil))
    }
    if let target = program.target { entries[target].isVariable = false }
    if let mask = program.mask { entries[mask].isVariable = false }
  }

  private func bytes(_ shape: Shape) -> Int {
    guard shape.rank == 4 else { return 0 }
    return ConvolutionMemory.map(
      channels: shape.channels, pixels: shape.batch * shape.planeCount, Element.self)
  }

  /// Returns the bytes of the values that the layer in place `index` computes, in elementary operations.
  func values(ofLayer index: Int) -> Int {
    var memory = self
    let places = memory.expand()
    let nodes = program.layers[index].nodes
    let range = places[nodes.lowerBound - 1] + 1...places[nodes.upperBound - 1]
    return range.reduce(0) { sum, entry in
      let entry = memory.entries[entry]
      let isShared = entry.operation?.sharesResult ?? true
      return sum + (isShared ? 0 : bytes(entry.shape))
    }
  }

  // MARK: - On a tape

  /// Returns the most bytes that are alive at once on a tape, which keeps every value; with `keepsAll`,
  /// gradients stay, too.
  func tape(keepsAll: Bool) -> Int {
    var memory = self
    memory.expand()
    memory.entries[program.input].isVariable = keepsAll
    for index in memory.entries.indices {
      let operands = memory.entries[index].operands
      guard !operands.isEmpty else { continue }
      memory.entries[index].isVariable = operands.contains { memory.entries[$0].isVariable }
    }
    return memory.tape(keeping: keepsAll)
  }

  /// Takes elementary operations in place of those that consist of several; returns the place of each
  /// node's result.
  @discardableResult
  private mutating func expand() -> [Int] {
    var (expanded, places): ([Entry], [Int]) = ([], [])
    for entry in entries {
      let operands = entry.operands.map { places[$0] }
      let parts =
        entry.operation?.parts(operands: operands.count, pixels: 1)
        ?? entry.operation.map { operation in
          [OperationPart(operation, operands.indices.map { .operand($0) })]
        } ?? []
      guard !parts.isEmpty else {
        expanded.append(entry)
        places.append(expanded.count - 1)
        continue
      }
      let first = expanded.count
      for (number, part) in parts.enumerated() {
        let sources = part.sources.map { source in
          switch source {
          case .operand(let operand): operands[operand]
          case .part(let part): first + part
          }
        }
        let isLast = number == parts.count - 1
        expanded.append(
          Entry(
            operation: part.operation, operands: sources,
            shape: isLast ? entry.shape : expanded[sources[0]].shape, isParameter: false,
            hasName: isLast && entry.hasName))
      }
      places.append(expanded.count - 1)
    }
    entries = expanded
    return places
  }

  private mutating func tape(keeping keepsAll: Bool) -> Int {
    // A tape holds every value to its end.
    _ = forward()
    var gradients: [Int: Heap.Block] = [entries.count - 1: heap.take(0)]
    for index in entries.indices.reversed() {
      guard let gradient = gradients[index], let operation = entries[index].operation,
        entries[index].isVariable
      else { continue }
      for (number, operand) in entries[index].operands.enumerated()
      where entries[operand].isVariable && !entries[operand].isParameter {
        let arrival = pull(gradient, operation, index, number)
        if let known = gradients[operand] {
          gradients[operand] = heap.take(bytes(entries[operand].shape))
          heap.release(known)
          heap.release(arrival)
        } else {
          gradients[operand] = arrival
        }
      }
      if !keepsAll {
        gradients[index] = nil
        heap.release(gradient)
      }
    }
    return heap.peak
  }

  // MARK: - One operation after the other

  /// The most bytes that are alive at once when every value and gradient with a name is kept; `joins`
  /// tells how links join each layer.
  func plain(joins: [LinkJoin?]) -> Int {
    var memory = self
    let targets = Dictionary(
      uniqueKeysWithValues: zip(program.layers, joins).compactMap { layer, join in
        join.map { ($0.isBehindDerivative ? layer.preactivation : layer.output, $0) }
      })
    return memory.plain(entries.indices, targets: targets)
  }

  /// The same of the layer in place `index` alone.
  func plain(layer index: Int) -> Int {
    var memory = self
    return memory.plain(program.layers[index].nodes, targets: [:])
  }

  private mutating func plain(_ range: Range<Int>, targets: [Int: LinkJoin]) -> Int {
    var values = forward(range)
    var arrivals: [Int: [Heap.Block]] = [range.upperBound - 1: [heap.take(0)]]
    for index in range.reversed() {
      guard let arrived = arrivals.removeValue(forKey: index) else { continue }
      let gradient = settle(index, arrived, targets[index])
      guard let operation = entries[index].operation else { continue }
      for (number, operand) in entries[index].operands.enumerated()
      where entries[operand].isVariable && !entries[operand].isParameter {
        arrivals[operand, default: []].append(pull(gradient, operation, index, number))
      }
      if !entries[index].hasName {
        heap.release(gradient)
        if let value = values.removeValue(forKey: index) { heap.release(value) }
      }
    }
    for (index, arrived) in arrivals { _ = settle(index, arrived, targets[index]) }
    return heap.peak
  }

  /// The sum of what arrived at a value, with what links add.
  private mutating func settle(
    _ index: Int, _ arrived: [Heap.Block], _ join: LinkJoin?
  ) -> Heap.Block {
    let size = bytes(entries[index].shape)
    var sum = arrived[0]
    func add(_ other: Heap.Block) {
      let both = heap.take(size)
      heap.release(sum)
      heap.release(other)
      sum = both
    }
    for other in arrived.dropFirst() { add(other) }
    guard let join else { return sum }
    // Partial sums or products of the links, then the scaled one.
    var joined: Heap.Block?
    for _ in join.sources.dropFirst() {
      let next = heap.take(size)
      if let joined { heap.release(joined) }
      joined = next
    }
    let scaled = heap.take(size)
    if let joined { heap.release(joined) }
    add(scaled)
    return sum
  }

  // MARK: - Both

  /// Takes the memory of the values in `range`, by default all; returns them by place.
  private mutating func forward(_ range: Range<Int>? = nil) -> [Int: Heap.Block] {
    var values: [Int: Heap.Block] = [:]
    let range = range ?? entries.indices
    // Input, target and mask as tensors, beside the maps.
    _ = heap.take(3 * bytes(batch))
    for index in range {
      let entry = entries[index]
      if entry.isParameter { continue }
      if let operation = entry.operation, operation.sharesResult,
        let shared = values[entry.operands[0]]
      {
        values[index] = heap.share(shared)
      } else {
        values[index] = heap.take(bytes(entry.shape))
      }
    }
    return values
  }

  /// Takes the memory of what operand number `number` of the entry at `index` gets of `gradient`.
  private mutating func pull(
    _ gradient: Heap.Block, _ operation: any Operation, _ index: Int, _ number: Int
  ) -> Heap.Block {
    if operation.sharesGradient(to: number) { return heap.share(gradient) }
    let operand = entries[entries[index].operands[number]]
    // To the one channel that serves all, an element-wise operation hands all channels.
    let shape = operand.operation is Broadcast ? entries[index].shape : operand.shape
    return heap.take(bytes(shape))
  }
}

/// Blocks of memory that several may hold.
private struct Heap {
  struct Block: Hashable { let number: Int }

  private var blocks: [(bytes: Int, holders: Int)] = []
  private var used = 0
  private(set) var peak = 0

  mutating func take(_ bytes: Int) -> Block {
    blocks.append((bytes, 1))
    used += bytes
    peak = max(peak, used)
    return Block(number: blocks.count - 1)
  }

  mutating func share(_ block: Block) -> Block {
    blocks[block.number].holders += 1
    return block
  }

  mutating func release(_ block: Block) {
    blocks[block.number].holders -= 1
    if blocks[block.number].holders == 0 { used -= blocks[block.number].bytes }
  }
}

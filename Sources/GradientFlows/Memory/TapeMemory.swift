import Networks
import Operations
import Tensors

/// The memory of a pass on a tape, which keeps every value, known before anything is computed.
///
/// It walks through the elementary operations as the tape does, with numbers of bytes in place of maps.
/// Weights and their gradients are no maps and not counted.
struct TapeMemory<Element: Scalar> {
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
  private let heap = Heap()

  /// The memory of `program` on a batch of images.
  init(_ program: Program<Element>, _ size: BatchSize) {
    self.program = program
    let shapes = program.shapes(size)
    entries = zip(program.nodes, shapes).map { node, shape in
      Entry(
        operation: node.operation, operands: node.operands, shape: shape,
        isParameter: node.isParameter || node.isBuffer, hasName: node.name != nil)
    }
    if let target = program.target { entries[target].isVariable = false }
    if let mask = program.mask { entries[mask].isVariable = false }
  }

  private func bytes(_ shape: Shape) -> Int { shape.mapBytes(Element.self) }

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

  /// Returns the most bytes that are alive at once on a tape, which keeps every value; with `keepsAll`,
  /// gradients stay, too.
  func peak(keepsAll: Bool) -> Int {
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
        let shape = try? part.operation.resultShape(sources.map { expanded[$0].shape })
        expanded.append(
          Entry(
            operation: part.operation, operands: sources,
            shape: isLast ? entry.shape : shape ?? expanded[sources[0]].shape, isParameter: false,
            hasName: isLast && entry.hasName))
      }
      places.append(expanded.count - 1)
    }
    entries = expanded
    return places
  }

  private mutating func tape(keeping keepsAll: Bool) -> Int {
    // A tape holds every value to its end.
    let values = forward()
    var gradients: [Int: Heap.Block] = [entries.count - 1: heap.take(0)]
    for index in entries.indices.reversed() {
      guard let gradient = gradients[index], let operation = entries[index].operation,
        entries[index].isVariable
      else { continue }
      for (number, operand) in entries[index].operands.enumerated()
      where entries[operand].isVariable && !entries[operand].isParameter {
        let arrival = pull(gradient, operation, index, number)
        if let known = gradients[operand] {
          gradients[operand] = withExtendedLifetime((known, arrival)) {
            heap.take(bytes(entries[operand].shape))
          }
        } else {
          gradients[operand] = arrival
        }
      }
      if !keepsAll { gradients[index] = nil }
    }
    return withExtendedLifetime(values) { heap.peak }
  }

  /// Takes the memory of all values; returns them by place.
  private func forward() -> [Int: Heap.Block] {
    var values: [Int: Heap.Block] = [:]
    for (index, entry) in entries.enumerated() where !entry.isParameter {
      if let operation = entry.operation, operation.sharesResult,
        let shared = values[entry.operands[0]]
      {
        values[index] = shared
      } else {
        // Input, target and mask are tensors beside their maps.
        values[index] = withExtendedLifetime(scratch(index)) {
          heap.take((entry.operation == nil ? 2 : 1) * bytes(entry.shape))
        }
      }
    }
    return values
  }

  /// Takes what the operation of the entry at `index` needs for a while.
  private func scratch(_ index: Int) -> Heap.Block {
    let entry = entries[index]
    return heap.take(
      entry.operation?.scratchBytes(entry.operands.map { entries[$0].shape }, Element.self) ?? 0)
  }

  /// Takes the memory of what operand number `number` of the entry at `index` gets of `gradient`.
  private func pull(
    _ gradient: Heap.Block, _ operation: any Operation, _ index: Int, _ number: Int
  ) -> Heap.Block {
    if operation.sharesGradient(to: number) { return gradient }
    let operand = entries[entries[index].operands[number]]
    // To the one channel that serves all, an element-wise operation hands all channels.
    let shape = operand.operation is Broadcast ? entries[index].shape : operand.shape
    return withExtendedLifetime(scratch(index)) { heap.take(bytes(shape)) }
  }
}

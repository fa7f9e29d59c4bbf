/// A tensor as a command left it, with all its numbers.
package struct TracedTensor: Sendable {
  package let name: String
  package let shape: [Int]
  package let scalars: [Float]

  package init(name: String, shape: [Int], scalars: [Float]) {
    (self.name, self.shape, self.scalars) = (name, shape, scalars)
  }
}

/// What one command changed.
package struct Trace: Sendable {
  /// The tensors that are others than before the command, or new.
  package var tensors: [TracedTensor] = []
  /// The steps of its training.
  package var steps: StepLog?
  /// Whether it multiplied matrices by BLAS, whose kernels differ by CPU.
  package var usedBLAS = false

  package init() {}
}

/// What a ledger keeps of one command.
package struct LedgerEntry: Hashable, Sendable, Codable {
  /// The number of the command within its session, from 1.
  package let number: Int
  /// The command as the session holds it.
  package let command: String
  package let tensors: [TensorRecord]
  package let steps: StepLog?

  /// How many elements of a command's tensors are kept as they are, small tensors first in line.
  private static let wholeElements = 4096

  /// The entry of a command; tensors whose SHA-256 is `known` already are left out.
  init(number: Int, command: String, _ trace: Trace, known: [String: String]) {
    (self.number, self.command, steps) = (number, command, trace.steps)
    var left = Self.wholeElements
    tensors = trace.tensors.compactMap { tensor in
      let isWhole = tensor.scalars.count <= left
      let record = TensorRecord(
        name: tensor.name, shape: tensor.shape, scalars: tensor.scalars, isWhole: isWhole)
      guard known[tensor.name] != record.sha256 else { return nil }
      if isWhole { left -= tensor.scalars.count }
      return record
    }
  }

  private init(_ entry: LedgerEntry, number: Int) {
    (self.number, command, tensors, steps) = (number, entry.command, entry.tensors, entry.steps)
  }

  /// The same entry under another number.
  func numbered(_ number: Int) -> LedgerEntry { LedgerEntry(self, number: number) }

  /// Where what a command left here differs from what the ledger holds of it.
  ///
  /// - Parameters:
  ///   - trace: What the command left.
  ///   - entry: What a ledger of this run keeps of it.
  /// - Returns: The first difference, or nil.
  package func parting(from trace: Trace, _ entry: LedgerEntry?) -> Parting? {
    let step = trace.steps.flatMap { steps?.parting(from: $0) }
    let found = Dictionary(trace.tensors.map { ($0.name, $0) }) { $1 }
    for record in tensors {
      guard let tensor = found[record.name] else {
        return Parting(self, step, tensor: record.name, shape: record.shape, nil)
      }
      if let difference = record.difference(from: tensor.scalars, shape: tensor.shape) {
        return Parting(self, step, tensor: record.name, shape: record.shape, difference)
      }
    }
    let known = Set(tensors.map(\.name))
    if let surplus = entry?.tensors.first(where: { !known.contains($0.name) }) {
      return Parting(self, step, tensor: surplus.name, shape: surplus.shape, nil)
    }
    return step.map { Parting(self, $0, tensor: $0.tensor, shape: [], nil) }
  }
}

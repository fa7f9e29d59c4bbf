import Fingerprints

/// A tensor as a command left it, with all its numbers and their hash.
package struct TracedTensor: Sendable {
  package let name: String
  package let shape: [Int]
  package let scalars: [Float]
  /// The SHA-256 of the float32 bytes, computed once for all ledgers that keep or compare the tensor.
  let sha256: String

  /// Takes a tensor; `sha256` is the SHA-256 of `scalars` where it is known already.
  package init(name: String, shape: [Int], scalars: [Float], sha256: String? = nil) {
    (self.name, self.shape, self.scalars) = (name, shape, scalars)
    self.sha256 = sha256 ?? SHA256Digest(of: scalars).description
  }
}

/// The changes that one command made.
package struct Trace: Sendable {
  /// The tensors that the command changed or made.
  package var tensors: [TracedTensor] = []
  /// The steps of its training; nil without one.
  package var steps: StepLog?
  /// Whether it multiplied matrices by BLAS, whose kernels differ by CPU.
  package var usedBLAS = false

  package init() {}
}

/// The entry of a ledger for one command.
package struct LedgerEntry: Hashable, Sendable, Codable {
  /// The number of the command within its session, from 1.
  package let number: Int
  /// The text of the command in the session.
  package let command: String
  package let tensors: [TensorRecord]
  package let steps: StepLog?

  /// The number of a command's elements that are kept with their values, small tensors first.
  private static let wholeElements = 4096

  /// Makes the entry of a command with all tensors that it changed.
  init(number: Int, command: String, _ trace: Trace) {
    (self.number, self.command, steps) = (number, command, trace.steps)
    // More than a ledger keeps, since another one may know other tensors already.
    var left = 4 * Self.wholeElements
    tensors = trace.tensors.map { tensor in
      let isWhole = tensor.scalars.count <= min(left, Self.wholeElements)
      if isWhole { left -= tensor.scalars.count }
      return TensorRecord(tensor, isWhole: isWhole)
    }
  }

  /// The entry under a number, as it stands in a ledger: without tensors whose SHA-256 is `known` already.
  func written(_ number: Int, known: [String: String]) -> LedgerEntry {
    var left = Self.wholeElements
    let tensors = tensors.compactMap { tensor -> TensorRecord? in
      guard known[tensor.name] != tensor.sha256 else { return nil }
      guard tensor.count <= left else { return tensor.reduced }
      left -= tensor.count
      return tensor
    }
    return LedgerEntry(self, number: number, tensors)
  }

  private init(_ entry: LedgerEntry, number: Int, _ tensors: [TensorRecord]) {
    (self.number, command, self.tensors, steps) = (number, entry.command, tensors, entry.steps)
  }

  /// The same entry under another number.
  func numbered(_ number: Int) -> LedgerEntry { LedgerEntry(self, number: number, tensors) }

  /// Finds the first difference between the changes of a command here and in the ledger.
  ///
  /// - Parameters:
  ///   - trace: The changes that the command made here.
  ///   - entry: The entry of a ledger of this run.
  /// - Returns: The first difference, or nil.
  package func parting(from trace: Trace, _ entry: LedgerEntry?) -> Parting? {
    let step = trace.steps.flatMap { steps?.parting(from: $0) }
    let found = Dictionary(trace.tensors.map { ($0.name, $0) }) { $1 }
    for record in tensors {
      guard let tensor = found[record.name] else {
        return Parting(self, step, tensor: record.name, shape: record.shape, nil)
      }
      if let difference = record.difference(from: tensor) {
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

import Fingerprints
import Foundation

/// A log of a training: the loss and a short hash of every tensor after each step, or after every
/// second, fourth… when there are many.
package struct StepLog: Hashable, Sendable, Codable {
  /// A step: its loss, and eight bytes of the SHA-256 of each tensor.
  struct Step: Hashable, Sendable, Codable {
    let number: Int
    let loss: UInt64
    let hashes: Data
  }

  /// The tensors, in the order of the hashes.
  package let names: [String]
  private(set) var steps: [Step] = []
  /// The distance between steps that are kept.
  private var interval = 1

  /// The largest number of bytes for the hashes of one training.
  private static let limit = 16 << 10
  private static let hashSize = 8

  package init(names: [String]) { self.names = names }

  /// Whether a step is to be kept; checked before its tensors are hashed.
  package func wants(_ step: Int) -> Bool { step % interval == 0 || step == 1 }

  /// Adds a step.
  package mutating func add(_ step: Int, loss: Double, tensors: [[Float]]) {
    let hashes = tensors.flatMap { SHA256Digest(of: $0).bytes.prefix(Self.hashSize) }
    steps.append(Step(number: step, loss: loss.bitPattern, hashes: Data(hashes)))
    while steps.count > 2, steps.count * (names.count + 1) * Self.hashSize > Self.limit {
      interval *= 2
      steps = steps.filter { wants($0.number) }
    }
  }

  /// The first difference between two trainings.
  package struct Parting: Hashable, Sendable {
    /// The first step known to differ, and the last one known to agree before it.
    package let step: Int, lastEqual: Int
    /// The first tensor that differs in the step; `loss` if the loss differs already.
    package let tensor: String
    /// The losses of the step.
    package let recordedLoss: Double, foundLoss: Double
  }

  /// The first step in both logs that differs; nil if none does.
  package func parting(from found: StepLog) -> Parting? {
    guard names == found.names else { return nil }
    let others = Dictionary(found.steps.map { ($0.number, $0) }) { $1 }
    var lastEqual = 0
    for step in steps {
      guard let other = others[step.number] else { continue }
      guard step != other else {
        lastEqual = step.number
        continue
      }
      let size = Self.hashSize
      let tensor = names.indices.first { index in
        let range = index * size..<(index + 1) * size
        return step.hashes.dropFirst(range.lowerBound).prefix(size)
          != other.hashes.dropFirst(range.lowerBound).prefix(size)
      }
      return Parting(
        step: step.number, lastEqual: lastEqual,
        tensor: step.loss != other.loss ? "loss" : tensor.map { names[$0] } ?? "loss",
        recordedLoss: Double(bitPattern: step.loss), foundLoss: Double(bitPattern: other.loss))
    }
    return nil
  }
}

/// Where a training stands, beside the numbers of its tensors.
///
/// Random numbers are functions of seed, stream and index, so the counts of updates and epochs are
/// all that is left of the streams; what an epoch has still to visit is kept as it was drawn.
package struct TrainingPosition: Hashable, Sendable, Codable {
  /// Updates made and epochs begun.
  package let step: Int, epoch: Int
  let span: ScheduleSpan
  let pending: [BatchPlan]
  let firstNonFinite: NonFiniteError?

  /// Where `trainer` stands.
  package init(_ trainer: Trainer) {
    (step, epoch) = (trainer.step, trainer.epoch)
    (span, pending) = (trainer.span, trainer.pending)
    firstNonFinite = trainer.firstNonFinite
  }

  /// Whether a training of `slices` slices of `height`×`width` can stand there, wherever the numbers
  /// come from.
  ///
  /// - Parameters:
  ///   - slices: How many slices there are.
  ///   - height: Rows of a slice.
  ///   - width: Columns of a slice.
  ///   - patch: The side of the patches, if it trains on patches.
  /// - Returns: Whether all numbers are possible.
  package func fits(slices: Int, height: Int, width: Int, patch: Int?) -> Bool {
    let counts = 0...1_000_000_000_000
    let (rows, columns) = (height - (patch ?? height), width - (patch ?? width))
    guard counts.contains(step), counts.contains(epoch),
      counts.contains(span.firstUpdate), counts.contains(span.firstEpoch),
      span.horizon >= 1, counts.contains(span.horizon)
    else { return false }
    return pending.allSatisfy { plan in
      !plan.patches.isEmpty
        && plan.patches.allSatisfy {
          (0..<slices).contains($0.slice) && $0.row >= 0 && $0.row <= rows
            && $0.column >= 0 && $0.column <= columns
        }
    }
  }
}

extension TrainingOptions {
  /// Whether a `train` line could say so, wherever the numbers come from.
  package var isConsistent: Bool {
    let counts = 1...1_000_000_000
    let horizon =
      switch horizon {
      case .updates(let count)?, .epochs(let count)?: count
      case nil: 1
      }
    return counts.contains(epochs) && counts.contains(steps ?? 1) && counts.contains(horizon)
      && (1...4096).contains(batch) && (1...4096).contains(patch ?? 1)
  }
}

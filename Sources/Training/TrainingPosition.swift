/// The position of a training: everything but the numbers of its tensors.
///
/// Random numbers are functions of seed, stream and index, so the counts of updates and epochs are
/// the only state of the streams; the remaining batches of an epoch are kept as drawn.
package struct TrainingPosition: Hashable, Sendable, Codable {
  /// The numbers of updates made and epochs begun.
  package let step: Int, epoch: Int
  let span: ScheduleSpan
  let pending: [BatchPlan]
  let firstNonFinite: NonFiniteError?

  /// The position of `trainer`.
  package init(_ trainer: Trainer) {
    (step, epoch) = (trainer.step, trainer.epoch)
    (span, pending) = (trainer.span, trainer.pending)
    firstNonFinite = trainer.firstNonFinite
  }

  /// Checks whether the position, which may come from a damaged file, is possible for these slices.
  ///
  /// - Parameters:
  ///   - slices: The number of slices.
  ///   - height: Rows of a slice.
  ///   - width: Columns of a slice.
  ///   - patch: The side of the patches; nil for whole slices.
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
  /// Whether the options, which may come from a damaged file, could be those of a `train` line.
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

package import Tensors

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
  /// The validation losses of the training; nil if none was taken.
  private let judged: Judged?

  private struct Judged: Hashable, Codable {
    /// The lowest loss, and where it was; nil where none was finite.
    let best: Best?
    /// Nil for a loss that is not finite.
    let lastLoss: Double?
    let epochsSinceBest: Int

    struct Best: Hashable, Codable {
      let loss: Double
      let step: Int, epoch: Int
    }

    init?(_ kept: KeptStates) {
      guard let loss = kept.lastLoss else { return nil }
      best = kept.best.map { Best(loss: $0.loss, step: $0.step, epoch: $0.epoch) }
      lastLoss = loss.isFinite ? loss : nil
      epochsSinceBest = kept.epochsSinceBest
    }
  }

  /// The position of `trainer`.
  package init(_ trainer: Trainer) {
    (step, epoch) = (trainer.step, trainer.epoch)
    (span, pending) = (trainer.span, trainer.pending)
    firstNonFinite = trainer.firstNonFinite
    judged = Judged(trainer.kept)
  }

  /// Whether a state with the lowest validation loss belongs to the position.
  package var hasBest: Bool { judged?.best != nil }

  /// The states that the training kept, from those of a file.
  package func kept(best: [Tensor<Float>]?, average: [Tensor<Float>]?) -> KeptStates {
    KeptStates(
      best: judged?.best.flatMap { known in
        best.map {
          BestState(loss: known.loss, step: known.step, epoch: known.epoch, state: $0)
        }
      }, average: average, lastLoss: judged.map { $0.lastLoss ?? .nan },
      epochsSinceBest: judged?.epochsSinceBest ?? 0)
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
    if let judged {
      guard judged.best?.loss.isFinite ?? true, counts.contains(judged.best?.step ?? 0),
        counts.contains(judged.best?.epoch ?? 0), counts.contains(judged.epochsSinceBest)
      else { return false }
    }
    let isSquare = patch != nil || height == width
    return pending.allSatisfy { plan in
      !plan.patches.isEmpty
        && plan.patches.allSatisfy {
          (0..<slices).contains($0.slice) && $0.row >= 0 && $0.row <= rows
            && $0.column >= 0 && $0.column <= columns
            && ($0.turn?.isPossible(inSquare: isSquare) ?? true)
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
      && (1...4096).contains(accumulation) && counts.contains(patience ?? 1)
      && (0..<1).contains(averageDecay ?? 0)
  }
}

import Tensors

/// The change of the learning rate from update to update.
///
/// With lr the optimizer's rate, t the number of the update (from 0), e of the epoch (from 0), and
/// T the horizon, the updates that the schedule spans:
///
///     constant    lr
///     step        lr·factor^⌊e/every⌋
///     cosine      final + (lr − final)·(1 + cos(π·t/T))/2
///     one-cycle   from initial up to lr in `rise`·T − 1 updates, then down to final at T − 1,
///                 both along half a cosine
///     warm-up     initial + (lr − initial)·min(t/n, 1), n the updates of the rise
///
/// Beyond the horizon the last rate stays.
/// Sources: Loshchilov and Hutter, "SGDR: stochastic gradient descent with warm restarts" (2017);
/// Smith and Topin, "Super-convergence" (2018); in the form of `torch.optim.lr_scheduler`.
package enum LearningRateSchedule: Hashable, Sendable {
  case constant
  case step(every: Int, factor: Double)
  case cosine(final: Double)
  case oneCycle(initial: Double, final: Double, rise: Rise)
  case warmUp(initial: Double, rise: Rise)

  /// The length of the rise of the rate.
  package enum Rise: Hashable, Sendable {
    /// A fraction of the horizon, 0 to 1.
    case part(Double)
    /// A number of updates.
    case updates(Int)

    /// The length in updates, for a horizon.
    func updates(of horizon: Int) -> Double {
      switch self {
      case .part(let part): part * Double(horizon)
      case .updates(let count): Double(min(count, horizon))
      }
    }

    /// The text in a command line: a number below 1 is a fraction.
    var text: String {
      switch self {
      case .part(let part): part < 1 ? "\(part)" : "100%"
      case .updates(let count): "\(count)"
      }
    }
  }

  /// The words of a command line; nil if the rate does not change.
  package var words: String? {
    switch self {
    case .constant: nil
    case .step(let every, let factor):
      "schedule=step decay-every=\(every) decay-factor=\(factor)"
    case .cosine(let final): "schedule=cosine final-lr=\(final)"
    case .oneCycle(let initial, let final, let rise):
      "schedule=one-cycle initial-lr=\(initial) final-lr=\(final) warmup=\(rise.text)"
    case .warmUp(let initial, let rise):
      "schedule=warm-up initial-lr=\(initial) warmup=\(rise.text)"
    }
  }

  /// Whether the schedule has rates of its own above `limit`, or multiplies the rate by more than 1.
  package func exceeds(_ limit: Double) -> Bool {
    switch self {
    case .constant: false
    case .step(_, let factor): factor > 1
    case .cosine(let final): final > limit
    case .oneCycle(let initial, let final, _): max(initial, final) > limit
    case .warmUp(let initial, _): initial > limit
    }
  }

  /// Computes the rate of an update.
  ///
  /// - Parameters:
  ///   - base: The optimizer's rate, lr.
  ///   - update: The number of the update within the schedule, from 0.
  ///   - epoch: The number of its epoch within the schedule, from 0.
  ///   - horizon: The updates that the schedule spans, at least 1.
  /// - Returns: The learning rate.
  package func rate(base: Double, update: Int, epoch: Int, horizon: Int) -> Double {
    switch self {
    case .constant:
      return base
    case .step(let every, let factor):
      return base * ReproducibleMath.power(factor, epoch / every)
    case .cosine(let final):
      return Self.between(base, final, at: Double(min(update, horizon)) / Double(horizon))
    case .oneCycle(let initial, let final, let rise):
      let place = Double(min(update, horizon - 1))
      let (top, end) = (rise.updates(of: horizon) - 1, Double(horizon - 1))
      if top > 0, place <= top { return Self.between(initial, base, at: place / top) }
      return Self.between(base, final, at: end > top ? (place - top) / (end - top) : 0)
    case .warmUp(let initial, let rise):
      let length = rise.updates(of: horizon)
      return initial + (base - initial) * (length > 0 ? min(Double(update) / length, 1) : 1)
    }
  }

  /// The value at `place`, 0 to 1, of half a cosine from `start` to `end`.
  private static func between(_ start: Double, _ end: Double, at place: Double) -> Double {
    end + (start - end) / 2 * (1 + ReproducibleMath.sineAndCosine(turns: place / 2).cosine)
  }
}

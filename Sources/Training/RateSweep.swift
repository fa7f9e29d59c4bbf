package import GradientFlows
package import Networks
import Tensors

/// The loss at rising learning rates, of a copy of a network that makes one update at each.
///
///     rate of update i of n    from·(to/from)^(i/(n − 1)), i from 0
///     smoothed loss            Σⱼ 0.98^(i−j)·lossⱼ / Σⱼ 0.98^(i−j), over the updates j ≤ i
///
/// The loss at a rate is that of the batch before its update, so it shows what the rates below did. The
/// sweep ends where the smoothed loss is four times its lowest, or a NaN or an infinity arises. A rate
/// where the loss falls fast is a good one to train with; at the lowest loss it is too high already.
/// Source: Smith, "Cyclical learning rates for training neural networks" (2017); smoothing and end as
/// fastai has them.
package struct RateSweep: Sendable {
  /// An update of the sweep.
  package struct Point: Hashable, Sendable {
    package let rate: Double
    /// The loss of the batch, and the smoothed loss.
    package let loss: Double, smooth: Double
  }

  /// The updates in order, up to the one that ended the sweep.
  package private(set) var points: [Point] = []
  private var sums = (loss: 0.0, weight: 0.0)

  private static let memory = 0.98
  private static let limit = 4.0

  /// Makes the updates.
  ///
  /// - Parameters:
  ///   - network: The network that is copied.
  ///   - optimizer: The optimizer, whose learning rate and schedule do not count.
  ///   - data: The images.
  ///   - slices: The slices to train on.
  ///   - loss: The function to minimize.
  ///   - flow: The flow of the gradients.
  ///   - options: The batches; `steps` is the number of updates.
  ///   - rates: The first and the last rate, above 0.
  ///   - shouldStop: Called from several threads; once it returns true, the rest is left out.
  ///   - progress: Called after each update with its point.
  package init(
    _ network: Network<Float>, optimizer: OptimizerSetting, on data: TrainingData, slices: [Int],
    loss: Loss, flow: some GradientFlow, options: TrainingOptions, rates: ClosedRange<Double>,
    shouldStop: @escaping @Sendable () -> Bool, progress: (Point) -> Void
  ) {
    var setting = optimizer
    setting.schedule = .constant
    var (trainer, single) = (Trainer(network, optimizer: setting), options)
    let updates = options.steps ?? options.batches(of: slices.count) * options.epochs
    single.steps = 1
    for update in 0..<updates {
      let part = updates > 1 ? Double(update) / Double(updates - 1) : 0
      let rate =
        rates.lowerBound * ReproducibleMath.power(rates.upperBound / rates.lowerBound, part)
      trainer.optimizer.rule.learningRate = rate
      let report = trainer.train(
        on: data, slices: slices, loss: loss, flow: flow, options: single, resumes: update > 0,
        clock: { 0 }, shouldDrop: shouldStop
      ) { _ in nil }
      guard report.steps == 1, add(report.loss, at: rate) else { return }
      progress(points[points.count - 1])
    }
  }

  /// Adds an update; returns whether the sweep goes on.
  private mutating func add(_ loss: Double, at rate: Double) -> Bool {
    sums = (Self.memory * sums.loss + loss, Self.memory * sums.weight + 1)
    let smooth = sums.loss / sums.weight
    points.append(Point(rate: rate, loss: loss, smooth: smooth))
    return smooth <= Self.limit * (lowest?.smooth ?? smooth)
  }

  /// The update with the lowest smoothed loss; nil without any.
  package var lowest: Point? { points.min { $0.smooth < $1.smooth } }

  /// The update where the smoothed loss falls fastest by decade of the rate, before its lowest; nil where
  /// it never falls.
  package var steepest: Point? {
    guard let lowest, let end = points.firstIndex(of: lowest), end > 1 else { return nil }
    let inner = 1..<end
    guard let best = inner.min(by: { fall($0) > fall($1) }), fall(best) > 0 else { return nil }
    return points[best]
  }

  /// How much the smoothed loss falls around a point; rates are evenly spaced by decade.
  private func fall(_ index: Int) -> Double {
    points[index - 1].smooth - points[index + 1].smooth
  }
}

import Foundation
package import GradientFlows
package import Networks
import Tensors

/// The angles between a flow's gradients and the true ones over a training.
///
///     angle = arccos( ĝᵀg / (‖ĝ‖·‖g‖) )
///
/// ĝ is what the flow gives for the weights of a layer, or of the whole network, and g the standard flow's on the same batch with the
/// same weights: 0° is the gradient, 90° no relation, above 90° the loss rises along it.
package struct AngleCourse: Sendable {
  /// An angle in degrees, or the reason why there is none.
  package enum Angle: Hashable, Sendable {
    case degrees(Double)
    case missing(GradientComparison.NoAngle)

    /// The angle in degrees; nil where there is none.
    package var degrees: Double? { if case .degrees(let value) = self { value } else { nil } }
  }

  /// The numbers of the updates, from 1.
  package private(set) var steps: [Int] = []
  /// By step, then by layer.
  package private(set) var layers: [[Angle]] = []
  /// By step, of all weights together.
  package private(set) var whole: [Angle] = []

  /// Trains a copy of `network` under `flow` and takes the angles at some fifty steps, evenly spaced.
  ///
  /// - Parameters:
  ///   - network: The network, which stays as it is.
  ///   - optimizer: The optimizer.
  ///   - data: The images.
  ///   - slices: The slices to train on.
  ///   - loss: The loss.
  ///   - flow: The flow that trains.
  ///   - options: The number of updates, the order, and the batches.
  ///   - shouldStop: Called often; once it returns true, the training ends.
  ///   - progress: Called after each step with the share of the training that is done.
  package init(
    _ network: Network<Float>, optimizer: OptimizerSetting, on data: TrainingData, slices: [Int],
    loss: Loss, flow: any GradientFlow, options: TrainingOptions,
    shouldStop: @escaping @Sendable () -> Bool, progress: (Double) -> Void
  ) {
    var trainer = Trainer(network, optimizer: optimizer)
    let updates = options.steps ?? options.batches(of: slices.count) * options.epochs
    let interval = max(1, updates / 50)
    var course = AngleCourse()
    var made = 0
    _ = trainer.train(
      on: data, slices: slices, loss: loss, flow: flow, options: options, clock: { 0 },
      shouldHold: { pass, result, _ in
        made += 1
        if made == 1 || made % interval == 0 || made == updates {
          course.add(made, pass, result.parameterGradients)
        }
        return false
      }, shouldDrop: shouldStop
    ) { report in
      progress(Double(report.step) / Double(max(1, report.steps)))
      return shouldStop() ? .interrupt : nil
    }
    self = course
  }

  private init() {}

  private mutating func add(
    _ step: Int, _ pass: TrainingPass<Float>, _ gradients: [Tensor<Float>]
  ) {
    let truth = pass.run(StandardFlow(), retention: .training).parameterGradients
    steps.append(step)
    var place = 0
    layers.append(
      pass.network.layers.map { layer in
        let range = place..<place + layer.parameters.count
        place = range.upperBound
        return Self.angle(Array(gradients[range]), Array(truth[range]))
      })
    whole.append(Self.angle(gradients, truth))
  }

  private static func angle(_ a: [Tensor<Float>], _ truth: [Tensor<Float>]) -> Angle {
    func joined(_ tensors: [Tensor<Float>]) -> Tensor<Float> {
      let scalars = tensors.flatMap(\.scalars)
      return Tensor(shape: [scalars.count], scalars: scalars)
    }
    let comparison = GradientComparison(joined(truth), joined(a))
    guard let cosine = comparison.cosine else { return .missing(comparison.noAngle ?? .notFinite) }
    return .degrees(acos(max(-1, min(1, cosine))) * 180 / .pi)
  }
}

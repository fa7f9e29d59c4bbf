package import GradientFlows
package import Networks
package import Tensors

/// A reason why a network does not learn, with its numbers.
package enum Finding: Hashable, Sendable {
  /// The first NaN or infinity of a training.
  case nonFinite(NonFiniteError)
  /// Weights that are NaN or infinite now.
  case lostWeights(count: Int, of: Int)
  /// Second moments that are not finite: the optimizer makes no step there, or a NaN.
  case overflow(parameters: [String], largestGradient: Double)
  /// Weights that stay the same when their update is added.
  case stuckWeights(share: Double, count: Int, largestUpdate: Double)
  /// Pre-activations beyond ±6, where the activation hardly changes.
  case saturated(layer: String, activation: Activation, share: Double)
  /// Channels of a ReLU that are 0 everywhere.
  case deadChannels(layer: String, count: Int, of: Int)
  /// The last layer cannot come nearer to the clean slices than `bound`, whatever its weights are.
  case boundedOutput(layer: String, bound: Double, noisy: Double)
  /// What blocks are fed with grows or shrinks on its way down; root mean squares at two layers.
  case unevenGradients(from: String, atFrom: Double, to: String, atTo: Double)
  /// Input far from 0…1.
  case inputScale(low: Double, high: Double, deviation: Double)
}

/// Looks at one pass, and at what the optimizer makes of it, for reasons not to learn.
package struct Diagnosis: Sendable {
  /// Beyond this a sigmoid's derivative is below 0.0025.
  package static let saturation = 6.0

  package let pass: TrainingPass<Float>
  /// The pass with everything kept.
  package let result: PassResult<Float>
  /// After the update that followed the pass.
  package let states: [OptimizerState]

  /// Prepares the diagnosis of a pass.
  ///
  /// - Parameters:
  ///   - pass: The last pass of a training, or any other.
  ///   - flow: How gradients travelled.
  ///   - optimizer: What makes updates of them.
  ///   - states: What the optimizer had after the pass; none if there was no update.
  package init(
    _ pass: TrainingPass<Float>, flow: any GradientFlow, optimizer: OptimizerSetting,
    states: [OptimizerState]?
  ) {
    self.pass = pass
    result = pass.run(flow, retention: .everything)
    var gradients = result.gradients.parameters
    _ = optimizer.clipping?.clip(&gradients)
    self.states =
      states
      ?? gradients.map { optimizer.rule.update($0, state: OptimizerState(), step: 1) }
  }

  /// What the pass and the updates show, the causes before the effects.
  package func findings() -> [Finding] {
    [inputScale].compactMap(\.self) + saturation + deadChannels
      + [unevenGradients, overflow, stuckWeights].compactMap(\.self)
  }

  // MARK: - Forward

  private var inputScale: Finding? {
    let statistics = pass.input.statistics()
    guard max(abs(statistics.min), abs(statistics.max)) > 10 else { return nil }
    return .inputScale(
      low: statistics.min, high: statistics.max, deviation: statistics.deviation)
  }

  /// Layers where more than half of the pre-activations are saturated.
  private var saturation: [Finding] {
    eachConvolution { name, activation, z, _ in
      guard [.sigmoid, .tanh, .arctan].contains(activation) else { return nil }
      let share = z.share { abs(Double($0)) > Self.saturation }
      return share > 0.5 ? .saturated(layer: name, activation: activation, share: share) : nil
    }
  }

  private var deadChannels: [Finding] {
    eachConvolution { name, activation, _, a in
      guard activation == .relu else { return nil }
      let (channels, pixels) = (a.shape.channels, a.shape.planeCount)
      let dead = (0..<channels).count { channel in
        (0..<a.shape.batch).allSatisfy { image in
          let start = (image * channels + channel) * pixels
          return a.scalars[start..<start + pixels].allSatisfy { $0 == 0 }
        }
      }
      return dead > 0 ? .deadChannels(layer: name, count: dead, of: channels) : nil
    }
  }

  /// Calls `find` with the name, activation, z and a of each convolution that has an activation.
  private func eachConvolution(
    _ find: (String, Activation, Tensor<Float>, Tensor<Float>) -> Finding?
  ) -> [Finding] {
    let network = pass.network
    return network.layers.indices.flatMap { index -> [Finding] in
      let (layer, values) = (network.layers[index], result.pass.layers[index])
      return values.preactivations.indices.compactMap { i in
        guard let z = values.preactivations[i], let a = values.activations[i] else { return nil }
        let suffix = layer.letter == "b" ? ".conv\(i + 1)" : ""
        return find(network.layerNames[index] + suffix, layer.activation, z.tensor, a.tensor)
      }
    }
  }

  // MARK: - Backward

  /// The largest and the smallest gradient that layers are fed with, if 1000 times apart.
  private var unevenGradients: Finding? {
    let sizes = zip(pass.network.layerNames, result.gradients.layers).compactMap { name, layer in
      layer.output.map { (name: name, size: $0.tensor.rootMeanSquare) }
    }
    guard let last = sizes.last, last.size > 0, last.size.isFinite else { return nil }
    func factor(_ size: Double) -> Double { max(size / last.size, last.size / size) }
    guard let farthest = sizes.dropLast().max(by: { factor($0.size) < factor($1.size) }),
      factor(farthest.size) > 1000
    else { return nil }
    return .unevenGradients(
      from: last.name + ".out", atFrom: last.size, to: farthest.name + ".out",
      atTo: farthest.size)
  }

  // MARK: - Updates

  private var overflow: Finding? {
    let gradients = result.gradients.parameters
    let names = zip(pass.network.parameterNames, states).filter { _, state in
      state.v.map { !$0.isFinite() } ?? false
    }
    guard !names.isEmpty else { return nil }
    return .overflow(
      parameters: names.map(\.0),
      largestGradient: gradients.map { $0.largestMagnitude() }.max() ?? 0)
  }

  private var stuckWeights: Finding? {
    var (stuck, count, largest) = (0, 0, 0.0)
    for (weights, state) in zip(pass.network.parameters, states) {
      guard let update = state.update else { continue }
      count += weights.shape.count
      largest = max(largest, update.largestMagnitude())
      stuck += zip(weights.scalars, update.scalars).count { $0 + $1 == $0 }
    }
    guard count > 0, stuck * 10 > count else { return nil }
    return .stuckWeights(
      share: Double(stuck) / Double(count), count: count, largestUpdate: largest)
  }
}

extension Tensor<Float> {
  /// The part of the numbers for which `condition` holds.
  fileprivate func share(_ condition: (Float) -> Bool) -> Double {
    Double(scalars.count(where: condition)) / Double(Swift.max(1, scalars.count))
  }

  /// √(Σx²/n), in Double.
  fileprivate var rootMeanSquare: Double {
    let squares = scalars.reduce(0) { $0 + Double($1) * Double($1) }
    return (squares / Double(Swift.max(1, scalars.count))).squareRoot()
  }
}

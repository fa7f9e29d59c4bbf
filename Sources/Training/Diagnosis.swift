package import GradientFlows
package import Networks
import Operations
package import Tensors

/// A reason why a network does not learn, with its numbers.
package enum Finding: Hashable, Sendable {
  /// NaN or infinities in a stack of slices.
  case dataNotFinite(name: String, slices: [Int])
  /// The first NaN or infinity of a training.
  case nonFinite(NonFiniteError)
  /// A pass of finite weights over finite images that gives a NaN or an infinity.
  case nonFiniteValue(tensor: String)
  /// Weights that are NaN or infinite now.
  case lostWeights(count: Int, of: Int)
  /// Second moments that finite gradients made infinite: the optimizer makes no step there.
  case overflow(parameters: [String], largestGradient: Double)
  /// Weights with a gradient that are equal after their update is added, and have been since
  /// training began.
  case stuckWeights(share: Double, count: Int, largestUpdate: Double)
  /// Pre-activations beyond ±6, where the activation hardly changes.
  case saturated(layer: String, activation: Activation, share: Double)
  /// Channels of ReLUs that are 0 everywhere.
  case deadChannels([DeadLayer])
  /// The last layer cannot come closer to the clean slices than a PSNR of `bound` in dB, whatever
  /// its weights.
  case boundedOutput(layer: String, bound: Double, noisy: Double)
  /// The gradients of the layers' outputs grow or shrink on their way down; root mean squares at
  /// two layers.
  case unevenGradients(from: String, atFrom: Double, to: String, atTo: Double)
  /// Layers whose outputs have a gradient of 0, though the last layer's has not.
  case noGradient(layers: [String])
  /// Noise of neighboring pixels that is not independent, though the training took it so.
  case correlatedNoise(Double)
  /// Input with values far outside 0…1.
  case inputScale(low: Double, high: Double, deviation: Double)
}

/// A convolution with dead channels.
package struct DeadLayer: Hashable, Sendable {
  package let name: String
  /// The number of its channels that are 0 everywhere, and of all its channels.
  package let count: Int, channels: Int
}

/// Searches one pass and its update for reasons why a network does not learn.
package struct Diagnosis: Sendable {
  /// The pre-activation beyond which a sigmoid's derivative is below 0.0025.
  package static let saturation = 6.0

  package let pass: TrainingPass<Float>
  /// The result of the pass with every value kept.
  package let result: PassResult<Float>
  /// The optimizer's states after the update that followed the pass.
  package let states: [OptimizerState]
  /// The weights when training began; nil if unknown.
  private let first: [Tensor<Float>]?
  /// Another pass of the same network; a channel is dead only if it is 0 there, too.
  private let second: PassResult<Float>?

  /// Prepares the diagnosis of a pass.
  ///
  /// - Parameters:
  ///   - pass: The last pass of a training, or any other.
  ///   - flow: The gradient flow of the training.
  ///   - optimizer: The setting that makes updates of the gradients.
  ///   - states: The optimizer's states after the pass; nil if there was no update.
  ///   - first: The weights when training began; nil if unknown.
  ///   - second: A pass with other images, in which channels may not be 0.
  package init(
    _ pass: TrainingPass<Float>, flow: any GradientFlow, optimizer: OptimizerSetting,
    states: [OptimizerState]?, since first: [Tensor<Float>]? = nil,
    second: TrainingPass<Float>? = nil
  ) {
    self.pass = pass
    self.first = first
    self.second = second.map { $0.with(pass.network).values() }
    result = pass.run(flow, retention: .everything)
    var gradients = result.parameterGradients
    _ = optimizer.clipping?.clip(&gradients)
    self.states =
      states
      ?? zip(gradients, pass.network.parameters).map { gradient, weight in
        optimizer.rule.update(gradient, of: weight, state: OptimizerState(), step: 1)
      }
  }

  /// The findings in the pass and the updates, causes before effects.
  package func findings() -> [Finding] {
    let dead = deadChannels
    return [nonFinite, inputScale].compactMap(\.self) + saturation
      + [dead, noGradient(beside: dead), unevenGradients, overflow, stuckWeights].compactMap(\.self)
  }

  // MARK: - Forward

  /// The first tensor of a pass over finite images that holds a NaN or an infinity.
  private var nonFinite: Finding? {
    guard pass.input.isFinite(), pass.target.isFinite(), !result.isFinite(),
      pass.network.parameters.allSatisfy({ $0.isFinite() })
    else { return nil }
    return .nonFiniteValue(tensor: result.firstNonFinite() ?? "net.out")
  }

  private var inputScale: Finding? {
    let statistics = pass.input.statistics()
    guard max(abs(statistics.min), abs(statistics.max)) > 10 else { return nil }
    return .inputScale(
      low: statistics.min, high: statistics.max, deviation: statistics.deviation)
  }

  /// Layers where more than half of the pre-activations are saturated.
  private var saturation: [Finding] {
    activations(of: result).compactMap { layer in
      guard [.sigmoid, .tanh, .arctan].contains(layer.activation) else { return nil }
      let share = layer.z.share { abs(Double($0)) > Self.saturation }
      return share > 0.5
        ? .saturated(layer: layer.name, activation: layer.activation, share: share) : nil
    }
  }

  /// Layers with a quarter of their channels or more dead; fewer do not matter.
  private var deadChannels: Finding? {
    let others = second.map { activations(of: $0) }
    let layers = activations(of: result).enumerated().compactMap {
      index, layer -> DeadLayer? in
      guard layer.activation == .relu else { return nil }
      var dead = layer.a.emptyChannels
      if let others { dead.formIntersection(others[index].a.emptyChannels) }
      return DeadLayer(name: layer.name, count: dead.count, channels: layer.a.shape.channels)
    }.filter { $0.count > 0 && $0.count * 4 >= $0.channels }
    return layers.isEmpty ? nil : .deadChannels(layers)
  }

  /// The convolutions that have an activation, with what enters and leaves it.
  private func activations(of values: PassResult<Float>) -> [Activated] {
    values.program.nodes.compactMap { node in
      guard let operation = node.operation as? Activate, let place = node.place,
        let z = values.value("\(place).z"), let a = node.name.flatMap({ values.value($0) })
      else { return nil }
      return Activated(name: place, activation: operation.function, z: z, a: a)
    }
  }

  private struct Activated {
    let name: String
    let activation: Activation
    let z: Tensor<Float>, a: Tensor<Float>
  }

  // MARK: - Backward

  /// The root mean square of the gradient of each layer's output; empty where that of the last is 0 or not finite,
  /// and under a flow that has no gradients of values.
  private var gradientSizes: [(name: String, size: Double)] {
    let sizes = pass.network.layerNames.compactMap { name in
      result.gradient("\(name).out").map { (name: name, size: $0.rootMeanSquare) }
    }
    guard let last = sizes.last, last.size > 0, last.size.isFinite else { return [] }
    return sizes
  }

  /// The layers with a gradient of 0; no finding where channels are dead, since they cause it.
  private func noGradient(beside dead: Finding?) -> Finding? {
    let layers = gradientSizes.filter { $0.size == 0 }.map(\.name)
    return layers.isEmpty || dead != nil ? nil : .noGradient(layers: layers)
  }

  /// The layer whose output's gradient differs most from that of the last layer, by more than 1000
  /// times, but for those of 0.
  private var unevenGradients: Finding? {
    let sizes = gradientSizes.filter { $0.size != 0 }
    guard let last = sizes.last else { return nil }
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
    var names: [String] = []
    var largest = 0.0
    for (index, name) in pass.network.parameterNames.enumerated() {
      let gradients = overflowing(index)
      guard !gradients.isEmpty else { continue }
      names.append(name)
      largest = gradients.reduce(largest) { max($0, Double($1.magnitude)) }
    }
    return names.isEmpty ? nil : .overflow(parameters: names, largestGradient: largest)
  }

  /// The gradients of a parameter where they are finite and the second moment is infinite.
  ///
  /// A gradient that was infinite in an earlier step has left a first moment that is not finite, or
  /// weights and so gradients that are not.
  private func overflowing(_ parameter: Int) -> [Float] {
    guard let v = states[parameter]["v"]?.scalars, v.contains(where: \.isInfinite) else {
      return []
    }
    let m = states[parameter]["m"]?.scalars
    let gradients = result.parameterGradients[parameter].scalars
    return v.indices.filter { i in
      v[i].isInfinite && gradients[i].isFinite && m?[i].isFinite ?? true
    }.map { gradients[$0] }
  }

  /// Weights that updates do not change; those without a gradient do not count, since their layer
  /// is dead or saturated.
  private var stuckWeights: Finding? {
    var (stuck, count, largest) = (0, 0, 0.0)
    let gradients = result.parameterGradients
    for (index, weights) in pass.network.parameters.enumerated() {
      guard let update = states[index].update else { continue }
      let gradient = gradients[index].scalars
      largest = max(largest, update.largestMagnitude())
      for i in weights.scalars.indices where gradient[i] != 0 {
        let weight = weights.scalars[i]
        count += 1
        guard weight + update.scalars[i] == weight else { continue }
        stuck += first.map { $0[index].scalars[i] == weight } ?? true ? 1 : 0
      }
    }
    guard count > 0, stuck * 10 > count else { return nil }
    return .stuckWeights(
      share: Double(stuck) / Double(count), count: count, largestUpdate: largest)
  }
}

extension Tensor<Float> {
  /// The fraction of the numbers for which `condition` holds.
  fileprivate func share(_ condition: (Float) -> Bool) -> Double {
    Double(scalars.count(where: condition)) / Double(Swift.max(1, scalars.count))
  }

  /// The indices of channels, of `[N,C,H,W]`, that are 0 in all images.
  fileprivate var emptyChannels: Set<Int> {
    let pixels = shape.planeCount
    return Set(
      (0..<shape.channels).filter { channel in
        (0..<shape.batch).allSatisfy { image in
          let start = (image * shape.channels + channel) * pixels
          return scalars[start..<start + pixels].allSatisfy { $0 == 0 }
        }
      })
  }

  /// √(Σx²/n), in Double.
  fileprivate var rootMeanSquare: Double {
    let squares = scalars.reduce(0) { $0 + Double($1) * Double($1) }
    return (squares / Double(Swift.max(1, scalars.count))).squareRoot()
  }
}

import GradientFlows
import Networks
import Tensors
import Training

/// Lines that cure the findings of `diagnose`, for the network in use; all can be typed as they
/// stand.
struct Cures {
  private let workspace: Workspace
  /// The largest magnitude of the network's input.
  private let largestInput: Double

  init(_ workspace: Workspace, largestInput: Double) {
    (self.workspace, self.largestInput) = (workspace, largestInput)
  }

  /// The lines, in the order to type them.
  func lines(for finding: Finding) -> [String] {
    switch finding {
    case .dataNotFinite(let name, let slices):
      slices.prefix(4).map { "assign \(name)[\($0)] = 0" }
    case .nonFinite, .nonFiniteValue, .lostWeights:
      scale + mean + rebuilt(initializer: .he) + gentler
    case .overflow: scale + mean + rebuilt(initializer: .he) + gentler
    case .stuckWeights: faster
    case .saturated: scale + rebuilt(initializer: .he) + gentler
    case .deadChannels(let layers):
      rebuilt(initializer: workspace.initializer) { index, line in
        let name = workspace.network.layerNames[index]
        return layers.contains { $0.name == name || $0.name.hasPrefix("\(name).") }
          ? line.with(activation: .leakyReLU) : line
      } + usualRate
    case .boundedOutput:
      rebuilt(initializer: workspace.initializer) { index, line in
        index == workspace.network.layers.count - 1 ? line.with(activation: .linear) : line
      }
    case .noGradient where workspace.flow is SyntheticFlow && workspace.trainer == nil:
      // Predictors begin with 0.
      ["train steps=20"]
    case .unevenGradients, .noGradient:
      workspace.flow.isGradient
        ? scale
          + rebuilt(initializer: .he) { _, line in
            line.withoutSaturation.replacing(/\smerge=multiply(-add)?/, with: " merge=add")
          }
        : ["flow standard"]
    case .correlatedNoise:
      switch workspace.noise?.kind {
      case nil: ["train target=clean"]
      case is LowDoseNoise: ["train target=views"]
      default: ["train target=pair"]
      }
    case .inputScale: ["scale minmax"]
    }
  }

  /// A scale that brings the input to about 0…1, unless it is there already.
  private var scale: [String] { largestInput > 10 ? ["scale minmax"] : [] }

  /// A loss whose gradients do not grow with the batch and its pixels, unless the loss is one.
  private var mean: [String] { workspace.loss.isMean ? [] : ["loss mse"] }

  /// Smaller steps: the usual ones if the present ones are larger; else still smaller ones, unless
  /// the scale, the loss or the initializer may be the cause.
  private var gentler: [String] {
    guard usualRate.isEmpty else { return usualRate }
    guard scale.isEmpty, mean.isEmpty, workspace.initializer == .he, workspace.trainer != nil else {
      return []
    }
    // Adam moves a weight by about its rate at most, however steep the loss is.
    let rule = workspace.optimizer.rule
    guard rule is Adam || rule is AdamW else { return ["optimizer adam lr=0.001"] }
    return ["optimizer lr=\(rule.learningRate / 10)"]
  }

  /// The optimizer's default learning rate, if the present one, or one of its schedule, is higher:
  /// large steps kill channels and end in NaN.
  private var usualRate: [String] {
    guard workspace.trainer != nil else { return [] }
    let setting = workspace.optimizer
    let usual = type(of: setting.rule).usualLearningRate
    let isScheduleHigher = setting.schedule.exceeds(usual)
    guard setting.rule.learningRate > usual || isScheduleHigher else { return [] }
    return ["optimizer lr=\(usual)\(isScheduleHigher ? " schedule=constant" : "")"]
  }

  /// Lines with which updates are large enough to change the digits of the weights.
  private var faster: [String] {
    guard let adam = workspace.optimizer.rule as? Adam, adam.epsilon <= 1e-7 else {
      return ["optimizer adam lr=0.001"]
    }
    // With this rate, updates are lost only beside weights that are far too large.
    return adam.learningRate < 0.001 ? ["optimizer lr=0.001"] : rebuilt(initializer: .he)
  }

  /// The lines that build the network anew, each layer's line changed by `change`.
  private func rebuilt(
    initializer: Initializer, _ change: (_ layer: Int, _ line: String) -> String = { $1 }
  ) -> [String] {
    let network = workspace.network
    let seed = workspace.networkSeed.map { " seed=\($0)" } ?? ""
    let layers = network.layers.enumerated().map { change($0, $1.line) }
    let output = network.outputRule == .plain ? [] : ["output \(network.outputRule.rawValue)"]
    return ["net new init=\(initializer.text)\(seed)"] + layers + output
  }
}

extension String {
  /// A layer's line with another activation.
  fileprivate func with(activation: Activation) -> String {
    replacing(/\sact=\S+/, with: " act=\(activation.rawValue)")
  }

  /// The line with a leaky ReLU in place of an activation that is flat somewhere.
  fileprivate var withoutSaturation: String {
    contains(/\sact=(sigmoid|tanh|arctan|elu|relu)\b/) ? with(activation: .leakyReLU) : self
  }
}

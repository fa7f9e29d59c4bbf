import GradientFlows
import Networks
import Tensors

/// The update of the tensors that a gradient flow trains beside the network's parameters, by the session's optimizer.
///
/// Clipping and noise are for the parameters; a tensor that learns with a parameter gets its gradient behind both.
struct FlowUpdate {
  /// The tensors after the update.
  let state: FlowState<Float>
  /// The optimizer's state for each, by its name.
  let optimizerStates: [String: OptimizerState]

  /// Computes the update; nil for a flow that trains no tensors.
  ///
  /// - Parameters:
  ///   - flow: The flow.
  ///   - network: The network before the update.
  ///   - result: The pass.
  ///   - gradients: The gradients of the parameters for the rule.
  ///   - states: The optimizer's state for each tensor before the update.
  ///   - rule: The rule of this update.
  ///   - step: The number of updates before.
  init?(
    _ flow: some GradientFlow, of network: Network<Float>, _ result: PassResult<Float>,
    parameterGradients gradients: [Tensor<Float>], states: [String: OptimizerState],
    rule: any Optimizer, step: Int
  ) {
    let own = flow.tensors(for: network, step: step).filter { $0.learning != .fixed }
    guard !own.isEmpty else { return nil }
    let byName = Dictionary(uniqueKeysWithValues: zip(network.parameterNames, gradients))
    var (tensors, next): ([String: Tensor<Float>], [String: OptimizerState]) = ([:], [:])
    for item in own {
      var rule = rule
      let gradient: Tensor<Float>?
      switch item.learning {
      case .fixed: gradient = nil
      case .with(let parameter): gradient = byName[parameter]
      case .own(let rate):
        gradient = result.flowGradients[item.name]
        if let rate { rule.learningRate = rate }
      }
      let state = gradient.map {
        rule.update(
          $0, of: item.tensor, state: states[item.name] ?? OptimizerState(), step: step + 1)
      }
      tensors[item.name] = state?.update.map { item.tensor.adding($0) } ?? item.tensor
      next[item.name] = state
    }
    state = FlowState(flow: flow.line, tensors: tensors)
    optimizerStates = next
  }
}

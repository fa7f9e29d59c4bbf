import CommandLanguage
import GradientFlows
import Networks
import Tensors

/// Results of the last pass that were computed again for inspection, by the line of the flow.
struct Inspection: Sendable {
  /// Results in which every value is kept.
  var passes: [String: PassResult<Float>] = [:]
  /// The gradients of all parameters.
  var gradients: [String: [Tensor<Float>]] = [:]
  /// The result of the last inspection of a single layer, with the flow and the layer's index.
  fileprivate var layer: (flow: String, place: Int, result: PassResult<Float>)?
}

extension Workspace {
  /// The last pass, which must fit the flow that is to go back through it.
  private func requireLastPass(
    fitting flow: any GradientFlow
  ) throws(CommandError) -> TrainingPass<Float> {
    let pass = try requireLastPass()
    do throws(NetworkError) {
      try flow.requireFit(network)
    } catch {
      throw commandError(error)
    }
    return pass
  }

  /// The values of the last pass under a flow, computed again with everything kept.
  mutating func requirePass(
    _ flow: (any GradientFlow)? = nil
  ) throws(CommandError) -> PassResult<Float> {
    let flow = flow ?? self.flow
    if let known = inspected.passes[flow.line] { return known }
    let pass = try requireLastPass(fitting: flow)
    try requireMemoryToInspect(pass, [flow])
    // Results under other flows stay while there is memory.
    let bytes = (inspected.passes.count + 1) * pass.inspectionBytes(flow)
    if bytes > memoryLimit { inspected.passes = [:] }
    let result = try interruptible { pass.run(flow, retention: .everything) }
    inspected.passes[flow.line] = result
    return result
  }

  /// The gradients of all parameters in the last pass under a flow, computed again if need be with
  /// no more kept than in training.
  mutating func requireGradients(
    _ flow: any GradientFlow
  ) throws(CommandError) -> [Tensor<Float>] {
    let known = inspected.gradients[flow.line] ?? inspected.passes[flow.line]?.parameterGradients
    if let known { return known }
    let pass = try requireLastPass(fitting: flow)
    try requireMemory(
      pass.trainingBytes(flow), for: "the gradients of the pass",
      hint: "take a part of the slice, or train on patches or smaller batches")
    let gradients = try interruptible {
      pass.run(flow, retention: .training).parameterGradients
    }
    inspected.gradients[flow.line] = gradients
    return gradients
  }

  /// The result of the last pass under a flow with the values and gradients of layer `index`; those
  /// of other layers may be missing.
  mutating func requireLayer(
    _ index: Int, _ flow: any GradientFlow
  ) throws(CommandError) -> PassResult<Float> {
    if let known = inspected.passes[flow.line] { return known }
    if let known = inspected.layer, known.flow == flow.line, known.place == index {
      return known.result
    }
    let pass = try requireLastPass(fitting: flow)
    try requireMemory(
      pass.inspectionBytes(flow, layer: index),
      for: "every value of \(network.layerNames[index]) in the pass",
      hint: "take a part of the slice, or train on patches or smaller batches")
    inspected.layer = nil
    let result = try interruptible { pass.run(flow, retention: .layer(index)) }
    inspected.layer = (flow.line, index, result)
    return result
  }
}

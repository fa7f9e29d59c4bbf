package import Networks
package import Tensors

/// A pass of a network under one flow or several, with everything kept.
package struct NetworkWalk: SteppedPass {
  package let pass: TrainingPass<Float>
  package let flows: [(name: String, flow: any GradientFlow, result: PassResult<Float>)]
  package let steps: [PassStep]
  package let firstBackwardStep: Int

  /// Walks a pass that kept everything under each flow.
  package init(
    _ pass: TrainingPass<Float>,
    flows: [(name: String, flow: any GradientFlow, result: PassResult<Float>)]
  ) {
    self.pass = pass
    self.flows = flows
    let isMasked = pass.mask != nil
    let forward = pass.network.forwardSteps(loss: pass.loss, isMasked: isMasked)
    steps =
      forward
      + pass.network.backwardSteps(
        loss: pass.loss, flows: flows.map(\.flow), epoch: pass.epoch, isMasked: isMasked)
    firstBackwardStep = forward.count
  }

  package var network: Network<Float> { pass.network }
  package var flowNames: [String] { flows.map(\.name) }

  package var layers: [(name: String, line: String)] {
    zip(network.layerNames, network.layers).map { ($0, $1.line) }
  }

  /// The number of a flow, by its settings; none if it is not walked.
  package func number(of flow: any GradientFlow) -> Int? {
    flows.firstIndex { $0.flow.line == flow.line }
  }

  package func isGiven(_ name: String) -> Bool {
    name == "net.in" || name == "\(network.layerNames.first ?? "").in"
      || network.parameterNames.contains(name)
  }

  package func value(_ name: String, flow: Int) -> Tensor<Float>? {
    flows[flow].result.named(name)
  }

  package func written(_ name: String, by step: PassStep, flow: Int) -> Tensor<Float>? {
    guard let arrival = step.arrival, !arrival.isFinal, name == step.place, let layer = step.layer,
      case .block(let block) = network.layers[layer]
    else { return value(name, flow: flow) }
    let (values, gradients) = (
      flows[flow].result.pass.layers[layer], flows[flow].result.gradients.layers[layer]
    )
    if name.hasSuffix(".z.grad") {
      // Before links are added, it is what comes back through the activation.
      guard let da = gradients.activations.last ?? nil, let a = values.activations.last ?? nil
      else { return nil }
      let z = values.preactivations.last ?? nil
      return block.options.activation.backward(da, activation: a, preactivation: z).tensor
    }
    // The first of two arrivals at the input is what comes back through the convolution.
    guard let dz = gradients.preactivations.first ?? nil else { return nil }
    return Convolution.inputGradient(dz, kernel: block.convolutions[0].weight).tensor
  }
}

extension PassResult {
  /// The value called `name`, or the gradient if it ends in `.grad`; parameters too.
  package func named(_ name: String) -> Tensor<Element>? {
    if name.hasSuffix(".grad") { return gradient(String(name.dropLast(5))) }
    if let index = network.parameterNames.firstIndex(of: name) { return network.parameters[index] }
    return value(name)
  }
}

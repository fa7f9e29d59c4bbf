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
    let forward = pass.network.forwardSteps(loss: pass.loss)
    let links = flows.flatMap { $0.flow.links(in: pass.network) }
    let unique = links.enumerated().filter { links.firstIndex(of: $1) == $0 }.map(\.element)
    steps = forward + pass.network.backwardSteps(loss: pass.loss, links: unique)
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
    // The first of two arrivals is what comes back through the convolution.
    guard let arrival = step.arrival, !arrival.isFinal, name == step.place, let layer = step.layer,
      case .block(let block) = network.layers[layer],
      let dz = flows[flow].result.gradients.layers[layer].preactivations.first ?? nil
    else { return value(name, flow: flow) }
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

package import Networks
import Operations
package import Tensors

/// A pass of a network under one flow or several, with everything kept.
package struct NetworkWalk: SteppedPass {
  package let pass: TrainingPass<Float>
  package let flows: [(name: String, flow: any GradientFlow, result: PassResult<Float>)]
  package let steps: [PassStep]
  package let firstBackwardStep: Int
  /// By flow.
  private let programs: [Program<Float>]

  /// Walks a pass that kept everything under each flow.
  package init(
    _ pass: TrainingPass<Float>,
    flows: [(name: String, flow: any GradientFlow, result: PassResult<Float>)]
  ) {
    (self.pass, self.flows) = (pass, flows)
    programs = flows.map { $0.flow.program(of: pass.network, pass.key, step: pass.step) }
    let plain = flows.indices.filter { !flows[$0].flow.rewrites && flows[$0].flow.goesBack }
    // Flows that leave the program as it is share their steps.
    let groups =
      (plain.isEmpty ? [] : [plain])
      + flows.indices.filter { !plain.contains($0) }.map { [$0] }
    var (forward, backward) = (MergedSteps(flows.count), MergedSteps(flows.count))
    for group in groups {
      let program = programs[group[0]]
      let joins = group.map { number in
        pass.network.layers.indices.map {
          flows[number].flow.join(at: $0, in: pass.network, epoch: pass.epoch)
        }
      }
      forward.add(program.forwardSteps(), of: group)
      let goesBack = flows[group[0]].flow.goesBack
      backward.add(
        goesBack
          ? BackwardSteps.steps(of: program, joins: joins) : [pass.network.slopeStep], of: group)
    }
    steps = forward.steps + backward.steps
    firstBackwardStep = forward.steps.count
  }

  package var network: Network<Float> { pass.network }
  package var flowNames: [String] { flows.map(\.name) }

  package var layers: [(name: String, line: String)] {
    zip(network.layerNames, network.layers).map { ($0, $1.line) }
  }

  /// Returns the number of a flow, found by its settings; nil if it is not walked.
  package func number(of flow: any GradientFlow) -> Int? {
    flows.firstIndex { $0.flow.line == flow.line }
  }

  package func isGiven(_ name: String) -> Bool {
    programs.contains { program in
      program.place(name).map { program.nodes[program.source(of: $0)].given != nil } ?? false
    }
  }

  package func value(_ name: String, flow: Int) -> Tensor<Float>? {
    flows[flow].result.named(name)
  }

  package func written(_ name: String, by step: PassStep, flow: Int) -> Tensor<Float>? {
    guard let arrival = step.arrival, !arrival.isFinal, name == step.place,
      let place = ValueName(name).gradientBase.flatMap({ programs[flow].place($0) })
    else { return value(name, flow: flow) }
    // Of several arrivals, the sum up to that one.
    let arrived = flows[flow].result.arrivals(at: place).prefix(arrival.number).map(\.tensor)
    return arrived.dropFirst().reduce(arrived.first) { $0?.adding($1) }
  }
}

extension Network {
  /// The step of a flow that gives all weights their gradients at once, without a way back.
  fileprivate var slopeStep: PassStep {
    PassStep(
      .backward, layer: nil, "slope", "each weight.grad is the slope of the loss along v, times v",
      reads: ["loss"], writes: parameterNames.map { "\($0).grad" })
  }
}

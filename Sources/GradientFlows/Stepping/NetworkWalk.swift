package import Networks
import Operations
package import Tensors

/// A pass of a network under one flow or several, with everything kept.
package struct NetworkWalk: SteppedPass {
  package let pass: TrainingPass<Float>
  package let flows: [(name: String, flow: any GradientFlow, result: PassResult<Float>)]
  package let steps: [PassStep]
  package let firstBackwardStep: Int
  private let program: Program<Float>

  /// Walks a pass that kept everything under each flow.
  package init(
    _ pass: TrainingPass<Float>,
    flows: [(name: String, flow: any GradientFlow, result: PassResult<Float>)]
  ) {
    self.pass = pass
    self.flows = flows
    program = pass.program
    let forward = program.forwardSteps()
    let joins = flows.map { entry in
      pass.network.layers.indices.map {
        entry.flow.join(at: $0, in: pass.network, epoch: pass.epoch)
      }
    }
    steps = forward + BackwardSteps.steps(of: program, joins: joins)
    firstBackwardStep = forward.count
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
    program.place(name).map { program.nodes[program.source(of: $0)].given != nil } ?? false
  }

  package func value(_ name: String, flow: Int) -> Tensor<Float>? {
    flows[flow].result.named(name)
  }

  package func written(_ name: String, by step: PassStep, flow: Int) -> Tensor<Float>? {
    guard let arrival = step.arrival, !arrival.isFinal, name == step.place,
      let place = ValueName(name).gradientBase.flatMap({ program.place($0) })
    else { return value(name, flow: flow) }
    // Of several arrivals, the sum up to that one.
    let arrived = flows[flow].result.arrivals(at: place).prefix(arrival.number).map(\.tensor)
    return arrived.dropFirst().reduce(arrived.first) { $0?.adding($1) }
  }
}

import Networks
package import Tensors

/// A cursor over one pass: which of its operations have been done.
///
/// A pass is write-once: each operation writes new names. So a step back only moves the cursor and
/// drops what the last operation wrote; a step forward brings back the same bits. All values are
/// computed when the stepper opens, by the same functions that training uses, with everything kept.
package struct Stepper: Sendable {
  package let pass: TrainingPass<Float>
  /// The flows that are walked at once, the first being the one that names without a flow mean.
  package let flows: [(name: String, flow: any GradientFlow, result: PassResult<Float>)]
  package let steps: [PassStep]
  /// How many steps have been done.
  package private(set) var cursor: Int
  /// Elements that are followed, such as `b1.out[0,1,2,3]`.
  package var picks: [String] = []

  /// Opens a pass before its first operation, or before the first of its backward pass.
  package init(
    _ pass: TrainingPass<Float>, flows: [(name: String, flow: any GradientFlow)],
    startsBackward: Bool
  ) {
    self.pass = pass
    var walked: [(name: String, flow: any GradientFlow, result: PassResult<Float>)] = []
    for (name, flow) in flows {
      walked.append((name, flow, pass.run(flow, retention: .everything)))
    }
    self.flows = walked
    let forward = pass.network.forwardSteps(loss: pass.loss)
    let links = flows.flatMap { $0.flow.links(in: pass.network) }
    let unique = links.enumerated().filter { links.firstIndex(of: $1) == $0 }.map(\.element)
    steps = forward + pass.network.backwardSteps(loss: pass.loss, links: unique)
    cursor = startsBackward ? forward.count : 0
  }

  /// The step that was done last.
  package var current: PassStep? { cursor > 0 ? steps[cursor - 1] : nil }
  /// The step that comes next.
  package var next: PassStep? { cursor < steps.count ? steps[cursor] : nil }

  package var isAtStart: Bool { cursor == 0 }
  package var isAtEnd: Bool { cursor == steps.count }

  /// Whether the value or gradient called `name` has been written by now.
  package func hasReached(_ name: String) -> Bool {
    if name == "net.in" || pass.network.parameterNames.contains(name) { return true }
    if name == "\(pass.network.layerNames.first ?? "").in" { return true }
    guard let writer = steps.lastIndex(where: { $0.writes.contains(name) }) else { return true }
    return writer < cursor
  }

  /// The steps before the cursor, and after it.
  package var done: ArraySlice<PassStep> { steps[..<cursor] }
  package var pending: ArraySlice<PassStep> { steps[cursor...] }

  /// One operation on; false at the end.
  @discardableResult
  package mutating func step() -> Bool {
    guard !isAtEnd else { return false }
    cursor += 1
    return true
  }

  /// One operation back; false at the start.
  @discardableResult
  package mutating func stepBack() -> Bool {
    guard !isAtStart else { return false }
    cursor -= 1
    return true
  }

  /// To the end of the layer that the next operation belongs to.
  package mutating func nextLayer() {
    guard let next else { return }
    let (layer, direction) = (next.layer, next.direction)
    while let step = self.next, step.layer == layer, step.direction == direction { self.step() }
  }

  /// To the start of the layer that the last operation belongs to.
  package mutating func previousLayer() {
    guard let current else { return }
    let (layer, direction) = (current.layer, current.direction)
    while let step = self.current, step.layer == layer, step.direction == direction { stepBack() }
  }

  /// On to the operation that makes `name` final; false if none ahead does.
  package mutating func advance(to name: String) -> Bool {
    guard let index = steps.lastIndex(where: { $0.writes.contains(name) }), index >= cursor
    else { return false }
    cursor = index + 1
    return true
  }

  /// To the first operation ahead after which two flows have other values; false if there is none.
  package mutating func advanceToDifference() -> Bool {
    for index in cursor..<steps.count
    where steps[index].writes.contains(where: { differs($0) }) {
      cursor = index + 1
      return true
    }
    return false
  }

  package mutating func finish() { cursor = steps.count }

  /// The value or gradient called `name` under the flow numbered `index`.
  package func value(_ name: String, flow index: Int = 0) -> Tensor<Float>? {
    flows[index].result.named(name)
  }

  /// What `step` wrote under `name`: the first of two arrivals alone, as long as it is the last step.
  package func written(_ name: String, by step: PassStep, flow index: Int = 0) -> Tensor<Float>? {
    guard let arrival = step.arrival, !arrival.isFinal, name == step.place, let layer = step.layer,
      case .block(let block) = pass.network.layers[layer],
      let dz = flows[index].result.gradients.layers[layer].preactivations.first ?? nil
    else { return value(name, flow: index) }
    return Convolution.inputGradient(dz, kernel: block.convolutions[0].weight).tensor
  }

  private func differs(_ name: String) -> Bool {
    guard let first = value(name)?.scalars else { return false }
    return flows.indices.dropFirst().contains { value(name, flow: $0)?.scalars != first }
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

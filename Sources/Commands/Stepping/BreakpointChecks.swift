import CommandLanguage
import GradientFlows
import Networks
import Tensors
import Training

// MARK: - In a training

/// One step of a training before its update: its result, and other values computed on demand.
final class TrainingView: BreakpointView {
  let pass: TrainingPass<Float>
  let result: PassResult<Float>
  private let flow: any GradientFlow
  private let flowNamed: (String) -> (any GradientFlow)?
  private var whole: PassResult<Float>?
  private var others: [String: PassResult<Float>] = [:]

  init(
    _ pass: TrainingPass<Float>, _ result: PassResult<Float>, flow: any GradientFlow,
    named flowNamed: @escaping (String) -> (any GradientFlow)?
  ) {
    (self.pass, self.result, self.flow, self.flowNamed) = (pass, result, flow, flowNamed)
  }

  var network: Network<Float> { pass.network }
  var loss: Double { result.loss }

  func tensor(_ name: String) -> Tensor<Float>? {
    if let base = ValueName(name).gradientBase,
      let parameter = network.parameterNames.firstIndex(of: base)
    {
      return result.parameterGradients[parameter]
    }
    let whole = whole ?? pass.run(flow, retention: .everything)
    self.whole = whole
    return whole.named(name)
  }

  func gradient(_ name: String, flow: String) -> Tensor<Float>? {
    guard let wanted = flowNamed(flow), wanted.fits(network) else { return nil }
    if wanted.line == self.flow.line { return tensor(name + ".grad") }
    let other = others[flow] ?? pass.run(wanted, retention: .training)
    others[flow] = other
    return other.gradient(name)
  }
}

extension Workspace {
  /// The first breakpoint that stops a training before the update with this number; nil if none
  /// does.
  mutating func breakpointHit(
    _ view: TrainingView, update: Int, _ failure: NonFiniteError?
  ) -> BreakpointHit? {
    var found: BreakpointHit?
    // All conditions are checked, so that 'previous' is the step before for each of them.
    for index in breakpoints.indices {
      let hit: BreakpointHit?
      switch breakpoints[index].condition {
      case .comparison: hit = breakpoints[index].check(view)
      case .reached(let name): hit = breakpoints[index].hit(at: name)
      case .step(let step): hit = step == update ? breakpoints[index].hit(at: nil) : nil
      case .nonFinite:
        hit = failure.map {
          breakpoints[index].hit(found: OutputLine($0.tensor), at: $0.tensor)
        }
      }
      found = found ?? hit
    }
    return found
  }
}

// MARK: - In an open pass

/// The values that an open pass has computed so far.
private struct WalkView: BreakpointView {
  let walk: NetworkWalk
  let flowNamed: (String) -> (any GradientFlow)?

  var network: Network<Float> { walk.network }
  var loss: Double { walk.flows[0].result.loss }

  func tensor(_ name: String) -> Tensor<Float>? { walk.value(name, flow: 0) }

  func gradient(_ name: String, flow: String) -> Tensor<Float>? {
    guard let wanted = flowNamed(flow), wanted.fits(network) else { return nil }
    if let number = walk.number(of: wanted) { return walk.value(name + ".grad", flow: number) }
    return walk.pass.run(wanted, retention: .training).gradient(name)
  }
}

extension Workspace {
  /// Walks to `target` step by step, as far as the first breakpoint.
  mutating func walk(_ stepper: inout Stepper, to target: Int) -> BreakpointHit? {
    while stepper.cursor < target, stepper.step() {
      if let hit = breakpointHit(at: stepper) { return hit }
    }
    return nil
  }

  private mutating func breakpointHit(at stepper: Stepper) -> BreakpointHit? {
    guard let walk = stepper.networkWalk, let step = stepper.current else { return nil }
    let view = WalkView(walk: walk) { [self] in knownFlow($0) }
    for index in breakpoints.indices {
      switch breakpoints[index].condition {
      case .step: continue
      case .nonFinite:
        if let place = step.writes.first(where: {
          stepper.value($0).map { !$0.isFinite() } ?? false
        }) {
          return breakpoints[index].hit(found: OutputLine(place), at: place)
        }
      case .reached(let name):
        if step.writes.contains(name), stepper.hasReached(name) {
          return breakpoints[index].hit(at: name)
        }
      case .comparison:
        guard let place = breakpoints[index].place, step.writes.contains(place),
          stepper.hasReached(place)
        else { continue }
        // A walk has no previous step.
        var breakpoint = breakpoints[index]
        breakpoint.previous = nil
        if let hit = breakpoint.check(view) {
          breakpoints[index].hits += 1
          return hit
        }
      }
    }
    return nil
  }
}

extension GradientFlow {
  func fits(_ network: Network<Float>) -> Bool {
    (try? requireFit(network)) != nil
  }
}

extension Stepper {
  /// Moves to the place where a breakpoint's condition was checked, right behind its value; to the
  /// loss without one.
  mutating func go(to place: String?) {
    if let place, advance(to: place) { return }
    _ = advance(to: "loss")
  }
}

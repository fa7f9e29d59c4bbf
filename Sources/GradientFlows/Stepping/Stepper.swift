import Networks
package import Tensors

/// A pass that a stepper walks through: that of a network, or a computation with typed numbers.
package protocol SteppedPass: Sendable {
  var steps: [PassStep] { get }
  /// The step that begins the backward pass.
  var firstBackwardStep: Int { get }
  /// The names of the layers that steps belong to, with the line that builds each.
  var layers: [(name: String, line: String)] { get }
  /// The flows that are walked at once; one that names without a flow mean comes first.
  var flowNames: [String] { get }
  /// Whether the value called `name` is there before the first step.
  func isGiven(_ name: String) -> Bool
  /// The value or gradient called `name` under the flow numbered `flow`.
  func value(_ name: String, flow: Int) -> Tensor<Float>?
  /// Returns the tensor that `step` wrote under `name`: of several arrivals, the sum up to that one.
  func written(_ name: String, by step: PassStep, flow: Int) -> Tensor<Float>?
}

/// A cursor over one pass: which of its operations have been done.
///
/// A pass is write-once: each operation writes new names. So a step back only moves the cursor and
/// drops what the last operation wrote; a step forward brings back the same bits. All values are
/// computed when the stepper opens, by the same functions that training uses, with everything kept.
package struct Stepper: Sendable {
  package let pass: any SteppedPass
  package let steps: [PassStep]
  /// How many steps have been done.
  package private(set) var cursor: Int
  /// Elements that are followed, such as `b1.out[0,1,2,3]`.
  package var picks: [String] = []

  /// Opens a pass before its first operation, or before the first of its backward pass.
  package init(_ pass: any SteppedPass, startsBackward: Bool) {
    self.pass = pass
    steps = pass.steps
    cursor = startsBackward ? pass.firstBackwardStep : 0
  }

  /// The pass of a network that is walked, if it is one.
  package var networkWalk: NetworkWalk? { pass as? NetworkWalk }

  /// The step that was done last.
  package var current: PassStep? { cursor > 0 ? steps[cursor - 1] : nil }
  /// The step that comes next.
  package var next: PassStep? { cursor < steps.count ? steps[cursor] : nil }

  package var isAtStart: Bool { cursor == 0 }
  package var isAtEnd: Bool { cursor == steps.count }

  /// Whether the value or gradient called `name` has been written by now.
  package func hasReached(_ name: String) -> Bool {
    if pass.isGiven(name) { return true }
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
    where steps[index].writes.contains(where: { differs($0, by: steps[index]) }) {
      cursor = index + 1
      return true
    }
    return false
  }

  package mutating func finish() { cursor = steps.count }

  /// The value or gradient called `name` under the flow numbered `index`.
  package func value(_ name: String, flow index: Int = 0) -> Tensor<Float>? {
    pass.value(name, flow: index)
  }

  /// Returns the tensor that `step` wrote under `name`; of several arrivals, the sum up to that one.
  package func written(_ name: String, by step: PassStep, flow index: Int = 0) -> Tensor<Float>? {
    pass.written(name, by: step, flow: index)
  }

  private func differs(_ name: String, by step: PassStep) -> Bool {
    guard let first = written(name, by: step)?.scalars else { return false }
    return pass.flowNames.indices.dropFirst().contains {
      written(name, by: step, flow: $0)?.scalars != first
    }
  }
}

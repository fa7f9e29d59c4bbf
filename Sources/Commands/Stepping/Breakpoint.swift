import CommandLanguage
import GradientFlows
import Networks
import Tensors

/// A condition that stops a training before its update, and the walk through an open pass.
struct Breakpoint: Sendable {
  /// Something that is measured and compared.
  enum Quantity: Hashable, Sendable {
    case loss
    case statistic(String, of: String)
    /// The share of a layer's activations that are 0.
    case dead(layer: String)
    /// The cosine between the gradients of a layer's parameters under two flows.
    case cosine(String, String, layer: String)
  }

  enum Condition: Sendable {
    /// A NaN or an infinity anywhere.
    case nonFinite
    /// The update with this number, from 1.
    case step(Int)
    /// The computation of a value; in a training, it holds before every update.
    case reached(String)
    case comparison(Quantity, Comparison.Relation, Expression)
  }

  let number: Int
  /// The condition as it was typed.
  let text: String
  let condition: Condition
  var hits = 0
  /// The quantity in the previous step; nil before the first.
  var previous: Double?

  /// The value that a walk must have computed before the condition can be checked; nil if none.
  var place: String? {
    switch condition {
    case .nonFinite, .step: nil
    case .reached(let name): name
    case .comparison(let quantity, _, _):
      switch quantity {
      case .loss: "loss"
      case .statistic(_, let name): name
      case .dead(let layer): "\(layer).out"
      case .cosine(_, _, let layer): "\(layer).in.grad"
      }
    }
  }

  /// Whether checking the condition needs more than the loss and the parameters' gradients.
  func needsMore(_ network: Network<Float>) -> Bool {
    guard case .comparison(let quantity, _, _) = condition else { return false }
    switch quantity {
    case .loss: return false
    case .dead, .cosine: return true
    case .statistic(_, let name):
      return !(ValueName(name).gradientBase.map(network.parameterNames.contains) ?? false)
    }
  }
}

/// The breakpoint that stopped a training or a walk, and the reason.
struct BreakpointHit: Sendable {
  let number: Int
  let text: String
  /// The measured quantity, or the place where a NaN or an infinity first arose.
  var found: OutputLine?
  /// The value at which an open pass is to stand after the hit; nil if the hit has none.
  let place: String?

  var line: OutputLine {
    let found: OutputLine = found.map { ": \($0)" } ?? ""
    return "breakpoint \(number)  \(text)\(found)"
  }
}

/// The values and gradients of one step that a condition can measure.
protocol BreakpointView {
  var network: Network<Float> { get }
  var loss: Double { get }
  /// The value or gradient called `name`; nil if there is none.
  func tensor(_ name: String) -> Tensor<Float>?
  /// The gradient of a parameter under the flow called `flow`; nil if there is none.
  func gradient(_ name: String, flow: String) -> Tensor<Float>?
}

extension Breakpoint.Quantity {
  /// The measured quantity; nil if a name does not exist, or if a gradient is 0 and has no direction.
  func value(in view: some BreakpointView) -> Double? {
    switch self {
    case .loss: return view.loss
    case .statistic(let kind, let name):
      return view.tensor(name).flatMap { Self.statistics[kind]?($0) }
    case .dead(let layer):
      let activations = view.network.valueNames.filter {
        $0.hasPrefix(layer + ".") && $0.hasSuffix(".a")
      }.compactMap { view.tensor($0) }
      let count = activations.reduce(0) { $0 + $1.shape.count }
      guard count > 0 else { return nil }
      return Double(activations.reduce(0) { $0 + $1.scalars.count { $0 == 0 } }) / Double(count)
    case .cosine(let first, let second, let layer):
      let names = view.network.parameterNames.filter { $0.hasPrefix(layer + ".") }
      func all(_ flow: String) -> Tensor<Float>? {
        let parts = names.compactMap { view.gradient($0, flow: flow)?.scalars }
        guard !parts.isEmpty, parts.count == names.count else { return nil }
        let scalars = parts.flatMap { $0 }
        return Tensor(shape: [scalars.count], scalars: scalars)
      }
      guard let a = all(first), let b = all(second) else { return nil }
      return GradientComparison(a, b).cosine
    }
  }

  static let statistics: [String: @Sendable (Tensor<Float>) -> Double] = [
    "norm": { $0.normAndZeros().norm }, "min": { $0.statistics(excluding: nil).min },
    "max": { $0.statistics(excluding: nil).max }, "mean": { $0.statistics(excluding: nil).mean },
    "std": { $0.statistics(excluding: nil).deviation },
    "zeros": { $0.normAndZeros().zeroShare },
  ]
}

extension Breakpoint {
  /// Counts a hit and says what was found.
  mutating func hit(found: OutputLine? = nil, at place: String?) -> BreakpointHit {
    hits += 1
    return BreakpointHit(number: number, text: text, found: found, place: place)
  }

  /// Returns a hit if the condition holds now; stores the quantity as `previous` for the next
  /// check.
  mutating func check(_ view: some BreakpointView) -> BreakpointHit? {
    guard case .comparison(let quantity, let relation, let side) = condition,
      let value = quantity.value(in: view)
    else { return nil }
    let before = previous
    previous = value
    // A comparison with 'previous' does not hold the first time.
    let threshold = side.value { _, _ in before ?? .nan }
    let comparison =
      relation == .different && threshold.isNaN ? false : relation.holds(value, threshold)
    guard comparison else { return nil }
    return hit(found: "\(value, significant: 6)", at: place)
  }
}

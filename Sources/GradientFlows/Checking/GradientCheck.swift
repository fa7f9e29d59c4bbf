// Proof of a gradient from outside: central differences in Double.
//
// The loss is computed again with one weight moved a little to either side. Two pairs of
// differences with steps h and h/2, extrapolated, give the derivative to about eleven digits:
//
//         D(h) = (loss(w + h) − loss(w − h)) / 2h        derivative ≈ (4·D(h/2) − D(h)) / 3
//
// A ReLU has a corner at 0, and the derivative of an ELU has one. If moving the weight carries any
// pre-activation, that of a projected skip included, (or, under the l1 loss, any error) over its
// corner, the difference is no derivative there: such a sample is marked as a kink and set apart.
//
// Where the loss is so large that its rounding exceeds the change that the gradient predicts, the
// difference says nothing: such a sample is marked as hidden and set apart, too.

import Networks
import Operations
package import Tensors

/// One element of a parameter: its gradient by the flow and by central differences.
package struct GradientSample: Hashable, Sendable {
  package let name: String
  /// The element's place in the parameter, such as [0, 2, 1, 1].
  package let index: [Int]
  package let analytic: Double, numeric: Double
  /// |analytic − numeric| / max(|analytic|, |numeric|, 10⁻³·the parameter's largest |gradient|,
  /// 10⁻⁵·|loss|/max(1, |weight|), 10⁶·the rounding of the difference): differences of the loss
  /// carry its rounding.
  package let relativeError: Double
  /// Whether a corner of an activation or of the loss was crossed.
  package let isKink: Bool
  /// Whether the rounding of the loss exceeds this gradient, and a thousandth of the parameter's
  /// largest.
  package let isHidden: Bool

  /// Whether the comparison says whether the gradient is right.
  package var isTelling: Bool { !isKink && !isHidden }
}

/// Compares the gradients of a flow with central differences.
package struct GradientCheck {
  package let flow: any GradientFlow
  package let pass: TrainingPass<Double>

  package init(_ flow: any GradientFlow, _ pass: TrainingPass<Double>) {
    self.flow = flow
    self.pass = pass
  }

  /// Checks `count` elements of each parameter in `names`, drawn by `stream`; all if it has fewer.
  ///
  /// When `shouldStop`, asked before each element, says yes, those so far are given back.
  package func samples(
    of names: [String], count: Int, stream: RandomStream, shouldStop: () -> Bool = { false }
  ) -> [GradientSample] {
    let result = pass.run(flow, retention: .training)
    let all = pass.network.parameterNames
    var samples: [GradientSample] = []
    for name in names {
      guard let parameter = all.firstIndex(of: name) else { continue }
      let gradient = result.parameterGradients[parameter]
      let largest = 1e-3 * gradient.largestMagnitude()
      let weights = pass.network.parameters[parameter].scalars
      for element in RandomStream.distinct(count, below: gradient.shape.count, stream) {
        guard !shouldStop() else { return samples }
        let (numeric, rounding, isKink) = derivative(parameter, element)
        let analytic = gradient.scalars[element]
        let lossByWeight = abs(result.loss) / max(1, abs(weights[element]))
        let size = max(
          abs(analytic), abs(numeric), largest, 1e-5 * lossByWeight, 1e6 * rounding,
          .leastNormalMagnitude)
        samples.append(
          GradientSample(
            name: name, index: gradient.shape.position(of: element), analytic: analytic,
            numeric: numeric, relativeError: abs(analytic - numeric) / size, isKink: isKink,
            isHidden: largest > 0 && rounding > max(abs(analytic), largest)))
      }
    }
    return samples
  }

  /// A derivative, the rounding of the loss in it (that of a sum over pixels: some last digits), and
  /// whether a corner was crossed.
  private typealias Difference = (value: Double, rounding: Double, isKink: Bool)

  /// The extrapolated central difference of the loss by one weight; the smaller of two steps is
  /// taken when the larger crosses a corner.
  private func derivative(_ parameter: Int, _ element: Int) -> Difference {
    let wide = derivative(parameter, element, step: 1e-3)
    return wide.isKink ? derivative(parameter, element, step: 1e-4) : wide
  }

  private func derivative(
    _ parameter: Int, _ element: Int, step: Double
  ) -> Difference {
    let h = step * max(1, abs(pass.network.parameters[parameter].scalars[element]))
    var corners: [Corners] = []
    var largest = 0.0
    func loss(_ shift: Double) -> Double {
      var network = pass.network
      var parameters = network.parameters
      parameters[parameter].scalars[element] += shift
      network.parameters = parameters
      let moved = pass.with(network)
      let values = moved.values()
      corners.append(Corners(moved, values))
      largest = max(largest, abs(values.loss))
      return values.loss
    }
    let coarse = (loss(h) - loss(-h)) / (2 * h)
    let fine = (loss(h / 2) - loss(-h / 2)) / h
    return (
      (4 * fine - coarse) / 3, 16 * largest.ulp / h,
      !corners.dropFirst().allSatisfy { $0 == corners[0] }
    )
  }
}

/// On which side of its corner each value of a pass lies.
private struct Corners: Equatable {
  private var sides: [[Bool]] = []

  init(_ pass: TrainingPass<Double>, _ values: PassResult<Double>) {
    for (place, node) in values.program.nodes.enumerated() {
      if let pool = node.operation as? Pool, pool.rule == .max,
        let x = values.value(at: node.operands[0])
      {
        // Where the largest of a window stands.
        let v = FeatureMap(x).pooled(pool.size, .max).repeated(pool.size).tensor
        sides.append(zip(x.scalars, v.scalars).map { $0 == $1 })
      }
      guard let operation = node.operation as? Activate, operation.function.hasKink else {
        continue
      }
      // An activation with a corner is above 0 exactly where its argument is.
      sides.append(values.value(at: place)?.scalars.map { $0 > 0 } ?? [])
    }
    if pass.loss.hasCorner {
      sides.append(zip(values.output.tensor.scalars, pass.target.scalars).map { $0 > $1 })
    }
  }
}

extension RandomStream {
  /// Up to `count` different numbers of 0..<bound, in rising order.
  fileprivate static func distinct(_ count: Int, below bound: Int, _ stream: RandomStream) -> [Int]
  {
    stream.permutation(bound).prefix(count).sorted()
  }
}

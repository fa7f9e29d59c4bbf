// Forward-mode differentiation: the derivative of a result along a direction of the operands.
//
// For v = f(u₁, u₂, …) and the directions u̇ᵢ:
//
//         v̇ = Σᵢ (∂f/∂uᵢ) · u̇ᵢ
//
// where the pullback computes ūᵢ = (∂f/∂uᵢ)ᵀ · v̄. Each operation tells beside its pullback which rule it has:
//
// | rule        | v̇                                            | operations                        |
// |-------------|----------------------------------------------|-----------------------------------|
// | linear      | f(u̇₁, u̇₂, …)                                 | copy, concat, pools of means, …   |
// | elementwise | Σ pullback of u̇ᵢ: a diagonal is its transpose | activations, products, merges     |
// | bilinear    | f(u̇₁, u₂) + f(u₁, u̇₂, u̇₃)                    | convolution, dense, scales        |
// | parts       | those of its elementary operations            | norms                             |
// | scalar      | Σ ū₁·u̇₁ with v̄ = 1                           | losses, sums                      |
//
// Source: Griewank and Walther, "Evaluating derivatives" (2008), chapter 3; Baydin et al., "Gradients without backpropagation"
// (2022), arXiv 2202.08587.

package import Tensors

/// The rule by which a derivative goes forward through an operation.
package enum TangentRule: Sendable {
  /// The operation is linear in all operands together.
  case linear
  /// Every number of the result depends on the numbers in its place alone.
  case elementwise
  /// The operation is linear in the first operand, and in the others, of which the third is added.
  case bilinear
  /// The operation consists of others.
  case parts
  /// The result is a number, and the first operand alone has a direction.
  case scalar
}

extension Operation {
  package func tangent<Element: Scalar>(
    _ directions: [Value<Element>?], _ values: OperationValues<Element>
  ) -> Value<Element> {
    let operands = values.operands
    switch tangentRule {
    case .linear: return forward(zip(directions, operands).map { $0 ?? $1.zeros })
    case .elementwise:
      return sum(
        directions.enumerated().map { index, direction in
          direction.map { pullback($0, to: index, values) }
        }, values)
    case .bilinear:
      let others = zip(directions, operands).dropFirst()
      let hasOthers = directions.dropFirst().contains { $0 != nil }
      return sum(
        [
          directions[0].map { forward([$0, operands[1]]) },
          hasOthers ? forward([operands[0]] + others.map { $0 ?? $1.zeros }) : nil,
        ], values)
    case .parts: return tangentOfParts(directions, values)
    case .scalar:
      guard let direction = directions[0] else { return values.result.zeros }
      return .number(pullback(.number(1), to: 0, values).dot(direction))
    }
  }

  private func sum<Element: Scalar>(
    _ terms: [Value<Element>?], _ values: OperationValues<Element>
  ) -> Value<Element> {
    terms.compactMap(\.self).reduce(nil) { $0?.adding($1) ?? $1 } ?? values.result.zeros
  }

  /// Goes through the elementary operations with values and directions.
  private func tangentOfParts<Element: Scalar>(
    _ directions: [Value<Element>?], _ values: OperationValues<Element>
  ) -> Value<Element> {
    guard let parts = parts(operands: directions.count, pixels: 1) else {
      preconditionFailure("An operation with the rule of its parts has parts.")
    }
    var made: [(value: Value<Element>, direction: Value<Element>?)] = []
    for part in parts {
      let read = part.sources.map { source in
        switch source {
        case .operand(let number): (values.operands[number], directions[number])
        case .part(let number): (made[number].value, made[number].direction)
        }
      }
      let value = part.operation.forward(read.map(\.0))
      let moves = read.contains { $0.1 != nil }
      let direction = part.operation.tangent(
        read.map(\.1), OperationValues(operands: read.map(\.0), result: value))
      made.append((value, moves ? direction : nil))
    }
    guard let last = made.last else { return values.result.zeros }
    return last.direction ?? values.result.zeros
  }
}

extension Value {
  /// A value of the same kind and shape in which every number is 0.
  package var zeros: Value {
    switch self {
    case .map(let map): .map(FeatureMap(shape: map.shape, number: 0))
    case .tensor(let tensor): .tensor(Tensor(shape: tensor.shape, repeating: 0))
    case .number: .number(0)
    case .released(let shape): .map(FeatureMap(shape: shape, number: 0))
    }
  }

  /// Returns the sum of the products of the numbers in equal places, in Double.
  package func dot(_ other: Value) -> Double {
    zip(tensor.scalars, other.tensor.scalars).reduce(0) { $0 + Double($1.0) * Double($1.1) }
  }
}

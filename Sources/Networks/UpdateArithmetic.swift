/// What an optimizer did to one weight, in letters and numbers.
package struct UpdateArithmetic: Hashable, Sendable {
  /// A number that a term is the product of.
  package struct Factor: Hashable, Sendable {
    package let name: String
    package let value: Double
  }

  package let formula: String
  /// The terms whose sum it is.
  package let terms: [[Factor]]

  init(_ formula: String, _ terms: [[(String, Double)]]) {
    self.formula = formula
    self.terms = terms.map { $0.map { Factor(name: $0.0, value: $0.1) } }
  }
}

/// What is known of one weight around one update.
package struct WeightHistory: Hashable, Sendable {
  /// The gradient that the rule was given, clipping and noise included.
  package let gradient: Double
  /// The moments before and after; 0 where the rule keeps none.
  package let mBefore: Double, vBefore: Double, m: Double, v: Double
  /// The number of the update, from 1.
  package let step: Int

  package init(
    gradient: Double, mBefore: Double, vBefore: Double, m: Double, v: Double, step: Int
  ) {
    (self.gradient, self.step) = (gradient, step)
    (self.mBefore, self.vBefore, self.m, self.v) = (mBefore, vBefore, m, v)
  }
}

extension Adam {
  package func arithmetic(of quantity: String, _ weight: WeightHistory) -> UpdateArithmetic? {
    let (keep1, take1) = (Double(Float(beta1)), Double(Float(1 - beta1)))
    let (keep2, take2) = (Double(Float(beta2)), Double(Float(1 - beta2)))
    let g = ("g", weight.gradient)
    switch (quantity, isIncremental) {
    case ("m", false):
      return UpdateArithmetic(
        "m ← β₁·m + (1 − β₁)·g",
        [[("β₁", keep1), ("m before", weight.mBefore)], [("1−β₁", take1), g]])
    case ("m", true):
      return UpdateArithmetic(
        "m ← m + (1 − β₁)·(g − m)",
        [
          [("m before", weight.mBefore)], [("1−β₁", take1), g],
          [("−1", -1), ("1−β₁", take1), ("m before", weight.mBefore)],
        ])
    case ("v", false):
      return UpdateArithmetic(
        "v ← β₂·v + (1 − β₂)·g²",
        [[("β₂", keep2), ("v before", weight.vBefore)], [("1−β₂", take2), g, g]])
    case ("v", true):
      return UpdateArithmetic(
        "v ← v + (1 − β₂)·(g² − v)",
        [
          [("v before", weight.vBefore)], [("1−β₂", take2), g, g],
          [("−1", -1), ("1−β₂", take2), ("v before", weight.vBefore)],
        ])
    case ("update", _):
      let (c1, c2) = corrections(step: weight.step)
      let (m, v) = (weight.m / Double(c1), weight.v / Double(c2))
      return UpdateArithmetic(
        "update = −lr · m̂ / (√v̂ + ε), m̂ = m/\(c1) = \(Float(m)), v̂ = v/\(c2) = \(Float(v))",
        [
          [
            ("−lr", -Double(Float(learningRate))), ("m̂", m),
            ("1/(√v̂ + ε)", 1 / (v.squareRoot() + Double(Float(epsilon)))),
          ]
        ])
    default: return nil
    }
  }
}

extension SGD {
  package func arithmetic(of quantity: String, _ weight: WeightHistory) -> UpdateArithmetic? {
    let (g, rate) = (("g", weight.gradient), ("−lr", -Double(Float(learningRate))))
    let momentum = ("momentum", Double(Float(momentum)))
    switch quantity {
    case "m" where self.momentum != 0:
      return UpdateArithmetic(
        "m ← momentum·m + g", [[momentum, ("m before", weight.mBefore)], [g]])
    case "update" where self.momentum == 0:
      return UpdateArithmetic("update = −lr · g", [[rate, g]])
    case "update" where isNesterov:
      return UpdateArithmetic(
        "update = −lr · (g + momentum·m)", [[rate, g], [rate, momentum, ("m", weight.m)]])
    case "update": return UpdateArithmetic("update = −lr · m", [[rate, ("m", weight.m)]])
    default: return nil
    }
  }
}

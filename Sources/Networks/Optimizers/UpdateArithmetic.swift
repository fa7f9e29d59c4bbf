/// The arithmetic by which an optimizer changed one weight, as a formula and numbers.
package struct UpdateArithmetic: Hashable, Sendable {
  /// A factor of a term, with its name.
  package struct Factor: Hashable, Sendable {
    package let name: String
    package let value: Double

    package init(name: String, value: Double) { (self.name, self.value) = (name, value) }
  }

  package let formula: String
  /// The terms of the sum, each a product of factors.
  package let terms: [[Factor]]

  init(_ formula: String, _ terms: [[(String, Double)]]) {
    self.init(formula, terms.map { $0.map { Factor(name: $0.0, value: $0.1) } })
  }

  package init(_ formula: String, _ terms: [[Factor]]) {
    (self.formula, self.terms) = (formula, terms)
  }
}

/// The gradient and moments of one weight around one update.
package struct WeightHistory: Hashable, Sendable {
  /// The gradient for the rule, after clipping and noise.
  package let gradient: Double
  /// The numbers that the rule keeps of the weight, by name, before and after the update.
  private let before: [String: Double], after: [String: Double]
  /// The number of the update, from 1.
  package let step: Int

  package init(
    gradient: Double, before: [String: Double], after: [String: Double], step: Int
  ) {
    (self.gradient, self.before, self.after, self.step) = (gradient, before, after, step)
  }

  /// Returns what was kept under a name before the update; 0 where the rule keeps none.
  func before(_ name: String) -> Double { before[name] ?? 0 }

  /// Returns what is kept under a name after the update; 0 where the rule keeps none.
  func after(_ name: String) -> Double { after[name] ?? 0 }
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
        [[("β₁", keep1), ("m before", weight.before("m"))], [("1−β₁", take1), g]])
    case ("m", true):
      return UpdateArithmetic(
        "m ← m + (1 − β₁)·(g − m)",
        [
          [("m before", weight.before("m"))], [("1−β₁", take1), g],
          [("−1", -1), ("1−β₁", take1), ("m before", weight.before("m"))],
        ])
    case ("v", false):
      return UpdateArithmetic(
        "v ← β₂·v + (1 − β₂)·g²",
        [[("β₂", keep2), ("v before", weight.before("v"))], [("1−β₂", take2), g, g]])
    case ("v", true):
      return UpdateArithmetic(
        "v ← v + (1 − β₂)·(g² − v)",
        [
          [("v before", weight.before("v"))], [("1−β₂", take2), g, g],
          [("−1", -1), ("1−β₂", take2), ("v before", weight.before("v"))],
        ])
    case ("update", _):
      let (c1, c2) = corrections(step: weight.step)
      let (m, v) = (weight.after("m") / Double(c1), weight.after("v") / Double(c2))
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
        "m ← momentum·m + g", [[momentum, ("m before", weight.before("m"))], [g]])
    case "update" where self.momentum == 0:
      return UpdateArithmetic("update = −lr · g", [[rate, g]])
    case "update" where isNesterov:
      return UpdateArithmetic(
        "update = −lr · (g + momentum·m)",
        [[rate, g], [rate, momentum, ("m", weight.after("m"))]])
    case "update": return UpdateArithmetic("update = −lr · m", [[rate, ("m", weight.after("m"))]])
    default: return nil
    }
  }
}

/// A factor: a name and a number.
private typealias Part = (String, Double)

/// The arithmetic of v ← decay·v + (1 − decay)·g², for rules with a running mean of squares.
private func runningSquare(_ decay: Double, _ weight: WeightHistory) -> UpdateArithmetic {
  let g = ("g", weight.gradient)
  return UpdateArithmetic(
    "v ← decay·v + (1 − decay)·g²",
    [
      [("decay", Double(Float(decay))), ("v before", weight.before("v"))],
      [("1−decay", Double(Float(1 - decay))), g, g],
    ])
}

extension RMSProp {
  package func arithmetic(of quantity: String, _ weight: WeightHistory) -> UpdateArithmetic? {
    let rate: Part = ("−lr", -Double(Float(learningRate)))
    let direction: [Part] = [
      ("g", weight.gradient),
      ("1/(√v + ε)", 1 / (weight.after("v").squareRoot() + Double(Float(epsilon)))),
    ]
    switch quantity {
    case "v": return runningSquare(decay, weight)
    case "m" where momentum != 0:
      return UpdateArithmetic(
        "m ← momentum·m + g/(√v + ε)",
        [[("momentum", Double(Float(momentum))), ("m before", weight.before("m"))], direction])
    case "update" where momentum != 0:
      return UpdateArithmetic("update = −lr · m", [[rate, ("m", weight.after("m"))]])
    case "update": return UpdateArithmetic("update = −lr · g/(√v + ε)", [[rate] + direction])
    default: return nil
    }
  }
}

extension Adagrad {
  package func arithmetic(of quantity: String, _ weight: WeightHistory) -> UpdateArithmetic? {
    let g: Part = ("g", weight.gradient)
    switch quantity {
    case "v":
      let before: Part =
        weight.step == 1 ? ("initial", Double(Float(initial))) : ("v before", weight.before("v"))
      return UpdateArithmetic("v ← v + g²", [[before], [g, g]])
    case "update":
      let rate = Double(Float(learningRate / (1 + Double(weight.step - 1) * decay)))
      let letters = decay == 0 ? "−lr" : "−lr/(1 + (t − 1)·decay)"
      return UpdateArithmetic(
        "update = \(letters) · g/(√v + ε)\(decay == 0 ? "" : ", t = \(weight.step)")",
        [
          [
            (letters, -rate), g,
            ("1/(√v + ε)", 1 / (weight.after("v").squareRoot() + Double(Float(epsilon)))),
          ]
        ])
    default: return nil
    }
  }
}

extension Adadelta {
  package func arithmetic(of quantity: String, _ weight: WeightHistory) -> UpdateArithmetic? {
    let ε = Double(Float(epsilon))
    let delta: [Part] = [
      ("√(m before + ε)", (weight.before("m") + ε).squareRoot()),
      ("1/√(v + ε)", 1 / (weight.after("v") + ε).squareRoot()), ("g", weight.gradient),
    ]
    switch quantity {
    case "v": return runningSquare(decay, weight)
    case "m":
      let step: Part = ("Δ", delta.reduce(1) { $0 * $1.1 })
      return UpdateArithmetic(
        "m ← decay·m + (1 − decay)·Δ², Δ = √(m before + ε)/√(v + ε) · g",
        [
          [("decay", Double(Float(decay))), ("m before", weight.before("m"))],
          [("1−decay", Double(Float(1 - decay))), step, step],
        ])
    case "update":
      return UpdateArithmetic(
        "update = −lr · √(m before + ε)/√(v + ε) · g",
        [[("−lr", -Double(Float(learningRate)))] + delta])
    default: return nil
    }
  }
}

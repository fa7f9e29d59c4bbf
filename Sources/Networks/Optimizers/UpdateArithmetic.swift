/// The arithmetic by which an optimizer changed one weight, as a formula and numbers.
package struct UpdateArithmetic: Hashable, Sendable {
  /// A factor of a term, with its name.
  package struct Factor: Hashable, Sendable {
    package let name: String
    package let value: Double

    package init(name: String, value: Double) { (self.name, self.value) = (name, value) }
  }

  /// The arithmetic of a factor that has no name to ask for.
  package struct Inner: Hashable, Sendable {
    package let name: String
    package let value: Double
    package let arithmetic: UpdateArithmetic
  }

  package let formula: String
  /// The terms of the sum, each a product of factors.
  package let terms: [[Factor]]
  /// The arithmetic of some of the factors.
  package let inner: [Inner]

  init(_ formula: String, _ terms: [[(String, Double)]]) {
    self.init(formula, terms.map { $0.map { Factor(name: $0.0, value: $0.1) } })
  }

  package init(_ formula: String, _ terms: [[Factor]], inner: [Inner] = []) {
    (self.formula, self.terms, self.inner) = (formula, terms, inner)
  }

  /// Whether the gradient that the rule was given is a factor, here or further in.
  package var readsGradient: Bool {
    terms.joined().contains { ["g", "Δ"].contains($0.name) }
      || inner.contains { $0.arithmetic.readsGradient }
  }
}

/// The gradient and moments of one weight around one update.
package struct WeightHistory: Hashable, Sendable {
  /// The gradient for the rule, after clipping and noise.
  package let gradient: Double
  /// The weight before the update.
  package let weight: Double
  /// The numbers that the rule keeps of the weight, by name, before and after the update.
  private let before: [String: Double], after: [String: Double]
  /// The number of the update, from 1.
  package let step: Int

  package init(
    gradient: Double, weight: Double, before: [String: Double], after: [String: Double], step: Int
  ) {
    (self.gradient, self.weight) = (gradient, weight)
    (self.before, self.after, self.step) = (before, after, step)
  }

  /// Returns what was kept under a name before the update; 0 where the rule keeps none.
  func before(_ name: String) -> Double { before[name] ?? 0 }

  /// Returns what is kept under a name after the update; 0 where the rule keeps none.
  func after(_ name: String) -> Double { after[name] ?? 0 }
}

extension UpdateArithmetic {
  /// The arithmetic of v ← decay·v + (1 − decay)·g², for rules with a running mean of squares.
  static func runningSquare(_ decay: Double, _ weight: WeightHistory) -> UpdateArithmetic {
    let g = ("g", weight.gradient)
    return UpdateArithmetic(
      "v ← decay·v + (1 − decay)·g²",
      [
        [("decay", Double(Float(decay))), ("v before", weight.before("v"))],
        [("1−decay", Double(Float(1 - decay))), g, g],
      ])
  }
}

extension UpdateArithmetic.Factor {
  /// A factor with a name; terms read as lists of these.
  init(_ name: String, _ value: Double) { self.init(name: name, value: value) }
}

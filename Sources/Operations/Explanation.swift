// The arithmetic behind one number of a pass: which terms it is the sum of.
//
// Every value of a network is a sum of products: a convolution of weights and inputs, a merge of an
// activation and a skip, a gradient of a weight of all positions where it was used. An activation or
// a loss term is a product of one factor, the function's value. The terms are formed in Double from
// the stored numbers in single precision, so that their sum differs from the stored result by
// rounding alone.

/// Why a number is what it is.
package struct Explanation: Sendable {
  /// A number that a term is the product of.
  package struct Factor: Hashable, Sendable {
    /// The factor's name, such as `b1.conv1.weight[0,1,2,2]`.
    package let name: String
    package let value: Double

    package init(_ name: String, _ value: Double) { (self.name, self.value) = (name, value) }
  }

  package struct Term: Hashable, Sendable {
    /// Where in the sum: kernel taps, positions, or the number of the term.
    package let index: [Int]
    package let factors: [Factor]
    package let product: Double
  }

  /// The value or gradient, with its index.
  package let name: String
  /// The rule in letters.
  package let formula: String
  /// As the pass stored it.
  package let value: Double
  /// The largest terms, by magnitude.
  package let terms: [Term]
  /// The number and the sum of the terms that are not listed.
  package let restCount: Int
  package let rest: Double
  /// The sum of all terms in Double.
  package let sum: Double
  /// The arithmetic of factors that have no name of their own to ask for.
  package var inner: [Explanation] = []

  /// The explanation of a stored number as the sum of a few terms.
  package init(_ name: String, value: Double, formula: String, _ terms: [[Factor]]) {
    self = TermList(formula, terms).explanation(of: name, stored: value, most: terms.count)
  }

  /// The same with other names of the factors.
  package func renaming(_ name: (String) -> String) -> Explanation {
    var result = Explanation(
      name: self.name, formula: formula, value: value,
      terms: terms.map { term in
        Term(
          index: term.index, factors: term.factors.map { Factor(name($0.name), $0.value) },
          product: term.product)
      }, restCount: restCount, rest: rest, sum: sum)
    result.inner = inner.map { $0.renaming(name) }
    return result
  }

  init(
    name: String, formula: String, value: Double, terms: [Term], restCount: Int, rest: Double,
    sum: Double
  ) {
    (self.name, self.formula, self.value, self.terms) = (name, formula, value, terms)
    (self.restCount, self.rest, self.sum) = (restCount, rest, sum)
  }
}

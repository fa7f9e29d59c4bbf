// The arithmetic behind one number of a pass: which terms it is the sum of.
//
// Every value of a network is a sum of products: a convolution of weights and inputs, a merge of an
// activation and a skip, a gradient of a weight of all positions where it was used. An activation or
// a loss term is a product of one factor, the function's value. The terms are formed in Double from
// the stored numbers in single precision, so that their sum differs from the stored result by
// rounding alone.

import Tensors

/// Why a number is what it is.
package struct Explanation: Sendable {
  /// A number that a term is the product of.
  package struct Factor: Hashable, Sendable {
    /// What it is, such as `b1.conv1.weight[0,1,2,2]`.
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
  /// How a factor of the terms became what it is, where that has no name to ask for.
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

  fileprivate init(
    name: String, formula: String, value: Double, terms: [Term], restCount: Int, rest: Double,
    sum: Double
  ) {
    (self.name, self.formula, self.value, self.terms) = (name, formula, value, terms)
    (self.restCount, self.rest, self.sum) = (restCount, rest, sum)
  }
}

/// The terms of a sum, made only when somebody looks at one.
struct TermList {
  let formula: String
  let count: Int
  /// The product of term i.
  let product: (Int) -> Double
  /// Term i with its factors.
  let term: (Int) -> (index: [Int], factors: [Explanation.Factor])

  init(
    _ formula: String, count: Int, product: @escaping (Int) -> Double,
    term: @escaping (Int) -> (index: [Int], factors: [Explanation.Factor])
  ) {
    (self.formula, self.count, self.product, self.term) = (formula, count, product, term)
  }

  /// A few terms that are written out.
  init(_ formula: String, _ terms: [[Explanation.Factor]]) {
    self.init(
      formula, count: terms.count, product: { terms[$0].reduce(1) { $0 * $1.value } },
      term: { ([$0], terms[$0]) })
  }

  /// The terms of both, one after the other.
  func adding(_ other: TermList?, _ formula: String) -> TermList {
    guard let other else { return TermList(formula, count: count, product: product, term: term) }
    let (first, count) = (self, self.count)
    return TermList(
      formula, count: count + other.count,
      product: { $0 < count ? first.product($0) : other.product($0 - count) },
      term: { $0 < count ? first.term($0) : other.term($0 - count) })
  }

  /// The explanation of a stored number, with the `most` largest terms.
  func explanation(of name: String, stored: Double, most: Int) -> Explanation {
    var products = [Double](repeating: 0, count: count)
    var sum = 0.0
    for i in 0..<count {
      products[i] = product(i)
      sum += products[i]
    }
    let shown = Self.largest(products, most)
    let terms = shown.map { i in
      let (index, factors) = term(i)
      return Explanation.Term(index: index, factors: factors, product: products[i])
    }
    let listed = terms.reduce(0) { $0 + $1.product }
    return Explanation(
      name: name, formula: formula, value: stored, terms: terms,
      restCount: count - shown.count, rest: count == shown.count ? 0 : sum - listed, sum: sum)
  }

  /// The places of the `most` largest magnitudes, the largest first.
  private static func largest(_ values: [Double], _ most: Int) -> [Int] {
    guard values.count > most else {
      return values.indices.sorted { abs(values[$0]) > abs(values[$1]) }
    }
    var best: [Int] = []
    for i in values.indices {
      if best.count == most, abs(values[i]) <= abs(values[best[most - 1]]) { continue }
      let place = best.firstIndex { abs(values[$0]) < abs(values[i]) } ?? best.count
      best.insert(i, at: place)
      if best.count > most { best.removeLast() }
    }
    return best
  }
}

/// A tensor with a name, read as `[n, c, y, x]` or `[o]`, its numbers as factors of terms.
struct NamedGrid {
  let name: String
  let tensor: Tensor<Float>
  /// How many axes, counted from the last, its name tells.
  var rank = 4

  func value(_ index: [Int]) -> Double { Double(tensor.scalars[tensor.shape.offset(of: index)]) }

  func factor(_ index: [Int]) -> Explanation.Factor {
    Explanation.Factor(place(index), value(index))
  }

  /// The name of one number.
  func place(_ index: [Int]) -> String {
    let told = index.suffix(rank).map(String.init).joined(separator: ",")
    return told.isEmpty ? name : "\(name)[\(told)]"
  }
}

import Tensors

/// The terms of a sum, made only when one is looked at.
package struct TermList {
  /// The sum in letters; empty where the operation's formula tells it.
  package let formula: String
  /// A number that the formula was computed from, such as `z = b1.conv1.z[0,0,1,1] = 0.5`; may be empty.
  package let note: String
  package let count: Int
  /// The product of term i.
  package let product: (Int) -> Double
  /// Term i with its factors.
  package let term: (Int) -> (index: [Int], factors: [Explanation.Factor])

  package init(
    _ formula: String, note: String = "", count: Int, product: @escaping (Int) -> Double,
    term: @escaping (Int) -> (index: [Int], factors: [Explanation.Factor])
  ) {
    (self.formula, self.note, self.count) = (formula, note, count)
    (self.product, self.term) = (product, term)
  }

  /// A few terms that are written out; their index is their number.
  package init(_ formula: String, note: String = "", _ terms: [[Explanation.Factor]]) {
    self.init(
      formula, note: note, count: terms.count,
      product: { terms[$0].reduce(1) { $0 * $1.value } }, term: { ([$0], terms[$0]) })
  }

  /// A few terms of a sum whose letters are told elsewhere.
  package init(_ terms: [[Explanation.Factor]]) { self.init("", terms) }

  /// Returns the same terms under another formula, and no note.
  package func told(_ formula: String) -> TermList {
    TermList(formula, count: count, product: product, term: term)
  }

  /// Returns the terms of both sums, one after the other.
  package func adding(_ other: TermList, _ formula: String) -> TermList {
    let (first, count) = (self, self.count)
    return TermList(
      formula, note: [note, other.note].filter { !$0.isEmpty }.joined(separator: ", "),
      count: count + other.count,
      product: { $0 < count ? first.product($0) : other.product($0 - count) },
      term: { $0 < count ? first.term($0) : other.term($0 - count) })
  }

  /// Returns the explanation of a stored number, with the `most` largest terms.
  package func explanation(of name: String, stored: Double, most: Int) -> Explanation {
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
      name: name, formula: note.isEmpty ? formula : "\(formula), \(note)", value: stored,
      terms: terms,
      restCount: count - shown.count, rest: count == shown.count ? 0 : sum - listed, sum: sum)
  }

  /// Returns the places of the `most` largest magnitudes, the largest first.
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

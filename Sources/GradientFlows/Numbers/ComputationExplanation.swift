import Networks
package import Operations
import Tensors

/// The terms behind each number of a computation.
extension Computation {
  /// Explains the element at `index` of the value or gradient called `name`.
  ///
  /// - Parameters:
  ///   - name: Such as `y`, `y.1` or `c.grad`.
  ///   - index: One number an axis; empty for a single number.
  ///   - gradients: The last backward reading, for gradients.
  ///   - most: How many terms are listed.
  /// - Returns: The arithmetic; nil for what nothing computes.
  package func explanation(
    of name: String, at index: [Int], gradients: ComputationGradients?, most: Int = 8
  ) -> Explanation? {
    let base = ValueName(name).gradientBase
    guard let place = place(base ?? name) else { return nil }
    let (stored, terms): (NamedGrid, TermList)
    if base != nil {
      guard let gradients, let value = gradients.values[place] else { return nil }
      stored = NamedGrid(image: name, value)
      terms = gradientTerms(of: place, at: image(index), gradients)
    } else {
      guard let known = valueTerms(of: place, at: image(index)) else { return nil }
      (stored, terms) = (grid(place), known)
    }
    return terms.explanation(
      of: stored.place(image(index)), stored: stored.value(image(index)), most: most)
  }

  /// The index among four axes.
  private func image(_ index: [Int]) -> [Int] {
    Array(repeating: 0, count: 4 - index.count) + index
  }

  private func grid(_ place: Int) -> NamedGrid {
    NamedGrid(image: nodes[place].name, nodes[place].value)
  }

  private func grids(_ place: Int) -> OperationGrids {
    OperationGrids(operands: nodes[place].operands.map { grid($0) }, result: grid(place))
  }

  private func valueTerms(of place: Int, at index: [Int]) -> TermList? {
    guard let terms = nodes[place].operation?.terms(at: index, grids(place)) else { return nil }
    return terms.note.isEmpty
      ? terms.told(equation(of: place))
      : terms.adding(TermList([]), "\(nodes[place].name) = \(terms.formula)")
  }

  /// The sum of all arrivals at the gradient.
  private func gradientTerms(
    of place: Int, at index: [Int], _ gradients: ComputationGradients
  ) -> TermList {
    let numbers = gradients.arrivals.indices.filter { gradients.arrivals[$0].to == place }
    guard place != gradients.end || !numbers.isEmpty else {
      return TermList("∂\(nodes[place].name)/∂\(nodes[place].name)", [[.init("1", 1)]])
    }
    let words = numbers.map { gradients.share($0, in: self).text }
    let formula = "\(nodes[place].name).grad = \(words.joined(separator: " + "))"
    return numbers.reduce(TermList([])) { sum, number in
      let arrival = gradients.arrivals[number]
      let node = nodes[arrival.from]
      guard let operation = node.operation, let value = gradients.values[arrival.from] else {
        return sum
      }
      return sum.adding(
        operation.pullbackTerms(
          at: index, to: arrival.operand, NamedGrid(image: "\(node.name).grad", value),
          grids(arrival.from)), "")
    }.told(formula)
  }
}

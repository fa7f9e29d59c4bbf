// A mix of losses, Σ weight·loss, as an operation: that of its losses, each times its weight.

import Operations

extension Loss {
  /// The elementary operations of all losses of a mix, and their weighted sum.
  func parts(of losses: [Weighted], operands: Int, pixels: Double) -> [OperationPart] {
    var all: [OperationPart] = []
    var results: [OperationPart.Source] = []
    for weighted in losses {
      let own =
        weighted.loss.parts(operands: operands, pixels: pixels)
        ?? [OperationPart(weighted.loss, (0..<operands).map { .operand($0) })]
      let first = all.count
      all += own.map { part in
        OperationPart(
          part.operation,
          part.sources.map { source in
            if case .part(let number) = source { .part(first + number) } else { source }
          })
      }
      results.append(.part(all.count - 1))
    }
    return all + [OperationPart(WeightedSum(losses.map(\.weight)), results)]
  }

  /// The terms of all losses of a mix, each with the loss's weight as its first factor.
  func weightedTerms(_ losses: [Weighted], _ terms: (Loss) -> TermList) -> TermList {
    losses.reduce(TermList([])) { sum, weighted in
      let own = terms(weighted.loss)
      let weight = Explanation.Factor("weight of \(weighted.loss.name)", weighted.weight)
      return sum.adding(
        TermList(
          "", note: own.note, count: own.count, product: { weight.value * own.product($0) },
          term: { i in
            let (index, factors) = own.term(i)
            return (index, [weight] + factors)
          }), "")
    }
  }
}

package import Tensors

/// v = 1/√(x + ε), number by number of a tensor: x̄ = −½·v³ · v̄.
///
/// The operand is a tensor of variances: an elementary part of normalizations.
package struct InverseRoot: Operation {
  /// ε, which keeps the root from 0.
  package let epsilon: Double

  package init(epsilon: Double) { self.epsilon = epsilon }

  package var word: String { "inverse root" }
  package var tangentRule: TangentRule { .elementwise }

  package func resultShape(_ operands: [Shape]) -> Shape { operands[0] }

  package func forward<Element: Scalar>(_ operands: [Value<Element>]) -> Value<Element> {
    .tensor(operands[0].tensor.inverseRoots(epsilon: epsilon))
  }

  package func pullback<Element: Scalar>(
    _ gradient: Value<Element>, to index: Int, _ values: OperationValues<Element>
  ) -> Value<Element> {
    .tensor(gradient.tensor.pulledBack(throughInverseRoots: values.result.tensor))
  }

  package func formula(_ names: OperationNames) -> String { "1/√(\(names.operands[0]) + ε)" }

  package func pullbackFormula(
    _ gradient: String, to index: Int, _ names: OperationNames
  ) -> PullbackFormula {
    PullbackFormula("−½·\(names.result)³ · \(gradient)", reads: [names.result])
  }

  package func terms(at place: [Int], _ grids: OperationGrids) -> TermList {
    let x = grids.operands[0].factor(place)
    return TermList([[.init("1/√(\(x.name) + ε)", 1 / (x.value + epsilon).squareRoot())]])
  }

  package func pullbackTerms(
    at place: [Int], to index: Int, _ gradient: NamedGrid, _ grids: OperationGrids
  ) -> TermList {
    let v = grids.result.factor(place)
    return TermList([[.init("−½", -0.5), v, v, v, gradient.factor(place)]])
  }
}

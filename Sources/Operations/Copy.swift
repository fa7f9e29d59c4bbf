package import Tensors

/// y = x, under a name of its own.
///
/// Its gradient is what arrives by this way alone, which lets one see the ways apart.
package struct Copy: Operation {
  package let word: String
  package var tangentRule: TangentRule { .linear }
  package let isAlias: Bool

  /// The value under another name; with a word, a step of its own.
  package init(word: String? = nil) { (self.word, isAlias) = (word ?? "copy", word == nil) }

  package var sharesResult: Bool { true }
  package func sharesGradient(to index: Int) -> Bool { true }

  package func resultShape(_ operands: [Shape]) -> Shape { operands[0] }

  package func forward<Element: Scalar>(_ operands: [Value<Element>]) -> Value<Element> {
    operands[0]
  }

  package func pullback<Element: Scalar>(
    _ gradient: Value<Element>, to index: Int, _ values: OperationValues<Element>
  ) -> Value<Element> { gradient }

  package func formula(_ names: OperationNames) -> String { names.operands[0] }

  package func pullbackFormula(
    _ gradient: String, to index: Int, _ names: OperationNames
  ) -> PullbackFormula { PullbackFormula(gradient) }

  package func terms(at place: [Int], _ grids: OperationGrids) -> TermList {
    TermList([[grids.operands[0].factor(place)]])
  }

  package func pullbackTerms(
    at place: [Int], to index: Int, _ gradient: NamedGrid, _ grids: OperationGrids
  ) -> TermList { TermList([[gradient.factor(place)]]) }
}

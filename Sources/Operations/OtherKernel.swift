package import Tensors

/// An operation with a kernel, whose gradient goes back to x through another kernel B.
///
///     z = f(x, w, b)                       as the operation itself computes it
///     x̄ = (∂f/∂x at w = B)ᵀ · z̄            for a convolution Bᵀ ∗ z̄
///     w̄, b̄                                 as those of the operation itself
///
/// The operands are those of the operation, x, w and perhaps b, and B, of the shape of w, which has no
/// gradient. Source: Lillicrap, Cownden, Tweed and Akerman, "Random feedback weights support learning in deep neural
/// networks" (2014), arXiv 1411.0247.
package struct OtherKernel: Operation {
  /// A convolution or a dense layer: linear in x and in w, so that w̄ does not depend on w.
  package let base: any Operation

  /// The number of operands of the operation itself.
  private let count: Int

  /// - Parameters:
  ///   - base: The operation itself.
  ///   - count: How many operands it reads.
  package init(_ base: any Operation, operands count: Int) {
    (self.base, self.count) = (base, count)
  }

  package var word: String { base.word }
  package var tangentRule: TangentRule { base.tangentRule }

  package func tangent<Element: Scalar>(
    _ directions: [Value<Element>?], _ values: OperationValues<Element>
  ) -> Value<Element> {
    base.tangent(
      Array(directions.dropLast()),
      OperationValues(operands: Array(values.operands.dropLast()), result: values.result))
  }

  package func resultShape(_ operands: [Shape]) throws(OperationError) -> Shape {
    try base.resultShape(Array(operands.dropLast()))
  }

  package func scratchBytes<Element: Scalar>(_ operands: [Shape], _ type: Element.Type) -> Int {
    base.scratchBytes(Array(operands.dropLast()), type)
  }

  package func hasPullback(to index: Int) -> Bool { index < count && base.hasPullback(to: index) }

  package func forward<Element: Scalar>(_ operands: [Value<Element>]) -> Value<Element> {
    base.forward(Array(operands.dropLast()))
  }

  package func pullback<Element: Scalar>(
    _ gradient: Value<Element>, to index: Int, _ values: OperationValues<Element>
  ) -> Value<Element> {
    base.pullback(
      gradient, to: index,
      OperationValues(operands: through(values.operands, index), result: values.result))
  }

  /// The operands of the operation itself; on the way to x with B in the place of w.
  private func through<Operand>(_ operands: [Operand], _ index: Int) -> [Operand] {
    var own = Array(operands.dropLast())
    if index == 0, let other = operands.last { own[1] = other }
    return own
  }

  package func formula(_ names: OperationNames) -> String {
    base.formula(names.with(Array(names.operands.dropLast())))
  }

  package func pullbackFormula(
    _ gradient: String, to index: Int, _ names: OperationNames
  ) -> PullbackFormula {
    base.pullbackFormula(gradient, to: index, names.with(through(names.operands, index)))
  }

  package func terms(at place: [Int], _ grids: OperationGrids) -> TermList {
    base.terms(
      at: place, OperationGrids(operands: Array(grids.operands.dropLast()), result: grids.result))
  }

  package func pullbackTerms(
    at place: [Int], to index: Int, _ gradient: NamedGrid, _ grids: OperationGrids
  ) -> TermList {
    base.pullbackTerms(
      at: place, to: index, gradient,
      OperationGrids(operands: through(grids.operands, index), result: grids.result))
  }
}

extension OperationNames {
  /// Returns the names with other operands.
  fileprivate func with(_ operands: [String]) -> OperationNames {
    OperationNames(operands: operands, result: result, areLetters: areLetters)
  }
}

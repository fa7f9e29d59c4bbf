package import Tensors

/// v[n,c,y,x] = x[n,c,y,x] − μ, where μ belongs to a channel or a group of channels of one image.
///
///     x̄ = v̄,    μ̄ = −Σ v̄ over all that share μ
///
/// The operands are x and the tensor of the means, `[C]` or `[N, groups]`.
package struct Center: Operation {
  package let sharing: ChannelSharing

  package init(_ sharing: ChannelSharing) { self.sharing = sharing }

  package var word: String { "center" }
  package var tangentRule: TangentRule { .linear }

  package func resultShape(_ operands: [Shape]) -> Shape { operands[0] }

  package func forward<Element: Scalar>(_ operands: [Value<Element>]) -> Value<Element> {
    .map(operands[0].map.centered(around: operands[1].tensor, sharing))
  }

  package func pullback<Element: Scalar>(
    _ gradient: Value<Element>, to index: Int, _ values: OperationValues<Element>
  ) -> Value<Element> {
    index == 0 ? gradient : .tensor(gradient.map.channelTotals(sharing).scaled(by: -1))
  }

  package func sharesGradient(to index: Int) -> Bool { index == 0 }

  package func formula(_ names: OperationNames) -> String {
    "\(names.operands[0]) − \(names.operands[1])"
  }

  package func pullbackFormula(
    _ gradient: String, to index: Int, _ names: OperationNames
  ) -> PullbackFormula { PullbackFormula(index == 0 ? gradient : "−Σ \(gradient)") }

  package func terms(at place: [Int], _ grids: OperationGrids) -> TermList {
    let (x, means) = (grids.operands[0], grids.operands[1])
    return TermList([
      [x.factor(place)], [.minusOne, means.factor(sharing.index(place, of: x.shape))],
    ])
  }

  package func pullbackTerms(
    at place: [Int], to index: Int, _ gradient: NamedGrid, _ grids: OperationGrids
  ) -> TermList {
    guard index == 1 else { return TermList([[gradient.factor(place)]]) }
    return SharedNumbers(sharing, gradient.shape, at: sharing.place(place)).terms(
      { -gradient.value($0) }, { [.minusOne, gradient.factor($0)] })
  }
}

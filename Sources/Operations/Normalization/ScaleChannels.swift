package import Tensors

/// v[n,c,y,x] = x[n,c,y,x] · w + b, where w belongs to a channel or a group of channels of one image, and
/// b to a channel.
///
///     x̄ = v̄ · w,    w̄ = Σ v̄ · x over all that share w,    b̄[c] = Σ v̄
///
/// The operands are x, the tensor of factors, `[C]` or `[N, groups]`, and, if there is one, b, `[C]`.
package struct ScaleChannels: Operation {
  /// The numbers that share a factor: those of a channel, or of a group of channels of one image.
  package let sharing: ChannelSharing

  package init(_ sharing: ChannelSharing = .batch) { self.sharing = sharing }

  package var word: String { "scale channels" }
  package var tangentRule: TangentRule { .bilinear }

  package func resultShape(_ operands: [Shape]) -> Shape { operands[0] }

  package func forward<Element: Scalar>(_ operands: [Value<Element>]) -> Value<Element> {
    precondition(
      operands.count < 3 || sharing == .batch, "With an offset, each channel has a factor.")
    return .map(
      operands[0].map.scaled(
        by: operands[1].tensor, adding: operands.count > 2 ? operands[2].tensor : nil, sharing))
  }

  package func pullback<Element: Scalar>(
    _ gradient: Value<Element>, to index: Int, _ values: OperationValues<Element>
  ) -> Value<Element> {
    let g = gradient.map
    return switch index {
    case 0: .map(g.scaled(by: values.operands[1].tensor, sharing))
    case 1: .tensor(g.channelTotals(sharing, times: values.operands[0].map))
    default: .tensor(g.channelTotals(.batch))
    }
  }

  package func formula(_ names: OperationNames) -> String {
    "\(names.operands[0]) · \(names.operands[1])"
      + (names.operands.count > 2 ? " + \(names.operands[2])" : "")
  }

  package func pullbackFormula(
    _ gradient: String, to index: Int, _ names: OperationNames
  ) -> PullbackFormula {
    switch index {
    case 0: PullbackFormula("\(gradient) · \(names.operands[1])", reads: [names.operands[1]])
    case 1: PullbackFormula("Σ \(gradient) · \(names.operands[0])", reads: [names.operands[0]])
    default: PullbackFormula("Σ \(gradient)")
    }
  }

  package func terms(at place: [Int], _ grids: OperationGrids) -> TermList {
    let (x, factors) = (grids.operands[0], grids.operands[1])
    return TermList(
      [[x.factor(place), factors.factor(sharing.index(place, of: x.shape))]]
        + grids.operands.dropFirst(2).map { [$0.factor([place[1]])] })
  }

  package func pullbackTerms(
    at place: [Int], to index: Int, _ gradient: NamedGrid, _ grids: OperationGrids
  ) -> TermList {
    let (x, factors) = (grids.operands[0], grids.operands[1])
    switch index {
    case 0:
      return TermList([
        [gradient.factor(place), factors.factor(sharing.index(place, of: x.shape))]
      ])
    case 1:
      return SharedNumbers(sharing, x.shape, at: sharing.place(place)).terms(
        { gradient.value($0) * x.value($0) }, { [gradient.factor($0), x.factor($0)] })
    default: return .biasGradient(place, gradient)
    }
  }
}

package import Tensors

/// v[s] = Σ x / m or Σ x² / m over the m numbers of a channel, or of a group of channels of one image.
///
///     values    x̄ = v̄ / m at all places that share the mean
///     squares   x̄ = 2·x · v̄ / m
///
/// The result is a tensor, `[C]` or `[N, groups]`: an elementary part of normalizations.
package struct ChannelMean: Operation {
  package let sharing: ChannelSharing
  /// Whether the mean is that of the squares.
  package let ofSquares: Bool

  package init(_ sharing: ChannelSharing, ofSquares: Bool = false) {
    (self.sharing, self.ofSquares) = (sharing, ofSquares)
  }

  package var word: String { ofSquares ? "mean of squares" : "mean of channels" }
  package var tangentRule: TangentRule { .linear }

  /// Of squares, 2·mean(x · ẋ).
  package func tangent<Element: Scalar>(
    _ directions: [Value<Element>?], _ values: OperationValues<Element>
  ) -> Value<Element> {
    guard let direction = directions[0] else { return values.result.zeros }
    let moved = ofSquares ? values.operands[0].map.multiplied(by: direction.map) : direction.map
    return .tensor(moved.channelMeans(sharing, ofSquares: false).scaled(by: ofSquares ? 2 : 1))
  }

  package func resultShape(_ operands: [Shape]) -> Shape {
    sharing.shape(of: operands[0].asImage)
  }

  package func forward<Element: Scalar>(_ operands: [Value<Element>]) -> Value<Element> {
    .tensor(operands[0].map.channelMeans(sharing, ofSquares: ofSquares))
  }

  package func pullback<Element: Scalar>(
    _ gradient: Value<Element>, to index: Int, _ values: OperationValues<Element>
  ) -> Value<Element> {
    let shape = values.operands[0].shape
    let share = (ofSquares ? 2 : 1) / Double(sharing.pixels(of: shape))
    let factors = gradient.tensor.scaled(by: share)
    return .map(
      ofSquares
        ? values.operands[0].map.scaled(by: factors, sharing)
        : FeatureMap(shape: shape, numbers: factors, sharing))
  }

  package func formula(_ names: OperationNames) -> String {
    "mean \(names.operands[0])\(ofSquares ? "²" : "")"
  }

  package func pullbackFormula(
    _ gradient: String, to index: Int, _ names: OperationNames
  ) -> PullbackFormula {
    let x = names.operands[0]
    return ofSquares
      ? PullbackFormula("2·\(x) · \(gradient) / m", reads: [x])
      : PullbackFormula("\(gradient) / m at every place")
  }

  package func terms(at place: [Int], _ grids: OperationGrids) -> TermList {
    let x = grids.operands[0]
    let numbers = SharedNumbers(sharing, x.shape, at: sharing.place(place))
    let share = share(of: x.shape)
    return numbers.terms(
      { place in
        let value = x.value(place)
        return (ofSquares ? value * value : value) * share.value
      },
      { place in
        let factor = x.factor(place)
        return ofSquares ? [factor, factor, share] : [factor, share]
      })
  }

  package func pullbackTerms(
    at place: [Int], to index: Int, _ gradient: NamedGrid, _ grids: OperationGrids
  ) -> TermList {
    let x = grids.operands[0]
    let incoming = [gradient.factor(sharing.index(place, of: x.shape)), share(of: x.shape)]
    guard ofSquares else { return TermList([incoming]) }
    let factor = x.factor(place)
    return TermList([[.init("2·\(factor.name)", 2 * factor.value)] + incoming])
  }

  /// 1/m.
  private func share(of shape: Shape) -> Explanation.Factor {
    let count = sharing.pixels(of: shape)
    return .init("1/\(count)", 1 / Double(count))
  }
}

package import Tensors

/// v = the channels of x followed by those of y: v[n,c] = x[n,c] for c < C₁, else y[n,c − C₁].
///
/// The gradient of v falls apart into that of x and that of y: x̄ = v̄[n,0:C₁], ȳ = v̄[n,C₁:].
package struct Concat: Operation {
  /// C₁, the channels of the first operand.
  package let first: Int

  /// - Parameter first: The channels of the first operand.
  package init(first: Int) { self.first = first }

  package var word: String { "concat" }
  package var tangentRule: TangentRule { .linear }

  package func resultShape(_ operands: [Shape]) throws(OperationError) -> Shape {
    let (x, y) = (operands[0].asImage, operands[1].asImage)
    precondition(x.channels == first, "The first operand has \(first) channels, not \(x).")
    guard x.batch == y.batch, x.height == y.height, x.width == y.width else {
      throw OperationError(
        "\(operands[0]) and \(operands[1]) do not fit side by side: "
          + "their images differ in number, height or width",
        hint: "channels are joined where all other extents are equal")
    }
    return [x.batch, x.channels + y.channels, x.height, x.width]
  }

  package func forward<Element: Scalar>(_ operands: [Value<Element>]) -> Value<Element> {
    .map(operands[0].map.appending(channelsOf: operands[1].map))
  }

  package func pullback<Element: Scalar>(
    _ gradient: Value<Element>, to index: Int, _ values: OperationValues<Element>
  ) -> Value<Element> {
    let g = gradient.map
    return .map(g.channels(index == 0 ? 0..<first : first..<g.shape.channels))
  }

  package func formula(_ names: OperationNames) -> String {
    "concat(\(names.operands[0]), \(names.operands[1]))"
  }

  package func pullbackFormula(
    _ gradient: String, to index: Int, _ names: OperationNames
  ) -> PullbackFormula {
    PullbackFormula("\(gradient)[:,\(index == 0 ? "0:\(first)" : "\(first):")]")
  }

  package func terms(at place: [Int], _ grids: OperationGrids) -> TermList {
    let isFirst = place[1] < first
    var own = place
    if !isFirst { own[1] -= first }
    return TermList([[grids.operands[isFirst ? 0 : 1].factor(own)]])
  }

  package func pullbackTerms(
    at place: [Int], to index: Int, _ gradient: NamedGrid, _ grids: OperationGrids
  ) -> TermList { TermList([[gradient.factor(joined(place, index))]]) }

  /// The place in v of the number at `place` of an operand.
  private func joined(_ place: [Int], _ index: Int) -> [Int] {
    [place[0], place[1] + (index == 0 ? 0 : first), place[2], place[3]]
  }
}

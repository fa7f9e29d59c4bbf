package import Tensors

/// One channel that serves all channels of what it joins: v[n,c,y,x] = x[n,0,y,x].
///
/// Its gradient is the sum over channels of what arrives. The engine repeats the channel as it reads
/// it, so that the value stays one channel; a map of the same shape as its reader passes unchanged.
package struct Broadcast: Operation {
  package init() {}

  package var word: String { "broadcast" }
  package var tangentRule: TangentRule { .linear }

  package func resultShape(_ operands: [Shape]) -> Shape { operands[0] }

  package func forward<Element: Scalar>(_ operands: [Value<Element>]) -> Value<Element> {
    operands[0]
  }

  package func pullback<Element: Scalar>(
    _ gradient: Value<Element>, to index: Int, _ values: OperationValues<Element>
  ) -> Value<Element> {
    let map = gradient.map
    return map.shape == values.operands[0].shape ? gradient : .map(map.summedOverChannels())
  }

  package var sharesResult: Bool { true }

  package func formula(_ names: OperationNames) -> String { names.operands[0] }

  package func pullbackFormula(
    _ gradient: String, to index: Int, _ names: OperationNames
  ) -> PullbackFormula {
    PullbackFormula("Σ \(gradient.contains(" + ") ? "(\(gradient))" : gradient) over channels")
  }

  package func terms(at place: [Int], _ grids: OperationGrids) -> TermList {
    TermList([[grids.operands[0].factor(place)]])
  }

  package func pullbackTerms(
    at place: [Int], to index: Int, _ gradient: NamedGrid, _ grids: OperationGrids
  ) -> TermList {
    let places = pullbackPlaces(
      at: place, of: gradient.shape, to: grids.operands[0].shape)
    return TermList((places ?? []).map { [gradient.factor($0)] })
  }

  package func pullbackPlaces(at place: [Int], of gradient: Shape, to operand: Shape) -> [[Int]]? {
    let channels = operand.channels == 1 ? Array(0..<gradient.channels) : [place[1]]
    return channels.map { [place[0], $0, place[2], place[3]] }
  }
}

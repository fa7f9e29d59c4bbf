import Operations
import Tensors

/// v[n,c,y,x] = x[n,c,y,x] · g[c]: a number for each channel, here as an operation from outside.
///
///     x̄[n,c,y,x] = v̄[n,c,y,x] · g[c]
///     ḡ[c]       = Σ v̄[n,c,y,x] · x[n,c,y,x]
struct Gain: Operation {
  var word: String { "gain" }
  var tangentRule: TangentRule { .bilinear }

  func resultShape(_ operands: [Shape]) -> Shape { operands[0] }

  func forward<Element: Scalar>(_ operands: [Value<Element>]) -> Value<Element> {
    .map(FeatureMap(Self.scaled(operands[0].tensor, operands[1].tensor)))
  }

  func pullback<Element: Scalar>(
    _ gradient: Value<Element>, to index: Int, _ values: OperationValues<Element>
  ) -> Value<Element> {
    let (x, gain) = (values.operands[0].tensor, values.operands[1].tensor)
    if index == 0 { return .map(FeatureMap(Self.scaled(gradient.tensor, gain))) }
    var sums = [Element](repeating: 0, count: gain.shape.count)
    for (offset, (v, u)) in zip(gradient.tensor.scalars, x.scalars).enumerated() {
      sums[channel(offset, of: x.shape)] += v * u
    }
    return .tensor(Tensor(shape: gain.shape, scalars: sums))
  }

  private static func scaled<Element: Scalar>(
    _ x: Tensor<Element>, _ gain: Tensor<Element>
  ) -> Tensor<Element> {
    Tensor(
      shape: x.shape,
      scalars: x.scalars.enumerated().map { offset, value in
        value * gain.scalars[channel(offset, of: x.shape)]
      })
  }

  func formula(_ names: OperationNames) -> String { "\(names.operands[0]) · \(names.operands[1])" }

  func pullbackFormula(
    _ gradient: String, to index: Int, _ names: OperationNames
  ) -> PullbackFormula {
    let other = names.operands[1 - index]
    return index == 0
      ? PullbackFormula("\(gradient) · \(other)", reads: [other])
      : PullbackFormula("Σ \(gradient) · \(other)", reads: [other])
  }

  func terms(at place: [Int], _ grids: OperationGrids) -> TermList {
    TermList([[grids.operands[0].factor(place), grids.operands[1].factor([place[1]])]])
  }

  func pullbackTerms(
    at place: [Int], to index: Int, _ gradient: NamedGrid, _ grids: OperationGrids
  ) -> TermList {
    if index == 0 {
      return TermList([[gradient.factor(place), grids.operands[1].factor([place[1]])]])
    }
    let shape = gradient.shape
    let places = (0..<shape.count).map { shape.position(of: $0) }.filter { $0[1] == place[0] }
    return TermList(places.map { [gradient.factor($0), grids.operands[0].factor($0)] })
  }
}

/// The channel of the element at `offset` of a tensor `[N, C, H, W]`.
private func channel(_ offset: Int, of shape: Shape) -> Int {
  offset / shape.planeCount % shape.channels
}

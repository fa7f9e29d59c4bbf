package import Tensors

/// v[n,c,f·y+i,f·x+j] = x[n,c·f²+i·f+j,y,x]: f² channels become one whose sides are f times as large.
///
/// The pullback takes the numbers back: x̄[n,c·f²+i·f+j,y,x] = v̄[n,c,f·y+i,f·x+j].
///
/// Source: Shi et al., "Real-time single image and video super-resolution using an efficient sub-pixel
/// convolutional neural network" (2016); the order of channels is PyTorch's.
package struct PixelShuffle: Operation {
  /// f.
  package let factor: Int

  package init(factor: Int) {
    precondition(factor > 0, "An image has pixels.")
    self.factor = factor
  }

  package var word: String { "pixel shuffle" }
  package var tangentRule: TangentRule { .linear }

  package func resultShape(_ operands: [Shape]) throws(OperationError) -> Shape {
    let (image, square) = (operands[0].asImage, factor * factor)
    guard image.channels % square == 0, image.channels > 0 else {
      let (below, above) = (
        image.channels / square * square, (image.channels / square + 1) * square
      )
      throw OperationError(
        "a shuffle by \(factor) makes one channel of \(square); "
          + "\(operands[0]) has \(image.channels)",
        hint: "\(below > 0 ? "\(below) or \(above)" : "\(above)") channels fit")
    }
    return [
      image.batch, image.channels / square, image.height * factor, image.width * factor,
    ]
  }

  package func forward<Element: Scalar>(_ operands: [Value<Element>]) -> Value<Element> {
    .map(operands[0].map.shuffledToPixels(factor))
  }

  package func pullback<Element: Scalar>(
    _ gradient: Value<Element>, to index: Int, _ values: OperationValues<Element>
  ) -> Value<Element> { .map(gradient.map.shuffledToChannels(factor)) }

  package func formula(_ names: OperationNames) -> String {
    "\(names.operands[0]), \(factor * factor) channels as \(factor)×\(factor) pixels"
  }

  package func pullbackFormula(
    _ gradient: String, to index: Int, _ names: OperationNames
  ) -> PullbackFormula {
    PullbackFormula("\(gradient), \(factor)×\(factor) pixels as \(factor * factor) channels")
  }

  package func terms(at place: [Int], _ grids: OperationGrids) -> TermList {
    let channel = (place[1] * factor + place[2] % factor) * factor + place[3] % factor
    return TermList([
      [grids.operands[0].factor([place[0], channel, place[2] / factor, place[3] / factor])]
    ])
  }

  package func pullbackTerms(
    at place: [Int], to index: Int, _ gradient: NamedGrid, _ grids: OperationGrids
  ) -> TermList { TermList([[gradient.factor(pixel(of: place))]]) }

  package func pullbackPlaces(at place: [Int], of gradient: Shape, to operand: Shape) -> [[Int]]? {
    [pixel(of: place)]
  }

  /// The place in v of the number at `place` in x.
  private func pixel(of place: [Int]) -> [Int] {
    let (c, k) = place[1].quotientAndRemainder(dividingBy: factor * factor)
    return [place[0], c, place[2] * factor + k / factor, place[3] * factor + k % factor]
  }
}

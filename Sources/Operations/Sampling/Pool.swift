package import Tensors

/// v[n,c,y,x] = the largest, or the mean, of x[n,c,s·y+i,s·x+j] for 0 ≤ i, j < s: windows that do not
/// overlap.
///
///     max    x̄ = v̄ where x was the largest of its window, else 0
///     mean   x̄ = v̄ / s² at all s² places of the window
///
/// Of equal numbers the first in row-major order is the largest, and NaN is larger than all, as in
/// PyTorch.
package struct Pool: Operation {
  package let rule: PoolRule
  /// s, the side of a window and the distance to the next.
  package let size: Int

  package init(_ rule: PoolRule, size: Int) {
    precondition(size > 0, "A window has pixels.")
    (self.rule, self.size) = (rule, size)
  }

  package var word: String { "\(rule.rawValue) pool" }
  package var tangentRule: TangentRule { .linear }

  /// Of the largest, ẋ where x was the largest: the sum over the window of ẋ where that is so.
  package func tangent<Element: Scalar>(
    _ directions: [Value<Element>?], _ values: OperationValues<Element>
  ) -> Value<Element> {
    guard let direction = directions[0] else { return values.result.zeros }
    guard rule == .max else { return forward([direction]) }
    let ones = FeatureMap<Element>(shape: values.result.shape, number: 1)
    let largest = ones.unpooledMax(size, of: values.operands[0].map)
    return .map(direction.map.multiplied(by: largest).summedOverSquares(size))
  }

  package func resultShape(_ operands: [Shape]) throws(OperationError) -> Shape {
    let image = operands[0].asImage
    for (name, side) in [("height", image.height), ("width", image.width)]
    where side % size != 0 || side == 0 {
      throw Self.misfit(operands[0], name, side, multiple: size, "pool \(rule.rawValue) \(size)")
    }
    return operands[0].withSides(image.height / size, image.width / size)
  }

  /// The error that a side is no multiple of what an operation needs.
  static func misfit(
    _ shape: Shape, _ name: String, _ side: Int, multiple: Int, _ words: String
  ) -> OperationError {
    let (below, above) = (side / multiple * multiple, (side / multiple + 1) * multiple)
    let sizes = below > 0 ? "\(below) or \(above)" : "\(above)"
    return OperationError(
      "'\(words)' needs sides that are multiples of \(multiple); \(shape) has the \(name) \(side)",
      hint: "a \(name) of \(sizes) fits")
  }

  package func forward<Element: Scalar>(_ operands: [Value<Element>]) -> Value<Element> {
    .map(operands[0].map.pooled(size, rule))
  }

  package func pullback<Element: Scalar>(
    _ gradient: Value<Element>, to index: Int, _ values: OperationValues<Element>
  ) -> Value<Element> {
    switch rule {
    case .max: .map(gradient.map.unpooledMax(size, of: values.operands[0].map))
    case .mean: .map(gradient.map.unpooledMean(size))
    }
  }

  private var window: String { "\(size)×\(size)" }

  package func formula(_ names: OperationNames) -> String {
    "\(rule.rawValue) \(names.operands[0]) over \(window)"
  }

  package func pullbackFormula(
    _ gradient: String, to index: Int, _ names: OperationNames
  ) -> PullbackFormula {
    let x = names.operands[0]
    return switch rule {
    case .max:
      PullbackFormula("\(gradient) where \(x) is the largest of its \(window), else 0", reads: [x])
    case .mean: PullbackFormula("\(gradient) / \(size * size) at each of \(window)")
    }
  }

  package func terms(at place: [Int], _ grids: OperationGrids) -> TermList {
    let x = grids.operands[0]
    switch rule {
    case .max: return TermList([[x.factor(largest(place, x))]])
    case .mean:
      return TermList(places(of: place).map { [x.factor($0), share] })
    }
  }

  package func pullbackTerms(
    at place: [Int], to index: Int, _ gradient: NamedGrid, _ grids: OperationGrids
  ) -> TermList {
    let pooled = [place[0], place[1], place[2] / size, place[3] / size]
    switch rule {
    case .mean: return TermList([[gradient.factor(pooled), share]])
    case .max:
      let x = grids.operands[0]
      let isLargest = largest(pooled, x) == place
      return TermList([
        [
          gradient.factor(pooled),
          .init("[\(x.place(place)) is the largest of its \(window)]", isLargest ? 1 : 0),
        ]
      ])
    }
  }

  /// The places in x of the window of a result, in row-major order.
  private func places(of place: [Int]) -> [[Int]] {
    (0..<size * size).map { i in
      [place[0], place[1], place[2] * size + i / size, place[3] * size + i % size]
    }
  }

  /// The place of the largest number in the window of a result.
  private func largest(_ place: [Int], _ x: NamedGrid) -> [Int] {
    let places = places(of: place)
    return places.dropFirst().reduce(places[0]) { best, other in
      let value = x.value(other)
      return value > x.value(best) || value.isNaN ? other : best
    }
  }

  private var share: Explanation.Factor { .init("1/\(size * size)", 1 / Double(size * size)) }
}

extension Shape {
  /// The same with other extents of the last two axes, which it gets if it has fewer.
  func withSides(_ height: Int, _ width: Int) -> Shape {
    Shape(extents.dropLast(2) + [height, width])
  }
}

import Tensors

/// The places of a map whose numbers share a mean: of a channel, or of a group of channels of one image.
struct SharedNumbers {
  private let sharing: ChannelSharing
  private let shape: Shape
  /// The place of the mean among all.
  private let place: Int
  let count: Int

  /// - Parameters:
  ///   - sharing: What shares a mean.
  ///   - shape: The shape of the map.
  ///   - place: The place of the mean, in row-major order.
  init(_ sharing: ChannelSharing, _ shape: Shape, at place: Int) {
    (self.sharing, self.shape, self.place) = (sharing, shape, place)
    count = sharing.pixels(of: shape)
  }

  /// The place `[n, c, y, x]` of number `i`.
  subscript(i: Int) -> [Int] {
    let pixels = shape.planeCount
    let (plane, pixel) = i.quotientAndRemainder(dividingBy: pixels)
    let (y, x) = (pixel / shape.width, pixel % shape.width)
    switch sharing {
    case .batch: return [plane, place, y, x]
    case .groups(let groups):
      return [place / groups, place % groups * (shape.channels / groups) + plane, y, x]
    }
  }

  /// The sum of all, of `product(place)` with the `factors` of each.
  func terms(
    _ product: @escaping ([Int]) -> Double,
    _ factors: @escaping ([Int]) -> [Explanation.Factor]
  ) -> TermList {
    TermList(
      "", count: count, product: { product(self[$0]) }, term: { (self[$0], factors(self[$0])) })
  }

  /// The sum of `number(place)` over all.
  func sum(_ number: ([Int]) -> Double) -> Double {
    (0..<count).reduce(0) { $0 + number(self[$1]) }
  }
}

extension ChannelSharing {
  /// Returns the index of the number of a channel in its tensor, of the axes that the tensor has.
  func index(_ place: [Int], of shape: Shape) -> [Int] {
    switch self {
    case .batch: [place[1]]
    case .groups(let groups): [place[0], place[1] * groups / shape.channels]
    }
  }

  /// Returns the place of a number in row-major order from its index in its tensor.
  func place(_ index: [Int]) -> Int {
    switch self {
    case .batch: index[0]
    case .groups(let groups): index[0] * groups + index[1]
    }
  }
}

import Tensors
import Testing

/// Pools, up-sampling and channels where neither PyTorch's fixtures nor differences look.
struct SamplingTests {
  private static let nan = Double.nan

  private static func map<Element: Scalar>(
    _ shape: Shape, _ type: Element.Type, seed: UInt64 = 3
  ) -> FeatureMap<Element> {
    let stream = RandomStream(seed: seed, name: "sampling")
    return FeatureMap(
      Tensor(
        shape: shape,
        scalars: (0..<shape.count).map { Element(Float(stream.uniform(at: $0) - 0.5)) }))
  }

  @Test(arguments: [1, 16])
  func `a pool hands NaN on, and the gradient to the last of several`(channels: Int) {
    func check<Element: Scalar>(_ type: Element.Type) {
      var x = Tensor<Element>(shape: [1, channels, 2, 4], repeating: 1)
      // In the first window two NaN, in the second two infinities.
      for c in 0..<channels {
        let plane = c * 8
        for (place, number) in [
          (0, 5), (1, Self.nan), (4, Self.nan), (2, .infinity), (7, .infinity),
        ] {
          x.scalars[plane + place] = Element(number)
        }
      }
      let map = FeatureMap(x)
      let pooled = map.pooled(2, .max).tensor.scalars
      #expect(
        pooled.indices.allSatisfy { $0 % 2 == 0 ? pooled[$0].isNaN : pooled[$0] == .infinity })
      let gradient = FeatureMap(Tensor<Element>(shape: [1, channels, 1, 2], repeating: 3))
      let pulled = gradient.unpooledMax(2, of: map).tensor.scalars
      for c in 0..<channels {
        #expect(Array(pulled[c * 8..<c * 8 + 8]) == [0, 0, 3, 0, 3, 0, 0, 0])
      }
    }
    check(Float.self)
    check(Double.self)
  }

  @Test func `a window of nothing but −∞ gives −∞, and its gradient to the first`() {
    let x = FeatureMap(Tensor<Float>(shape: [1, 9, 2, 2], repeating: -.infinity))
    #expect(x.pooled(2, .max).tensor.scalars.allSatisfy { $0 == -.infinity })
    let gradient = FeatureMap(Tensor<Float>(shape: [1, 9, 1, 1], repeating: 2))
    #expect(
      gradient.unpooledMax(2, of: x).tensor.scalars.enumerated().allSatisfy {
        $1 == ($0 % 4 == 0 ? 2 : 0)
      })
  }

  /// Channels that are no multiple of a vector, of one layout and of the other.
  @Test(arguments: [(1, 7), (8, 1), (3, 9), (8, 8), (13, 20), (10, 5), (12, 12)])
  func `channels that are joined can be taken apart`(first: Int, second: Int) {
    let (a, b) = (
      Self.map([2, first, 5, 3], Float.self), Self.map([2, second, 5, 3], Float.self, seed: 4)
    )
    let both = a.appending(channelsOf: b)
    #expect(both.shape == [2, first + second, 5, 3])
    #expect(both.channels(0..<first).tensor.scalars == a.tensor.scalars)
    #expect(both.channels(first..<first + second).tensor.scalars == b.tensor.scalars)
    for (n, c, y, x) in [(0, 0, 0, 0), (1, first, 4, 2), (1, first + second - 1, 2, 1)] {
      let expected = c < first ? a.element(at: [n, c, y, x]) : b.element(at: [n, c - first, y, x])
      #expect(both.element(at: [n, c, y, x]) == expected)
    }
  }

  @Test(arguments: [1, 3, 8, 16])
  func `shuffling back gives the same map`(channels: Int) {
    let x = Self.map([2, channels * 9, 4, 3], Float.self)
    let large = x.shuffledToPixels(3)
    #expect(large.shape == [2, channels, 12, 9])
    #expect(large.shuffledToChannels(3).tensor.scalars == x.tensor.scalars)
  }

  @Test(arguments: [1, 2, 5, 8])
  func `weights of interpolation sum to one, and are those that readers know`(factor: Int) {
    for count in [1, 2, 7] {
      var sums = [Double](repeating: 0, count: count * factor)
      for row in 0..<count {
        for reader in BilinearTap.readers(of: row, of: count, factor: factor) {
          sums[reader.row] += reader.weight
        }
      }
      #expect(sums.allSatisfy { abs($0 - 1) < 1e-12 })
    }
  }

  @Test func `several images and rows at once give the bits of any number of threads`() {
    let before = Parallelism.threads
    defer { Parallelism.threads = before }
    func fingerprints<Element: Scalar>(_ channels: Int, _ type: Element.Type) -> [String] {
      let x = Self.map([3, channels, 48, 60], Element.self)
      let pooled = x.pooled(2, .max)
      return [
        pooled, x.pooled(3, .mean), pooled.unpooledMax(2, of: x), pooled.unpooledMean(2),
        x.repeated(2), x.summedOverSquares(4), x.interpolated(2), x.uninterpolated(3),
        x.shuffledToPixels(2), x.shuffledToChannels(2), x.appending(channelsOf: x),
        x.channels(1..<channels),
      ].map { "\($0.tensor.fingerprint)" }
    }
    for channels in [4, 20] {
      Parallelism.threads = 1
      let expected = fingerprints(channels, Float.self) + fingerprints(channels, Double.self)
      for threads in [2, 3] {
        Parallelism.threads = threads
        #expect(
          fingerprints(channels, Float.self) + fingerprints(channels, Double.self) == expected)
      }
    }
  }
}

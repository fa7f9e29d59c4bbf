import Synchronization

/// Mean and variance of the numbers that share a normalization, in Double.
///
///     μ = Σ x / m,    σ² = Σ (x − μ)² / m
///
/// Both follow from one pass over memory: with k the first of the numbers and y = x − k,
/// μ = k + Σ y / m and σ² = Σ y² / m − (Σ y / m)². As k is one of the numbers, no digits are lost where
/// the mean is far from 0.
package struct ChannelMoments: Sendable {
  /// The numbers that share a mean and a variance: those of a channel, or of a group of channels of one image.
  package let sharing: ChannelSharing
  /// One for each place of `sharing`, in row-major order.
  package let means: [Double]
  /// The biased variances, divided by m.
  package let variances: [Double]
  /// m, how many numbers share a mean.
  package let count: Int

  /// The moments of `x`, computed once for all that ask for them.
  package init<Element: Scalar>(of x: FeatureMap<Element>, _ sharing: ChannelSharing) {
    let map = x.resolved
    self = map.moments.get(sharing) { ChannelMoments(computedOf: map, sharing) }
  }

  @specialized(where Element == Float)
  @specialized(where Element == Double)
  private init<Element: Scalar>(computedOf x: FeatureMap<Element>, _ sharing: ChannelSharing) {
    let shape = x.shape
    let places = sharing.shape(of: shape).count
    var firsts = [Double?](repeating: nil, count: places)
    for image in 0..<shape.batch {
      for channel in 0..<shape.channels {
        let place = sharing.place(image, channel, of: shape)
        if firsts[place] == nil { firsts[place] = Double(x.element(at: [image, channel, 0, 0])) }
      }
    }
    let shifts = firsts.map { $0 ?? 0 }
    let sums = ChannelSums(
      x, shifts: ChannelTable(shape) { shifts[sharing.place($0, $1, of: shape)] })
    let m = Double(sharing.pixels(of: shape))
    let means = sharing.sums(shape, sums.sum).map { $0 / m }
    let squares = sharing.sums(shape, sums.product).map { $0 / m }
    (self.sharing, count) = (sharing, sharing.pixels(of: shape))
    self.means = zip(shifts, means).map { $0 + $1 }
    variances = zip(squares, means).map { square, mean in
      let variance = square - mean * mean
      // Rounding may leave less than nothing of a constant; NaN stays.
      return variance < 0 ? 0 : variance
    }
  }

  /// Moments that are known, of each channel for all images, such as running statistics.
  package init<Element: Scalar>(means: Tensor<Element>, variances: Tensor<Element>) {
    (sharing, count) = (.batch, 1)
    (self.means, self.variances) = (means.doubles().scalars, variances.doubles().scalars)
  }

  /// The variances divided by m − 1, as running statistics hold them.
  package var unbiasedVariances: [Double] {
    variances.map { $0 * Double(count) / Double(max(1, count - 1)) }
  }
}

/// The moments of one map that were computed so far.
final class KnownMoments: Sendable {
  private let known = Mutex<[ChannelSharing: ChannelMoments]>([:])

  /// Returns the moments for `sharing`, from `compute` if they were not asked for before.
  func get(_ sharing: ChannelSharing, _ compute: () -> ChannelMoments) -> ChannelMoments {
    if let moments = known.withLock({ $0[sharing] }) { return moments }
    let moments = compute()
    known.withLock { $0[sharing] = moments }
    return moments
  }
}

extension FeatureMap {
  /// Returns the means of the values that share one, or of their squares.
  @specialized(where Element == Float)
  @specialized(where Element == Double)
  package func channelMeans(_ sharing: ChannelSharing, ofSquares: Bool = false) -> Tensor<Element> {
    let sums = ChannelSums(self, shifts: ChannelTable(shape) { _, _ in 0 })
    let m = Double(sharing.pixels(of: shape))
    return Tensor(
      shape: sharing.shape(of: shape),
      scalars: sharing.sums(shape, ofSquares ? sums.product : sums.sum).map { Element($0 / m) })
  }

  /// Returns Σ g, or Σ g·x, over the values that share a number, where g is this map.
  @specialized(where Element == Float)
  @specialized(where Element == Double)
  package func channelTotals(
    _ sharing: ChannelSharing, times x: FeatureMap? = nil
  ) -> Tensor<Element> {
    let shifts = ChannelTable<Element>(shape) { _, _ in 0 }
    let sums =
      x.map { ChannelSums($0, gradient: self, shifts: shifts) }
      ?? ChannelSums(self, shifts: shifts)
    return Tensor(
      shape: sharing.shape(of: shape),
      scalars: sharing.sums(shape, x == nil ? sums.sum : sums.product).map { Element($0) })
  }

  /// Returns x·factor + offset with the factor and the offset of each channel; nil stands for 1 and 0.
  ///
  /// - Parameters:
  ///   - factors: The factors, in the shape of `sharing`.
  ///   - offsets: `[C]`, or in the shape of `sharing`.
  ///   - sharing: What shares a factor.
  /// - Returns: The map.
  @specialized(where Element == Float)
  @specialized(where Element == Double)
  package func scaled(
    by factors: Tensor<Element>? = nil, adding offsets: Tensor<Element>? = nil,
    _ sharing: ChannelSharing
  ) -> FeatureMap {
    scaled(
      shifts: ChannelTable(shape) { _, _ in 0 },
      factors: ChannelTable(shape) { image, channel in
        factors.map { Double($0.scalars[sharing.place(image, channel, of: shape)]) } ?? 1
      },
      offsets: ChannelTable(shape) { image, channel in
        offsets.map { Double($0.scalars[sharing.place(image, channel, of: shape)]) } ?? 0
      }
    ).map
  }

  /// Returns x less the number of each channel.
  @specialized(where Element == Float)
  @specialized(where Element == Double)
  package func centered(around means: Tensor<Element>, _ sharing: ChannelSharing) -> FeatureMap {
    scaled(
      shifts: ChannelTable(shape) { image, channel in
        Double(means.scalars[sharing.place(image, channel, of: shape)])
      }, factors: ChannelTable(shape) { _, _ in 1 }, offsets: ChannelTable(shape) { _, _ in 0 }
    ).map
  }

  /// A map of `shape` that holds the number of each channel at every pixel.
  @specialized(where Element == Float)
  @specialized(where Element == Double)
  package init(shape: Shape, numbers: Tensor<Element>, _ sharing: ChannelSharing) {
    self = FeatureMap.writingChannels(shape) { image, channels, _, target, step in
      for c in channels {
        let number = numbers.scalars[sharing.place(image, c, of: shape)]
        for pixel in 0..<shape.width { target[pixel * step + c - channels.lowerBound] = number }
      }
    }
  }
}

extension Tensor {
  /// Returns x · factor for each number x.
  @specialized(where Element == Float)
  @specialized(where Element == Double)
  package func scaled(by factor: Double) -> Tensor {
    Tensor(shape: shape, scalars: scalars.map { $0 * Element(factor) })
  }

  /// Returns (1 − share)·x + share·y for each number x and the number y of `numbers` at the same place.
  @specialized(where Element == Float)
  @specialized(where Element == Double)
  package func moved(towards numbers: [Double], by share: Double) -> Tensor {
    Tensor(
      shape: shape,
      scalars: zip(scalars, numbers).map { x, y in
        let kept = (1 - share) * Double(x)
        return Element(kept + share * y)
      })
  }

  /// Returns 1/√(x + ε) for each number x, computed in Double and rounded once.
  @specialized(where Element == Float)
  @specialized(where Element == Double)
  package func inverseRoots(epsilon: Double) -> Tensor {
    Tensor(
      shape: shape, scalars: scalars.map { Element(1 / (Double($0) + epsilon).squareRoot()) })
  }

  /// Returns x·y³/(−2) for each number x, where y is that of `roots`: the pullback of y = 1/√(u + ε).
  @specialized(where Element == Float)
  @specialized(where Element == Double)
  package func pulledBack(throughInverseRoots roots: Tensor) -> Tensor {
    Tensor(
      shape: shape,
      scalars: zip(scalars, roots.scalars).map { x, root in
        let y = Double(root)
        return Element(Double(x) * (y * y * y) / -2)
      })
  }
}

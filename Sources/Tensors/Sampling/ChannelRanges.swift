extension FeatureMap {
  /// Returns the channels of this map followed by those of `other`.
  ///
  /// - Parameter other: A map of as many images with the same sides.
  /// - Returns: `[N, C₁ + C₂, H, W]`.
  @specialized(where Element == Float)
  @specialized(where Element == Double)
  package func appending(channelsOf other: FeatureMap) -> FeatureMap {
    precondition(
      other.shape.batch == shape.batch && other.shape.height == shape.height
        && other.shape.width == shape.width, "\(shape) and \(other.shape) have the same pixels.")
    let (first, second) = (resolved, other.resolved)
    let own = shape.channels
    return withExtendedLifetime((first, second)) {
      FeatureMap.writingChannels(
        [shape.batch, own + other.shape.channels, shape.height, shape.width]
      ) { image, channels, row, target, step in
        let here = channels.clamped(to: 0..<own)
        let there = channels.clamped(to: own..<max(own, channels.upperBound))
        first.copyRow(image, here, row, to: target, step)
        second.copyRow(
          image, there.lowerBound - own..<there.upperBound - own, row, to: target + here.count, step
        )
      }
    }
  }

  /// Returns the channels in `range` as a map of their own.
  @specialized(where Element == Float)
  @specialized(where Element == Double)
  package func channels(_ range: Range<Int>) -> FeatureMap {
    precondition(0 <= range.lowerBound && range.upperBound <= shape.channels)
    let source = resolved
    return withExtendedLifetime(source) {
      FeatureMap.writingChannels([shape.batch, range.count, shape.height, shape.width]) {
        image, channels, row, target, step in
        source.copyRow(
          image, channels.lowerBound + range.lowerBound..<channels.upperBound + range.lowerBound,
          row, to: target, step)
      }
    }
  }

  /// Copies a row of some channels of an image to `target`, where channels follow each other and the next
  /// pixel is `step` further.
  @inline(__always)
  private func copyRow(
    _ image: Int, _ channels: Range<Int>, _ row: Int, to target: UnsafeMutablePointer<Element>,
    _ step: Int
  ) {
    let from = MapStrides(shape, layout)
    let start =
      scalars.start + image * from.image + row * shape.width * from.pixel
      + channels.lowerBound * from.channel
    let count = channels.count
    if from.channel == 1 {
      for pixel in 0..<shape.width {
        (target + pixel * step).update(from: start + pixel * from.pixel, count: count)
      }
    } else {
      for c in 0..<count {
        for pixel in 0..<shape.width {
          target[pixel * step + c] = start[pixel * from.pixel + c * from.channel]
        }
      }
    }
  }
}

extension FeatureMap {
  /// Returns the map f times as large, of which f×f pixels of a channel are one pixel of f² channels.
  ///
  ///     out[n, c, f·y+i, f·x+j] = x[n, c·f²+i·f+j, y, x]
  ///
  /// - Parameter factor: f; f² divides the channels.
  /// - Returns: `[N, C/f², f·H, f·W]`.
  @specialized(where Element == Float)
  @specialized(where Element == Double)
  package func shuffledToPixels(_ factor: Int) -> FeatureMap {
    let square = factor * factor
    precondition(shape.channels % square == 0, "\(square) channels of \(shape) make one.")
    let source = resolved
    let from = MapStrides(shape, layout)
    let width = shape.width
    return withExtendedLifetime(source) {
      FeatureMap.writingChannels(
        [shape.batch, shape.channels / square, shape.height * factor, shape.width * factor]
      ) { image, channels, row, target, step in
        let line = source.scalars.start + image * from.image + row / factor * width * from.pixel
        for column in 0..<width * factor {
          let channel = row % factor * factor + column % factor
          let pixel = line + column / factor * from.pixel
          for c in channels {
            target[column * step + c - channels.lowerBound] =
              pixel[(c * square + channel) * from.channel]
          }
        }
      }
    }
  }

  /// Returns the map whose f² channels are each f×f pixels of one channel of this one: the inverse of
  /// ``shuffledToPixels(_:)``, and its pullback.
  @specialized(where Element == Float)
  @specialized(where Element == Double)
  package func shuffledToChannels(_ factor: Int) -> FeatureMap {
    let square = factor * factor
    let source = resolved
    let from = MapStrides(shape, layout)
    let (height, width) = (shape.height / factor, shape.width / factor)
    return withExtendedLifetime(source) {
      FeatureMap.writingChannels([shape.batch, shape.channels * square, height, width]) {
        image, channels, row, target, step in
        let line = source.scalars.start + image * from.image
        for c in channels {
          let (y, x) = (row * factor + c % square / factor, c % factor)
          let values =
            line + c / square * from.channel + (y * width * factor + x) * from.pixel
          for column in 0..<width {
            target[column * step + c - channels.lowerBound] =
              values[column * factor * from.pixel]
          }
        }
      }
    }
  }

  /// Returns a map that `body` writes, a row of some channels of an image at a time.
  ///
  /// - Parameters:
  ///   - shape: The shape of the map.
  ///   - body: Writes a row of the channels in `channels`; the first of them is at `target`, the others
  ///     follow in memory, and the next pixel is `step` further.
  /// - Returns: The map.
  @inline(__always)
  static func writingChannels(
    _ shape: Shape,
    _ body: (
      _ image: Int, _ channels: Range<Int>, _ row: Int,
      _ target: UnsafeMutablePointer<Element>, _ step: Int
    ) -> Void
  ) -> FeatureMap {
    let count = shape.channels
    guard MapLayout(channels: count, Element.self) == .interleaved else {
      return writing(shape) { plane, row, target in
        let channel = plane % count
        body(plane / count, channel..<channel + 1, row, target, 1)
      }
    }
    let stored = MapLayout.storedChannels(count)
    return writing(shape) { image, row, target in
      body(image, 0..<count, row, target, stored)
      guard stored > count else { return }
      for pixel in 0..<shape.width {
        for c in count..<stored { target[pixel * stored + c] = 0 }
      }
    }
  }
}

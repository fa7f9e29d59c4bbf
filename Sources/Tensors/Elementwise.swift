/// Operations that treat every value alone.
extension FeatureMap {
  /// The map of `transform(x)` for each value x.
  @inline(__always)
  func mapped(_ transform: (Element) -> Element) -> FeatureMap {
    let result = uninitializedScalars(scalars.count) { (output: UnsafeMutablePointer<Element>) in
      scalars.withUnsafeBufferPointer { input in
        guard let input = input.baseAddress else { return }
        parallelRanges(scalars.count) { range in
          for i in range { output[i] = transform(input[i]) }
        }
      }
    }
    return FeatureMap(shape: shape, scalars: result)
  }

  /// The map of `combine(x, y)` for each value x and the value y of `other` at the same place.
  @inline(__always)
  func combined(
    with other: FeatureMap, _ combine: (Element, Element) -> Element
  ) -> FeatureMap {
    precondition(other.shape == shape, "\(shape) and \(other.shape) hold the same places.")
    let result = uninitializedScalars(scalars.count) { (output: UnsafeMutablePointer<Element>) in
      scalars.withUnsafeBufferPointer { x in
        other.scalars.withUnsafeBufferPointer { y in
          guard let x = x.baseAddress, let y = y.baseAddress else { return }
          parallelRanges(scalars.count) { range in
            for i in range { output[i] = combine(x[i], y[i]) }
          }
        }
      }
    }
    return FeatureMap(shape: shape, scalars: result)
  }

  /// As ``combined(with:_:)``, where `other` has one channel that serves all channels.
  @inline(__always)
  private func combinedBroadcasting(
    _ other: FeatureMap, _ combine: (Element, Element) -> Element
  ) -> FeatureMap {
    precondition(
      other.shape.batch == shape.batch && other.shape.channels == 1
        && other.shape.planeCount == shape.planeCount,
      "\(other.shape) broadcasts over \(shape).")
    let (channels, pixels) = (shape.channels, shape.planeCount)
    let result = uninitializedScalars(scalars.count) { (output: UnsafeMutablePointer<Element>) in
      scalars.withUnsafeBufferPointer { x in
        other.scalars.withUnsafeBufferPointer { y in
          guard let x = x.baseAddress, let y = y.baseAddress else { return }
          parallel(chunks: shape.batch * channels) { plane, _ in
            let start = plane * pixels
            let shared = y + plane / channels * pixels
            for i in 0..<pixels { output[start + i] = combine(x[start + i], shared[i]) }
          }
        }
      }
    }
    return FeatureMap(shape: shape, scalars: result)
  }

  /// x + y; a single channel of y serves all channels of x.
  @specialized(where Element == Float)
  @specialized(where Element == Double)
  package func adding(_ y: FeatureMap) -> FeatureMap {
    y.shape == shape
      ? combined(with: y) { $0 + $1 } : combinedBroadcasting(y) { $0 + $1 }
  }

  /// x − y.
  @specialized(where Element == Float)
  @specialized(where Element == Double)
  package func subtracting(_ y: FeatureMap) -> FeatureMap {
    combined(with: y) { $0 - $1 }
  }

  /// x · y; a single channel of y serves all channels of x.
  @specialized(where Element == Float)
  @specialized(where Element == Double)
  package func multiplied(by y: FeatureMap) -> FeatureMap {
    y.shape == shape
      ? combined(with: y) { $0 * $1 } : combinedBroadcasting(y) { $0 * $1 }
  }

  /// x · y + y; a single channel of y serves all channels of x.
  @specialized(where Element == Float)
  @specialized(where Element == Double)
  package func multipliedAndAdded(_ y: FeatureMap) -> FeatureMap {
    y.shape == shape
      ? combined(with: y) { $0 * $1 + $1 } : combinedBroadcasting(y) { $0 * $1 + $1 }
  }

  /// −x.
  @specialized(where Element == Float)
  @specialized(where Element == Double)
  package func negated() -> FeatureMap { mapped { -$0 } }

  /// The sum over channels, `[N, 1, H, W]`: the gradient of a channel that served them all.
  @specialized(where Element == Float)
  @specialized(where Element == Double)
  package func summedOverChannels() -> FeatureMap {
    let (images, channels, pixels) = (shape.batch, shape.channels, shape.planeCount)
    let result = uninitializedScalars(images * pixels) { (output: UnsafeMutablePointer<Element>) in
      scalars.withUnsafeBufferPointer { x in
        guard let x = x.baseAddress else { return }
        parallel(chunks: images) { image, _ in
          let sum = output + image * pixels
          let planes = x + image * channels * pixels
          sum.update(from: planes, count: pixels)
          for c in 1..<max(1, channels) {
            let plane = planes + c * pixels
            for i in 0..<pixels { sum[i] += plane[i] }
          }
        }
      }
    }
    return FeatureMap(shape: [images, 1, shape.height, shape.width], scalars: result)
  }
}

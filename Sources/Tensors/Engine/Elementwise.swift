/// A function of one number, as a type: loops over a type compile to vector code.
protocol UnaryFunction {
  static func apply<Element: Scalar>(_ x: Element) -> Element
}

/// A function of two numbers, as a type.
protocol BinaryFunction {
  static func apply<Element: Scalar>(_ x: Element, _ y: Element) -> Element
}

/// Operations on each value alone.
extension FeatureMap {
  /// Returns the map of `function(x)` for each value x.
  func mapped<Function: UnaryFunction>(_ function: Function.Type) -> FeatureMap {
    let scalars = resolved.scalars
    let result = MapMemory<Element>(scalars.count) { output in
      scalars.withUnsafeBufferPointer { input in
        guard let input = input.baseAddress else { return }
        parallelRanges(scalars.count) { range in
          for i in range { output[i] = Function.apply(input[i]) }
        }
      }
    }
    return FeatureMap(shape: shape, scalars: result)
  }

  /// Returns the map of `function(x, y)` for each value x and the value y of `other` at the same
  /// place.
  ///
  /// If `other` has a single channel, that channel is used for all channels of this map.
  func combined<Function: BinaryFunction>(
    with other: FeatureMap, _ function: Function.Type
  ) -> FeatureMap {
    other.shape == shape
      ? resolved.combinedAlike(other.resolved, function)
      : resolved.combinedBroadcasting(other, function)
  }

  private func combinedAlike<Function: BinaryFunction>(
    _ other: FeatureMap, _ function: Function.Type
  ) -> FeatureMap {
    let result = MapMemory<Element>(scalars.count) { output in
      scalars.withUnsafeBufferPointer { x in
        other.scalars.withUnsafeBufferPointer { y in
          guard let x = x.baseAddress, let y = y.baseAddress else { return }
          parallelRanges(scalars.count) { range in
            for i in range { output[i] = Function.apply(x[i], y[i]) }
          }
        }
      }
    }
    return FeatureMap(shape: shape, scalars: result)
  }

  private func combinedBroadcasting<Function: BinaryFunction>(
    _ other: FeatureMap, _ function: Function.Type
  ) -> FeatureMap {
    precondition(
      other.shape.batch == shape.batch && other.shape.channels == 1
        && other.shape.planeCount == shape.planeCount,
      "\(other.shape) broadcasts over \(shape).")
    let (channels, pixels) = (shape.channels, shape.planeCount)
    let result = MapMemory<Element>(scalars.count) { output in
      scalars.withUnsafeBufferPointer { x in
        other.scalars.withUnsafeBufferPointer { y in
          guard let x = x.baseAddress, let y = y.baseAddress else { return }
          if layout == .interleaved {
            let stored = MapLayout.storedChannels(channels)
            return parallelRanges(shape.batch * pixels) { range in
              for pixel in range {
                for i in pixel * stored..<(pixel + 1) * stored {
                  output[i] = Function.apply(x[i], y[pixel])
                }
              }
            }
          }
          parallel(chunks: shape.batch * channels) { plane, _ in
            let values = x + plane * pixels
            let shared = y + plane / channels * pixels
            let target = output + plane * pixels
            for i in 0..<pixels { target[i] = Function.apply(values[i], shared[i]) }
          }
        }
      }
    }
    return FeatureMap(shape: shape, scalars: result)
  }
}

// MARK: - Arithmetic

private enum Sum: BinaryFunction {
  static func apply<Element: Scalar>(_ x: Element, _ y: Element) -> Element { x + y }
}

private enum Difference: BinaryFunction {
  static func apply<Element: Scalar>(_ x: Element, _ y: Element) -> Element { x - y }
}

private enum Product: BinaryFunction {
  static func apply<Element: Scalar>(_ x: Element, _ y: Element) -> Element { x * y }
}

private enum Quotient: BinaryFunction {
  static func apply<Element: Scalar>(_ x: Element, _ y: Element) -> Element { x / y }
}

private enum ProductPlus: BinaryFunction {
  static func apply<Element: Scalar>(_ x: Element, _ y: Element) -> Element { x * y + y }
}

private enum Negative: UnaryFunction {
  static func apply<Element: Scalar>(_ x: Element) -> Element { -x }
}

extension FeatureMap {
  /// Returns x + y; a single channel of y is used for all channels of x.
  @specialized(where Element == Float)
  @specialized(where Element == Double)
  package func adding(_ y: FeatureMap) -> FeatureMap { combined(with: y, Sum.self) }

  /// Returns x − y; a single channel of y is used for all channels of x.
  @specialized(where Element == Float)
  @specialized(where Element == Double)
  package func subtracting(_ y: FeatureMap) -> FeatureMap { combined(with: y, Difference.self) }

  /// Returns x · y; a single channel of y is used for all channels of x.
  @specialized(where Element == Float)
  @specialized(where Element == Double)
  package func multiplied(by y: FeatureMap) -> FeatureMap { combined(with: y, Product.self) }

  /// Returns x / y; a single channel of y is used for all channels of x.
  @specialized(where Element == Float)
  @specialized(where Element == Double)
  package func divided(by y: FeatureMap) -> FeatureMap { combined(with: y, Quotient.self) }

  /// Returns x · y + y, rounded after each operation; a single channel of y is used for all
  /// channels of x.
  @specialized(where Element == Float)
  @specialized(where Element == Double)
  package func multipliedAndAdded(_ y: FeatureMap) -> FeatureMap {
    combined(with: y, ProductPlus.self)
  }

  /// Returns −x.
  @specialized(where Element == Float)
  @specialized(where Element == Double)
  package func negated() -> FeatureMap { mapped(Negative.self) }

  /// The sum over channels, `[N, 1, H, W]`: the gradient of a channel that was used for all.
  @specialized(where Element == Float)
  @specialized(where Element == Double)
  package func summedOverChannels() -> FeatureMap {
    let (images, channels, pixels) = (shape.batch, shape.channels, shape.planeCount)
    let scalars = resolved.scalars
    let result = MapMemory<Element>(images * pixels) { output in
      scalars.withUnsafeBufferPointer { x in
        guard let x = x.baseAddress else { return }
        if layout == .interleaved {
          let stored = MapLayout.storedChannels(channels)
          return parallelRanges(images * pixels) { range in
            for pixel in range {
              var sum = x[pixel * stored]
              for c in 1..<channels { sum += x[pixel * stored + c] }
              output[pixel] = sum
            }
          }
        }
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

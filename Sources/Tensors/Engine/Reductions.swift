/// Sums over whole maps, in Double, in an order that depends on the size alone.
extension FeatureMap {
  /// The sum, Σ x.
  @specialized(where Element == Float)
  @specialized(where Element == Double)
  package func total() -> Double { sum(Identity.self) }

  /// The sum of squares, Σ x².
  @specialized(where Element == Float)
  @specialized(where Element == Double)
  package func sumOfSquares() -> Double { sum(Square.self) }

  /// The sum of magnitudes, Σ |x|.
  @specialized(where Element == Float)
  @specialized(where Element == Double)
  package func sumOfMagnitudes() -> Double { sum(Magnitude.self) }

  /// Returns x · factor.
  @specialized(where Element == Float)
  @specialized(where Element == Double)
  package func scaled(by factor: Double) -> FeatureMap {
    let factor = Element(factor)
    let scalars = resolved.scalars
    return FeatureMap(
      shape: shape,
      scalars: MapMemory(scalars.count) { output in
        parallelRanges(scalars.count) { range in
          for i in range { output[i] = scalars.start[i] * factor }
        }
      })
  }

  /// Returns √(x² + ε²).
  @specialized(where Element == Float)
  @specialized(where Element == Double)
  package func smoothMagnitudes(_ epsilon: Double) -> FeatureMap {
    let square = Element(epsilon * epsilon)
    let scalars = resolved.scalars
    return FeatureMap(
      shape: shape,
      scalars: MapMemory(scalars.count) { output in
        parallelRanges(scalars.count) { range in
          for i in range {
            output[i] = (scalars.start[i] * scalars.start[i] + square).squareRoot()
          }
        }
      })
  }

  /// Returns 1 for x > 0, −1 for x < 0, 0 for 0; NaN stays.
  @specialized(where Element == Float)
  @specialized(where Element == Double)
  package func signs() -> FeatureMap { mapped(Sign.self) }

  private func sum<Function: UnaryFunction>(_ function: Function.Type) -> Double {
    // Numbers that an interleaved map stores beyond its channels must not count.
    if layout == .interleaved {
      return FeatureMap<Double>(tensor.doubles()).sum(function)
    }
    let chunks = max(1, scalars.count / elementsPerChunk)
    var partials = [Double](repeating: 0, count: chunks)
    partials.withUnsafeMutableBufferPointer { partials in
      scalars.withUnsafeBufferPointer { x in
        guard let x = x.baseAddress else { return }
        parallel(chunks: (chunks + 1) / 2) { pair, _ in
          // Two chunks are summed side by side, so that additions need not wait for each other.
          let (a, b) = (2 * pair, min(2 * pair + 1, chunks - 1))
          let first = range(ofChunk: a, of: chunks, count: scalars.count)
          let second = range(ofChunk: b, of: chunks, count: scalars.count)
          let common = min(first.count, second.count)
          var sums = (0.0, 0.0)
          for i in 0..<common {
            sums.0 += Function.apply(Double(x[first.lowerBound + i]))
            sums.1 += Function.apply(Double(x[second.lowerBound + i]))
          }
          for i in first.dropFirst(common) { sums.0 += Function.apply(Double(x[i])) }
          for i in second.dropFirst(common) { sums.1 += Function.apply(Double(x[i])) }
          (partials[a], partials[b]) = sums
        }
      }
    }
    return partials.reduce(0, +)
  }
}

private enum Identity: UnaryFunction {
  static func apply<Element: Scalar>(_ x: Element) -> Element { x }
}

private enum Square: UnaryFunction {
  static func apply<Element: Scalar>(_ x: Element) -> Element { x * x }
}

private enum Magnitude: UnaryFunction {
  static func apply<Element: Scalar>(_ x: Element) -> Element { x.magnitude }
}

private enum Sign: UnaryFunction {
  static func apply<Element: Scalar>(_ x: Element) -> Element { x > 0 ? 1 : x < 0 ? -1 : x }
}

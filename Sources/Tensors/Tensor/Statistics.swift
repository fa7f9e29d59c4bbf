package import Fingerprints

/// Statistics of the numbers of a tensor.
package struct Statistics: Hashable, Sendable {
  /// The extremes and the mean of the finite numbers; NaN when there are none.
  package let min: Double, max: Double, mean: Double
  /// The population standard deviation √(Σ(x − mean)²/n), over finite numbers.
  package let deviation: Double
  /// The number of NaNs, and of infinities.
  package let nanCount: Int, infiniteCount: Int
  /// The number of numbers that were counted: finite and not masked.
  package let count: Int
}

/// The counts and sums from which ``Statistics`` are computed.
private struct StatisticsSums {
  var nans = 0, infinities = 0, count = 0
  var low = Double.infinity, high = -Double.infinity
  var total = 0.0
}

extension Tensor {
  /// The statistics of the numbers, without those that `mask` marks.
  @specialized(where Element == Float)
  @specialized(where Element == Double)
  package func statistics(excluding mask: [Bool]? = nil) -> Statistics {
    precondition(mask.map { $0.count == scalars.count } ?? true, "A mask covers the tensor.")
    let sums = eachChunk(excluding: mask, StatisticsSums()) { sums, x in
      if x.isNaN {
        sums.nans += 1
      } else if x.isInfinite {
        sums.infinities += 1
      } else {
        sums.count += 1
        sums.low = Swift.min(sums.low, x)
        sums.high = Swift.max(sums.high, x)
        sums.total += x
      }
    }
    let count = sums.reduce(0) { $0 + $1.count }
    let (nans, infinities) = (
      sums.reduce(0) { $0 + $1.nans }, sums.reduce(0) { $0 + $1.infinities }
    )
    guard count > 0 else {
      return Statistics(
        min: .nan, max: .nan, mean: .nan, deviation: .nan,
        nanCount: nans, infiniteCount: infinities, count: 0)
    }
    let mean = sums.reduce(0) { $0 + $1.total } / Double(count)
    let squares = eachChunk(excluding: mask, 0.0) { sum, x in
      if x.isFinite { sum += (x - mean) * (x - mean) }
    }
    return Statistics(
      min: sums.reduce(.infinity) { Swift.min($0, $1.low) },
      max: sums.reduce(-.infinity) { Swift.max($0, $1.high) }, mean: mean,
      deviation: (squares.reduce(0, +) / Double(count)).squareRoot(),
      nanCount: nans, infiniteCount: infinities, count: count)
  }

  /// Folds the unmasked numbers with `add`, beginning with `start`, for each chunk of them.
  @inline(__always)
  private func eachChunk<Sum>(
    excluding mask: [Bool]?, _ start: Sum, _ add: (inout Sum, Double) -> Void
  ) -> [Sum] {
    let chunks = max(1, scalars.count / elementsPerChunk)
    var sums = [Sum](repeating: start, count: chunks)
    sums.withUnsafeMutableBufferPointer { sums in
      scalars.withUnsafeBufferPointer { x in
        parallel(chunks: chunks) { chunk, _ in
          var sum = start
          for i in range(ofChunk: chunk, of: chunks, count: x.count) {
            if let mask, mask[i] { continue }
            add(&sum, Double(x[i]))
          }
          sums[chunk] = sum
        }
      }
    }
    return sums
  }

  /// The Euclidean norm √Σx², summed in Double, and the fraction of numbers that are 0.
  @specialized(where Element == Float)
  @specialized(where Element == Double)
  package func normAndZeros() -> (norm: Double, zeroShare: Double) {
    let chunks = max(1, scalars.count / elementsPerChunk)
    var partials = [(squares: Double, zeros: Int)](repeating: (0, 0), count: chunks)
    partials.withUnsafeMutableBufferPointer { partials in
      scalars.withUnsafeBufferPointer { x in
        parallel(chunks: chunks) { chunk, _ in
          let range = range(ofChunk: chunk, of: chunks, count: x.count)
          // Eight sums are kept side by side, so that no addition waits for the one before.
          var squares = SIMD8<Double>.zero
          var (rest, zeros) = (0.0, 0)
          for i in range { zeros += x[i] == 0 ? 1 : 0 }
          var i = range.lowerBound
          while i + 8 <= range.upperBound {
            var values = SIMD8<Double>.zero
            for lane in 0..<8 { values[lane] = Double(x[i + lane]) }
            squares += values * values
            i += 8
          }
          while i < range.upperBound {
            rest += Double(x[i]) * Double(x[i])
            i += 1
          }
          partials[chunk] = (squares.sum() + rest, zeros)
        }
      }
    }
    let squares = partials.reduce(0) { $0 + $1.squares }
    let zeros = partials.reduce(0) { $0 + $1.zeros }
    return (squares.squareRoot(), Double(zeros) / Double(max(1, scalars.count)))
  }

  /// Whether no number is a NaN or an infinity.
  @specialized(where Element == Float)
  @specialized(where Element == Double)
  package func isFinite() -> Bool {
    // Reading all numbers takes less time than stopping at the first.
    scalars.withUnsafeBufferPointer { scalars in
      guard let x = scalars.baseAddress else { return true }
      var strange: UInt32 = 0
      for i in 0..<scalars.count { strange |= x[i].isFinite ? 0 : 1 }
      return strange == 0
    }
  }

  /// The largest magnitude; 0 for an empty tensor.
  @specialized(where Element == Float)
  @specialized(where Element == Double)
  package func largestMagnitude() -> Double {
    scalars.reduce(0) { Swift.max($0, Double($1.magnitude)) }
  }

  /// The same numbers in Float.
  @specialized(where Element == Float)
  @specialized(where Element == Double)
  package func floats() -> Tensor<Float> {
    // A Float tensor is returned without a copy, since it may be large.
    (self as? Tensor<Float>)
      ?? Tensor<Float>(shape: shape, scalars: scalars.map(Float.init))
  }

  /// The same numbers in Double.
  @specialized(where Element == Float)
  @specialized(where Element == Double)
  package func doubles() -> Tensor<Double> {
    Tensor<Double>(shape: shape, scalars: scalars.map(Double.init))
  }

  /// The SHA-256 of the numbers as float32, little-endian, row-major.
  package var fingerprint: SHA256Digest {
    SHA256Digest(of: floats().scalars) { Parallelism.isOver }
  }
}

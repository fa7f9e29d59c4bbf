/// A named stream of random numbers, each a pure function of (seed, name, index).
///
/// Philox4×32-10 with the seed as key and (index, hash of the name) as counter. Any element can be
/// drawn alone, in any order, on any thread; drawing from one stream does not affect another.
///
/// Source: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3" (2011).
package struct RandomStream: Sendable {
  private let key: (UInt32, UInt32)
  private let stream: (UInt32, UInt32)

  /// The stream called `name` (`init/b1.conv1`, `noise/step141/slice7`, …) under `seed`.
  package init(seed: UInt64, name: String) {
    key = (UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32))
    let hash = fnv1a(name)
    stream = (UInt32(truncatingIfNeeded: hash), UInt32(truncatingIfNeeded: hash >> 32))
  }

  /// The 128 random bits at `index`.
  package func bits(at index: UInt64) -> SIMD4<UInt32> {
    philox4x32(
      counter: [
        UInt32(truncatingIfNeeded: index), UInt32(truncatingIfNeeded: index >> 32),
        stream.0, stream.1,
      ],
      key: [key.0, key.1])
  }

  /// A number uniform in 0..<1, with 53 random bits.
  package func uniform(at index: Int) -> Double {
    let words = bits(at: UInt64(index))
    return Double(mantissa(words[0], words[1])) * 0x1p-53
  }

  /// A number uniform in `range`.
  package func uniform(at index: Int, in range: ClosedRange<Double>) -> Double {
    range.lowerBound + (range.upperBound - range.lowerBound) * uniform(at: index)
  }

  /// An integer uniform in 0..<bound; `bound` at least 1.
  package func integer(at index: Int, below bound: Int) -> Int {
    min(bound - 1, Int(uniform(at: index) * Double(bound)))
  }

  /// A normal number of mean 0 and standard deviation 1, by Box and Muller's transform.
  ///
  ///     z₂ᵢ = √(−2 ln u) · cos 2πv,  z₂ᵢ₊₁ = √(−2 ln u) · sin 2πv
  package func normal(at index: Int) -> Double {
    let (even, odd) = normalPair(at: index >> 1)
    return index & 1 == 0 ? even : odd
  }

  /// Writes the normals at `start`, `start + 1`, … to `output`, each multiplied by `deviation`.
  package func fillNormals(
    _ output: UnsafeMutableBufferPointer<Float>, from start: Int = 0, deviation: Double = 1
  ) {
    var i = 0
    if start & 1 == 1, !output.isEmpty {
      output[0] = Float(deviation * normal(at: start))
      i = 1
    }
    while i < output.count {
      let (even, odd) = normalPair(at: (start + i) >> 1)
      output[i] = Float(deviation * even)
      if i + 1 < output.count { output[i + 1] = Float(deviation * odd) }
      i += 2
    }
  }

  /// The numbers 0..<count in random order, by Fisher and Yates.
  package func permutation(_ count: Int) -> [Int] {
    var order = Array(0..<count)
    for i in stride(from: count - 1, to: 0, by: -1) {
      order.swapAt(i, integer(at: i, below: i + 1))
    }
    return order
  }

  private func normalPair(at pair: Int) -> (Double, Double) {
    let words = bits(at: UInt64(pair))
    // (k + 1/2)/2⁵³ is above 0 (and, rounded, at most 1), so the logarithm is finite.
    let u = (Double(mantissa(words[0], words[1])) + 0.5) * 0x1p-53
    let v = Double(mantissa(words[2], words[3])) * 0x1p-53
    let radius = (-2 * ReproducibleMath.log(u)).squareRoot()
    let (sine, cosine) = ReproducibleMath.sineAndCosine(turns: v)
    return (radius * cosine, radius * sine)
  }

  private func mantissa(_ low: UInt32, _ high: UInt32) -> UInt64 {
    (UInt64(high) << 32 | UInt64(low)) >> 11
  }
}

/// Ten rounds of Philox4×32 on `counter` under `key`.
package func philox4x32(counter: SIMD4<UInt32>, key: SIMD2<UInt32>) -> SIMD4<UInt32> {
  var counter = counter
  var key = key
  for round in 0..<10 {
    if round > 0 { key = key &+ SIMD2(0x9E37_79B9, 0xBB67_AE85) }
    let (high0, low0) = counter[0].multipliedFullWidth(by: 0xD251_1F53)
    let (high1, low1) = counter[2].multipliedFullWidth(by: 0xCD9E_8D57)
    counter = [high1 ^ counter[1] ^ key[0], low1, high0 ^ counter[3] ^ key[1], low0]
  }
  return counter
}

/// The 64-bit FNV-1a hash of the UTF-8 bytes of `text`.
private func fnv1a(_ text: String) -> UInt64 {
  text.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01B3 }
}

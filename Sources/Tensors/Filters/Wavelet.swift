/// An orthogonal wavelet, and the transform of images by it.
///
/// A signal of N values has (N + L − 1)/2 coefficients of each kind for filters of L taps:
///
///     low[k] = Σⱼ h[j]·x[2k + 1 − j],  high[k] = Σⱼ g[j]·x[2k + 1 − j]
///
/// where x is mirrored beyond its ends, edge included: the `symmetric` mode of PyWavelets.
package enum Wavelet: String, CaseIterable, Sendable {
  case haar, db2

  /// The filters of the decomposition.
  var low: [Double] {
    switch self {
    case .haar: [0.7071067811865476, 0.7071067811865476]
    case .db2: [-0.12940952255126037, 0.2241438680420134, 0.8365163037378079, 0.48296291314453416]
    }
  }
  var high: [Double] {
    let reversed = Array(low.reversed())
    return reversed.indices.map { $0 % 2 == 0 ? -reversed[$0] : reversed[$0] }
  }

  /// The number of levels that scikit-image takes: three less than there could be, at least 1.
  func levels(height: Int, width: Int) -> Int {
    var (most, extent) = (0, min(height, width) / (low.count - 1))
    while extent > 1 {
      most += 1
      extent /= 2
    }
    return max(1, most - 3)
  }
}

/// Numbers in rows.
struct Grid2D: Sendable {
  let height: Int, width: Int
  var values: [Double]

  init(height: Int, width: Int, values: [Double]) {
    (self.height, self.width, self.values) = (height, width, values)
  }

  /// The first plane of an image.
  init(_ image: Tensor<Float>) {
    (height, width) = (image.shape.height, image.shape.width)
    values = image.scalars.prefix(height * width).map(Double.init)
  }

  /// Makes a grid whose rows `body` writes, on several threads.
  init(
    height: Int, width: Int, rows body: (_ row: Int, _ values: UnsafeMutablePointer<Double>) -> Void
  ) {
    (self.height, self.width) = (height, width)
    values = Array(unsafeUninitializedCapacity: height * width) { buffer, count in
      if let start = buffer.baseAddress {
        nonisolated(unsafe) let start = start
        start.initialize(repeating: 0, count: height * width)
        parallel(chunks: (height + 7) / 8) { chunk, _ in
          for row in chunk * 8..<min(chunk * 8 + 8, height) { body(row, start + row * width) }
        }
      }
      count = height * width
    }
  }

  /// The grid without its last rows and columns.
  func cropped(_ height: Int, _ width: Int) -> Grid2D {
    if height == self.height, width == self.width { return self }
    return Grid2D(
      height: height, width: width,
      values: (0..<height).flatMap { values[$0 * self.width..<$0 * self.width + width] })
  }
}

/// One level of a wavelet transform: the smooth part and the details along rows, columns and both.
struct WaveletLevel: Sendable {
  var smooth: Grid2D
  /// High along columns' direction alone, along rows' alone, along both.
  var details: [Grid2D]

  init(of grid: Grid2D, by wavelet: Wavelet) {
    let (low, high) = (
      Self.downRows(grid, wavelet.low), Self.downRows(grid, wavelet.high)
    )
    smooth = Self.downColumns(low, wavelet.low)
    details = [
      Self.downColumns(low, wavelet.high), Self.downColumns(high, wavelet.low),
      Self.downColumns(high, wavelet.high),
    ]
  }

  /// The details along both directions alone, by which noise is estimated.
  static func finest(of grid: Grid2D, by wavelet: Wavelet) -> Grid2D {
    downColumns(downRows(grid, wavelet.high), wavelet.high)
  }

  /// The grid that the level came from; it may have a row or column too many.
  func inverse(by wavelet: Wavelet) -> Grid2D {
    let (low, high) = (Array(wavelet.low.reversed()), Array(wavelet.high.reversed()))
    let (h, w) = (details[2].height, details[2].width)
    let smooth = smooth.cropped(h, w)
    return Self.upRows(
      Self.upColumns(smooth, low, details[0], high), low,
      Self.upColumns(details[1], low, details[2], high), high)
  }

  private static func mirrored(_ index: Int, _ extent: Int) -> Int {
    let period = 2 * extent
    let folded = ((index % period) + period) % period
    return folded < extent ? folded : period - 1 - folded
  }

  private static func downRows(_ grid: Grid2D, _ filter: [Double]) -> Grid2D {
    Grid2D(height: (grid.height + filter.count - 1) / 2, width: grid.width) { row, result in
      for (tap, weight) in filter.enumerated() {
        let source = mirrored(2 * row + 1 - tap, grid.height) * grid.width
        for x in 0..<grid.width { result[x] += weight * grid.values[source + x] }
      }
    }
  }

  private static func downColumns(_ grid: Grid2D, _ filter: [Double]) -> Grid2D {
    let width = (grid.width + filter.count - 1) / 2
    return Grid2D(height: grid.height, width: width) { row, result in
      let start = row * grid.width
      for x in 0..<width {
        var sum = 0.0
        for tap in filter.indices {
          sum += filter[tap] * grid.values[start + mirrored(2 * x + 1 - tap, grid.width)]
        }
        result[x] = sum
      }
    }
  }

  /// The taps of a filter of `count` that reach output `index`, and the coefficients they belong to.
  private static func sources(_ index: Int, _ count: Int, _ extent: Int) -> [(tap: Int, from: Int)]
  {
    (0..<count).compactMap { tap in
      let place = index + count - 2 - tap
      return place >= 0 && place % 2 == 0 && place / 2 < extent ? (tap, place / 2) : nil
    }
  }

  private static func upRows(
    _ low: Grid2D, _ lowFilter: [Double], _ high: Grid2D, _ highFilter: [Double]
  ) -> Grid2D {
    let taps = lowFilter.count
    return Grid2D(height: 2 * low.height - taps + 2, width: low.width) { row, result in
      for (tap, from) in sources(row, taps, low.height) {
        let start = from * low.width
        for x in 0..<low.width {
          result[x] +=
            lowFilter[tap] * low.values[start + x] + highFilter[tap] * high.values[start + x]
        }
      }
    }
  }

  private static func upColumns(
    _ low: Grid2D, _ lowFilter: [Double], _ high: Grid2D, _ highFilter: [Double]
  ) -> Grid2D {
    let taps = lowFilter.count
    let width = 2 * low.width - taps + 2
    let all = (0..<width).map { sources($0, taps, low.width) }
    return Grid2D(height: low.height, width: width) { row, result in
      let start = row * low.width
      for x in 0..<width {
        for (tap, from) in all[x] {
          result[x] +=
            lowFilter[tap] * low.values[start + from] + highFilter[tap] * high.values[start + from]
        }
      }
    }
  }
}

/// The 75 % quantile of the standard normal distribution.
private let normalQuartile = 0.6744897501960817

extension Grid2D {
  /// The median magnitude of the values that are not 0, over that of a normal distribution; 0 if all
  /// are 0.
  fileprivate var robustDeviation: Double {
    let magnitudes = values.lazy.map(abs).filter { $0 != 0 }.sorted()
    guard let last = magnitudes.last else { return 0 }
    if last.isNaN || values.contains(where: \.isNaN) { return .nan }
    let middle = magnitudes.count / 2
    let median =
      magnitudes.count % 2 == 1
      ? magnitudes[middle] : (magnitudes[middle - 1] + magnitudes[middle]) / 2
    return median / normalQuartile
  }
}

extension Tensor<Float> {
  /// Returns the standard deviation of the noise of an image, `[1, 1, H, W]`, by the median magnitude of
  /// its finest diagonal details under the wavelet db2.
  ///
  /// - Returns: The deviation in the image's unit; NaN if the image holds a NaN.
  /// Source: Donoho, Johnstone, "Ideal spatial adaptation by wavelet shrinkage" (1994), 4.2; as
  /// `estimate_sigma` of scikit-image.
  package func estimatedNoise() -> Double {
    WaveletLevel.finest(of: Grid2D(self), by: .db2).robustDeviation
  }
}

/// Wavelet shrinkage: details below a threshold vanish, others come closer to 0 by it.
///
///     threshold = σ²/√max(mean of squares − σ², ε), for each kind of detail at each level
///
/// Source: Chang, Yu, Vetterli, "Adaptive wavelet thresholding for image denoising and compression"
/// (2000); as `denoise_wavelet` of scikit-image.
package struct WaveletShrinkage: ImageFilter {
  package let wavelet: Wavelet
  /// The noise; where it is estimated, by the finest diagonal details of this wavelet.
  package let noise: NoiseLevel

  package init(wavelet: Wavelet, noise: NoiseLevel) {
    (self.wavelet, self.noise) = (wavelet, noise)
  }

  package var description: String { "wavelet shrinkage, \(wavelet.rawValue), \(noise.words)" }

  package func apply(to image: Tensor<Float>) -> Tensor<Float> {
    var smooth = Grid2D(image)
    var levels: [WaveletLevel] = []
    for _ in 0..<wavelet.levels(height: smooth.height, width: smooth.width) {
      levels.append(WaveletLevel(of: smooth, by: wavelet))
      smooth = levels[levels.count - 1].smooth
    }
    let sigma: Double
    switch noise {
    case .known(let deviation): sigma = deviation
    case .estimated: sigma = levels[0].details[2].robustDeviation
    }
    for index in levels.indices.reversed() {
      var level = levels[index]
      level.smooth = smooth
      level.details = level.details.map { Self.shrunk($0, variance: sigma * sigma) }
      smooth = level.inverse(by: wavelet)
    }
    let result = smooth.cropped(image.shape.height, image.shape.width)
    return Tensor(shape: image.shape, scalars: result.values.map(Float.init))
  }

  private static func shrunk(_ grid: Grid2D, variance: Double) -> Grid2D {
    let square = grid.values.reduce(0) { $0 + $1 * $1 } / Double(max(1, grid.values.count))
    let threshold = variance / max(square - variance, Double.ulpOfOne).squareRoot()
    var result = grid
    for i in result.values.indices {
      let value = grid.values[i]
      result.values[i] = value < 0 ? min(value + threshold, 0) : max(value - threshold, 0)
    }
    return result
  }
}

import CKernels

/// Sums over the pixels of each channel of each image: Σ h and Σ h·(x − shift), in Double.
///
/// Each channel is summed pixel after pixel within a chunk of the image, and chunks one after the other,
/// so that the order depends on the size alone.
struct ChannelSums: Sendable {
  private let channels: Int
  /// `[N, C]`.
  private var sums: [Double], products: [Double]

  /// Σ h of a channel of an image.
  func sum(_ image: Int, _ channel: Int) -> Double { sums[image * channels + channel] }

  /// Σ h·(x − shift) of a channel of an image.
  func product(_ image: Int, _ channel: Int) -> Double { products[image * channels + channel] }

  /// The sums of a map x.
  ///
  /// - Parameters:
  ///   - x: The map.
  ///   - gradient: h, of the same shape; x − shift if nil.
  ///   - shifts: The number that is subtracted from x, for each channel of each image.
  init<Element: Scalar>(
    _ x: FeatureMap<Element>, gradient: FeatureMap<Element>? = nil, shifts: ChannelTable<Element>
  ) {
    channels = x.shape.channels
    let x = x.resolved
    if x.layout == .interleaved, let x = x as? FeatureMap<Float>,
      let shifts = shifts as? ChannelTable<Float>
    {
      (sums, products) = Self.interleaved(x, gradient as? FeatureMap<Float>, shifts)
    } else {
      (sums, products) = Self.planar(x, gradient, shifts)
    }
  }

  private static func interleaved(
    _ x: FeatureMap<Float>, _ gradient: FeatureMap<Float>?, _ shifts: ChannelTable<Float>
  ) -> ([Double], [Double]) {
    let (images, channels, stored) = (x.shape.batch, x.shape.channels, shifts.stride)
    let chunks = ChannelChunks(x.shape)
    let kernels = InstructionSet.kernels
    var partials = [Double](repeating: 0, count: chunks.count * 2 * stored)
    partials.withUnsafeMutableBufferPointer { partials in
      shifts.numbers.withUnsafeBufferPointer { shifts in
        guard let partials = partials.baseAddress, let shifts = shifts.baseAddress else { return }
        withExtendedLifetime((x, gradient)) {
          parallel(chunks: chunks.count) { chunk, _ in
            let (image, pixels) = chunks[chunk]
            let place = (image * x.shape.planeCount + pixels.lowerBound) * stored
            var sums = ck_channel_sums(
              pixels: pixels.count, channels: stored, values: x.scalars.start + place,
              gradients: gradient.map { UnsafePointer($0.scalars.start + place) },
              mask: gradient?.mask.map { UnsafePointer($0.start + place / 8) },
              shifts: shifts + image * stored)
            let target = partials + chunk * 2 * stored
            kernels.channel_sums(&sums, target, target + stored)
          }
        }
      }
    }
    var sums = [Double](repeating: 0, count: images * channels)
    var products = sums
    for chunk in 0..<chunks.count {
      let (image, _) = chunks[chunk]
      for c in 0..<channels {
        sums[image * channels + c] += partials[chunk * 2 * stored + c]
        products[image * channels + c] += partials[(chunk * 2 + 1) * stored + c]
      }
    }
    return (sums, products)
  }

  @specialized(where Element == Float)
  @specialized(where Element == Double)
  private static func planar<Element: Scalar>(
    _ x: FeatureMap<Element>, _ gradient: FeatureMap<Element>?, _ shifts: ChannelTable<Element>
  ) -> ([Double], [Double]) {
    let (planes, pixels) = (x.shape.batch * x.shape.channels, x.shape.planeCount)
    var sums = [Double](repeating: 0, count: planes)
    var products = sums
    sums.withUnsafeMutableBufferPointer { sums in
      products.withUnsafeMutableBufferPointer { products in
        withExtendedLifetime((x, gradient)) {
          parallel(chunks: planes) { plane, _ in
            let values = x.scalars.start + plane * pixels
            let shift = Double(shifts.numbers[plane])
            let both =
              if let gradient {
                Self.sums(values, gradient.scalars.start + plane * pixels, shift, pixels)
              } else {
                Self.sums(values, shift, pixels)
              }
            (sums[plane], products[plane]) = both
          }
        }
      }
    }
    return (sums, products)
  }

  /// Σ h and Σ h·(x − shift) of one plane, in eight running sums that do not wait for each other.
  @inline(__always)
  private static func sums<Element: Scalar>(
    _ x: UnsafePointer<Element>, _ h: UnsafePointer<Element>, _ shift: Double, _ count: Int
  ) -> (Double, Double) {
    var (sums, products) = (SIMD8<Double>.zero, SIMD8<Double>.zero)
    let whole = count / 8 * 8
    for i in stride(from: 0, to: whole, by: 8) {
      var (values, others) = (SIMD8<Double>.zero, SIMD8<Double>.zero)
      for lane in 0..<8 {
        values[lane] = Double(x[i + lane])
        others[lane] = Double(h[i + lane])
      }
      sums += others
      products += others * (values - shift)
    }
    for i in whole..<count {
      sums[i - whole] += Double(h[i])
      products[i - whole] += Double(h[i]) * (Double(x[i]) - shift)
    }
    return (sums.sum(), products.sum())
  }

  /// Σ (x − shift) and Σ (x − shift)² of one plane.
  @inline(__always)
  private static func sums<Element: Scalar>(
    _ x: UnsafePointer<Element>, _ shift: Double, _ count: Int
  ) -> (Double, Double) {
    var (sums, products) = (SIMD8<Double>.zero, SIMD8<Double>.zero)
    let whole = count / 8 * 8
    for i in stride(from: 0, to: whole, by: 8) {
      var values = SIMD8<Double>.zero
      for lane in 0..<8 { values[lane] = Double(x[i + lane]) }
      values -= shift
      sums += values
      products += values * values
    }
    for i in whole..<count {
      let value = Double(x[i]) - shift
      sums[i - whole] += value
      products[i - whole] += value * value
    }
    return (sums.sum(), products.sum())
  }
}

/// Parts of the images of an interleaved map that are worked on one at a time.
struct ChannelChunks: Sendable {
  let count: Int
  private let parts: Int, pixels: Int

  init(_ shape: Shape) {
    pixels = shape.planeCount
    let stored = MapLayout.storedChannels(shape.channels)
    parts = max(1, min(pixels, pixels * stored / elementsPerChunk))
    count = shape.batch * parts
  }

  subscript(chunk: Int) -> (image: Int, pixels: Range<Int>) {
    (chunk / parts, range(ofChunk: chunk % parts, of: parts, count: pixels))
  }
}

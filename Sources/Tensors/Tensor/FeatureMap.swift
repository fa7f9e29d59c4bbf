import CKernels

/// The values between the operations of a network, `[N, C, H, W]`.
///
/// The layout in memory is internal to the engine: networks pass feature maps from operation to
/// operation and convert them to tensors only for inspection.
package struct FeatureMap<Element: Scalar>: Sendable {
  package let shape: Shape

  /// Whether the operation that made this map found a NaN or an infinity in it.
  ///
  /// Only convolutions check: every non-finite value reaches the next convolution or the loss.
  package let foundNonFinite: Bool

  /// The values, in the order of ``layout``.
  private(set) var scalars: MapMemory<Element>

  /// The bits of an interleaved map whose values are 0 where the bit is 0, and ``scalars``
  /// elsewhere; nil without a mask.
  ///
  /// So the gradient of a ReLU costs nothing: convolutions read through the mask; other operations
  /// take ``resolved`` first.
  var mask: MapMemory<UInt8>?

  /// The moments of ``scalars``, which several operations ask for.
  private(set) var moments = KnownMoments()

  /// A map of the values of `tensor`, `[N, C, H, W]`.
  @specialized(where Element == Float)
  @specialized(where Element == Double)
  package init(_ tensor: Tensor<Element>) {
    let layout = MapLayout(channels: tensor.shape.channels, Element.self)
    self.init(
      shape: tensor.shape,
      scalars: layout == .planar
        ? MapMemory(tensor.scalars)
        : tensor.scalars.withUnsafeBufferPointer {
          MapLayout.interleave($0, shape: tensor.shape)
        })
  }

  /// A map of values in planes, `[N, C, H, W]`.
  @specialized(where Element == Float)
  @specialized(where Element == Double)
  init(shape: Shape, planes: MapMemory<Element>, foundNonFinite: Bool) {
    let layout = MapLayout(channels: shape.channels, Element.self)
    self.init(
      shape: shape,
      scalars: layout == .planar
        ? planes : planes.withUnsafeBufferPointer { MapLayout.interleave($0, shape: shape) },
      foundNonFinite: foundNonFinite)
  }

  init(shape: Shape, scalars: MapMemory<Element>, foundNonFinite: Bool = false) {
    precondition(shape.rank == 4, "A feature map is [N,C,H,W], not \(shape).")
    self.shape = shape
    self.scalars = scalars
    self.foundNonFinite = foundNonFinite
  }

  /// Whether no other map shares the values.
  mutating func isOnlyOwner() -> Bool { isKnownUniquelyReferenced(&scalars) }

  /// The layout of the values in memory, which depends on the number of channels alone.
  var layout: MapLayout { MapLayout(channels: shape.channels, Element.self) }

  /// The values as a tensor.
  package var tensor: Tensor<Element> { Tensor(shape: shape, scalars: rowMajorScalars()) }

  /// Returns the value at `[n, c, y, x]`, without a tensor of all.
  package func element(at index: [Int]) -> Element {
    let (n, c, pixel) = (index[0], index[1], index[2] * shape.width + index[3])
    guard layout == .interleaved else {
      return scalars.start[(n * shape.channels + c) * shape.planeCount + pixel]
    }
    let place = (n * shape.planeCount + pixel) * MapLayout.storedChannels(shape.channels) + c
    if let mask, mask.start[place / 8] >> (place % 8) & 1 == 0 { return 0 }
    return scalars.start[place]
  }

  @specialized(where Element == Float)
  @specialized(where Element == Double)
  private func rowMajorScalars() -> [Element] {
    layout == .planar
      ? scalars.withUnsafeBufferPointer(Array.init)
      : Tensor(shape: shape) { planes in
        planes.baseAddress.map {
          MapLayout.deinterleave(resolved.scalars, into: $0, shape: shape)
        }
      }.scalars
  }

  /// Returns the values in planes, `[N, C, H, W]`, whatever the layout.
  @specialized(where Element == Float)
  @specialized(where Element == Double)
  func planes() -> MapMemory<Element> {
    layout == .planar
      ? scalars
      : MapMemory(shape.count) {
        MapLayout.deinterleave(resolved.scalars, into: $0, shape: shape)
      }
  }

  /// The same map with the mask applied to its values.
  var resolved: FeatureMap {
    guard let mask, let map = self as? FeatureMap<Float> else { return self }
    let kernels = InstructionSet.kernels
    let values = MapMemory<Float>(scalars.count) { output in
      // There is a multiple of 8 values a pixel, and a bit of the mask for each.
      parallelRanges(map.scalars.count / 8) { range in
        kernels.apply_mask(
          map.scalars.start + range.lowerBound * 8, mask.start + range.lowerBound,
          output + range.lowerBound * 8, range.count * 8)
      }
    }
    return FeatureMap<Float>(shape: shape, scalars: values) as? FeatureMap ?? self
  }
}

/// The layout of a map's values in memory.
///
/// In Double, where the reference engine computes, every map is planar. So are Float maps with few
/// channels, where vectors run along rows; others keep the channels of a pixel together.
enum MapLayout: Sendable {
  /// `[N, C, H, W]`, as in a tensor.
  case planar
  /// `[N, H, W, C′]`; C′ is C rounded up to a multiple of 8, and numbers beyond C are not values.
  case interleaved

  init<Element: Scalar>(channels: Int, _ type: Element.Type) {
    self = type == Float.self && (channels == 8 || channels >= 12) ? .interleaved : .planar
  }

  /// C′, the number of channels that an interleaved map stores.
  static func storedChannels(_ channels: Int) -> Int { (channels + 7) / 8 * 8 }

  @inline(__always)
  static func interleave<Element: Scalar>(
    _ planes: UnsafeBufferPointer<Element>, shape: Shape
  ) -> MapMemory<Element> {
    let (channels, pixels) = (shape.channels, shape.planeCount)
    let stored = storedChannels(channels)
    return MapMemory(shape.batch * pixels * stored) { target in
      guard let planes = planes.baseAddress else { return }
      parallelPixels(shape) { image, range in
        let source = planes + image * channels * pixels
        for pixel in range {
          let place = target + (image * pixels + pixel) * stored
          for c in 0..<channels { place[c] = source[c * pixels + pixel] }
          for c in channels..<stored { place[c] = 0 }
        }
      }
    }
  }

  @inline(__always)
  static func deinterleave<Element: Scalar>(
    _ scalars: MapMemory<Element>, into planes: UnsafeMutablePointer<Element>, shape: Shape
  ) {
    let (channels, pixels) = (shape.channels, shape.planeCount)
    let stored = storedChannels(channels)
    scalars.withUnsafeBufferPointer { scalars in
      guard let scalars = scalars.baseAddress else { return }
      parallelPixels(shape) { image, range in
        let target = planes + image * channels * pixels
        for pixel in range {
          let place = scalars + (image * pixels + pixel) * stored
          for c in 0..<channels { target[c * pixels + pixel] = place[c] }
        }
      }
    }
  }

  /// Calls `body` for consecutive pixels of each image, on several threads.
  @inline(__always)
  static func parallelPixels(_ shape: Shape, _ body: (_ image: Int, _ pixels: Range<Int>) -> Void) {
    let pixels = shape.planeCount
    let parts = max(1, pixels * shape.channels / elementsPerChunk)
    parallel(chunks: shape.batch * parts) { chunk, _ in
      body(chunk / parts, range(ofChunk: chunk % parts, of: parts, count: pixels))
    }
  }
}

/// The number of scalars in one chunk of an element-wise operation.
let elementsPerChunk = 1 << 15

/// Calls `body` for consecutive parts of `0..<count`, on several threads.
@inline(__always)
func parallelRanges(_ count: Int, _ body: (Range<Int>) -> Void) {
  let chunks = max(1, count / elementsPerChunk)
  parallel(chunks: chunks) { chunk, _ in body(range(ofChunk: chunk, of: chunks, count: count)) }
}

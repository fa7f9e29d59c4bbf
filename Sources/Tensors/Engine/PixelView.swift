/// The places of a map's values in memory, whatever the layout.
struct PixelView {
  private let start: UnsafeMutablePointer<Float>
  /// The distances between images, channels, rows and pixels.
  private let image: Int, channel: Int, row: Int, pixel: Int
  /// The channels that are stored beyond those that hold values.
  private let padding: Range<Int>

  /// The places of a map of shape `shape`, in its own layout or in planes.
  init(_ start: UnsafeMutablePointer<Float>, _ shape: Shape, _ layout: MapLayout) {
    let (channels, pixels, width) = (shape.channels, shape.planeCount, shape.width)
    let stored = layout == .planar ? channels : MapLayout.storedChannels(channels)
    self.start = start
    image = stored * pixels
    (channel, pixel) = layout == .planar ? (pixels, 1) : (1, stored)
    row = width * pixel
    padding = channels..<stored
  }

  /// The number of values, stored ones beyond the channels included.
  static func count(_ shape: Shape, _ layout: MapLayout) -> Int {
    let stored = layout == .planar ? shape.channels : MapLayout.storedChannels(shape.channels)
    return shape.batch * stored * shape.planeCount
  }

  /// The pixels of one row from `column` on, each `step` behind the one before.
  @inline(__always)
  func run(_ image: Int, _ channel: Int, _ row: Int, _ column: Int, step: Int = 1) -> PixelRun {
    let place = image * self.image + channel * self.channel + row * self.row + column * pixel
    return PixelRun(start: start + place, pixel: step * pixel, channel: self.channel)
  }

  /// Writes 0 to the stored channels beyond those that hold values, in one row.
  @inline(__always)
  func clearPadding(_ image: Int, _ row: Int, pixels: Int) {
    guard !padding.isEmpty else { return }
    run(image, padding.lowerBound, row, 0).clear(0..<pixels, channels: padding.count)
  }
}

/// Pixels of one row of a map.
struct PixelRun {
  fileprivate let start: UnsafeMutablePointer<Float>
  /// The distances between pixels and between channels.
  fileprivate let pixel: Int, channel: Int

  /// Writes 0 to some pixels.
  @inline(__always)
  func clear(_ pixels: Range<Int>, channels: Int) {
    if channel == 1 {
      for i in pixels { (start + i * pixel).update(repeating: 0, count: channels) }
    } else {
      for c in 0..<channels {
        let target = start + c * channel
        for i in pixels { target[i * pixel] = 0 }
      }
    }
  }

  /// Copies as many pixels from another run.
  @inline(__always)
  func copy(_ other: PixelRun, pixels: Int, channels: Int) {
    if channel == 1, other.channel == 1 {
      if pixel == channels, other.pixel == channels {
        start.update(from: other.start, count: pixels * channels)
        return
      }
      for i in 0..<pixels {
        (start + i * pixel).update(from: other.start + i * other.pixel, count: channels)
      }
    } else {
      for c in 0..<channels {
        let (target, source) = (start + c * channel, other.start + c * other.channel)
        for i in 0..<pixels { target[i * pixel] = source[i * other.pixel] }
      }
    }
  }
}

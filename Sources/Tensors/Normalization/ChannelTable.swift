/// A number for each channel of each image.
///
/// Interleaved maps store more channels than there are; their numbers are 0.
struct ChannelTable<Element: Scalar>: Sendable {
  /// The channels as stored.
  let stride: Int
  /// `[N, stride]`.
  private(set) var numbers: [Element]

  /// The table of the numbers that `number` gives for an image and a channel.
  init(_ shape: Shape, _ number: (_ image: Int, _ channel: Int) -> Double) {
    let layout = MapLayout(channels: shape.channels, Element.self)
    stride = layout == .planar ? shape.channels : MapLayout.storedChannels(shape.channels)
    numbers = Array(repeating: 0, count: shape.batch * stride)
    for image in 0..<shape.batch {
      for channel in 0..<shape.channels {
        numbers[image * stride + channel] = Element(number(image, channel))
      }
    }
  }

  subscript(image: Int, channel: Int) -> Double { Double(numbers[image * stride + channel]) }
}

/// The images and channels that share a number: a mean, a variance, a factor.
package enum ChannelSharing: Hashable, Sendable {
  /// Each channel has a number for all images: `[C]`.
  case batch
  /// The channels of each image, in so many groups of neighbors, have a number each: `[N, groups]`.
  case groups(Int)

  /// Returns the shape of the numbers for a map of `shape`.
  package func shape(of shape: Shape) -> Shape {
    switch self {
    case .batch: [shape.channels]
    case .groups(let groups): [shape.batch, groups]
    }
  }

  /// Returns how many pixels of all channels share one number.
  package func pixels(of shape: Shape) -> Int { shape.count / self.shape(of: shape).count }

  /// Returns the place of the number of a channel of an image, in row-major order.
  package func place(_ image: Int, _ channel: Int, of shape: Shape) -> Int {
    switch self {
    case .batch: channel
    case .groups(let groups): image * groups + channel * groups / shape.channels
    }
  }

  /// Returns the sums of numbers over the images and channels that share one.
  func sums(_ shape: Shape, _ number: (_ image: Int, _ channel: Int) -> Double) -> [Double] {
    var sums = [Double](repeating: 0, count: self.shape(of: shape).count)
    for image in 0..<shape.batch {
      for channel in 0..<shape.channels {
        sums[place(image, channel, of: shape)] += number(image, channel)
      }
    }
    return sums
  }
}

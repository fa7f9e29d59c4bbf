/// An image with rows and columns beyond its border, so that filters need not ask where it ends.
struct ExtendedImage {
  /// How an image goes on beyond its border.
  enum Border {
    /// `d c b | a b c d | c b a`.
    case mirrored
    /// `c b a | a b c d | d c b`.
    case mirroredWithEdge
    /// `a a a | a b c d | d d d`.
    case repeated
  }

  let pitch: Int
  /// The index of the image's first pixel among the scalars.
  let origin: Int
  let scalars: [Float]

  /// Extends the first plane of `image` by so many rows and columns on each side.
  init(
    _ image: Tensor<Float>, border: Border, rows: Int, columns: (before: Int, behind: Int)
  ) {
    let (height, width) = (image.shape.height, image.shape.width)
    let pitch = width + columns.before + columns.behind
    let sources = (0..<pitch).map { Self.source($0 - columns.before, width, border) }
    var scalars = [Float](repeating: 0, count: (height + 2 * rows) * pitch)
    for row in 0..<height + 2 * rows {
      let source = Self.source(row - rows, height, border) * width
      for column in 0..<pitch {
        scalars[row * pitch + column] = image.scalars[source + sources[column]]
      }
    }
    (self.pitch, self.scalars, origin) = (pitch, scalars, rows * pitch + columns.before)
  }

  /// The index within `extent` that stands for `index` beyond it.
  private static func source(_ index: Int, _ extent: Int, _ border: Border) -> Int {
    if (0..<extent).contains(index) { return index }
    switch border {
    case .repeated: return min(max(index, 0), extent - 1)
    case .mirrored:
      guard extent > 1 else { return 0 }
      let period = 2 * extent - 2
      let folded = ((index % period) + period) % period
      return folded < extent ? folded : period - folded
    case .mirroredWithEdge:
      let period = 2 * extent
      let folded = ((index % period) + period) % period
      return folded < extent ? folded : period - 1 - folded
    }
  }
}

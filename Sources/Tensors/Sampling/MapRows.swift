/// The distances in memory between the values of a map.
struct MapStrides {
  let image: Int, channel: Int, pixel: Int

  init(_ shape: Shape, _ layout: MapLayout) {
    let (channels, pixels) = (shape.channels, shape.planeCount)
    switch layout {
    case .planar: (image, channel, pixel) = (channels * pixels, pixels, 1)
    case .interleaved:
      let stored = MapLayout.storedChannels(channels)
      (image, channel, pixel) = (pixels * stored, 1, stored)
    }
  }
}

/// The values of a map as planes of pixels that hold one number or several.
///
/// A planar map has a plane for each channel of each image, whose pixels hold one number; an
/// interleaved one has a plane for each image, whose pixels hold all channels. Whatever treats all
/// channels alike is written once for both.
struct MapRows {
  let planes: Int, height: Int, width: Int
  /// The numbers of one pixel, which are neighbors in memory.
  let lanes: Int

  init(_ shape: Shape, _ layout: MapLayout) {
    (height, width) = (shape.height, shape.width)
    switch layout {
    case .planar: (planes, lanes) = (shape.batch * shape.channels, 1)
    case .interleaved:
      (planes, lanes) = (shape.batch, MapLayout.storedChannels(shape.channels))
    }
  }

  /// The numbers of a row, and of a plane.
  var row: Int { width * lanes }
  var plane: Int { height * row }
}

extension FeatureMap {
  /// The planes and rows of the map.
  var rows: MapRows { MapRows(shape, layout) }

  /// The same number of images and channels with other sides.
  func shape(height: Int, width: Int) -> Shape { [shape.batch, shape.channels, height, width] }

  /// Returns a map that `body` writes, some rows of a plane at a time, on several threads.
  ///
  /// - Parameters:
  ///   - shape: The shape of the map.
  ///   - rows: How many rows are written at once; the height is a multiple of it.
  ///   - body: Writes block number `block` of a plane, whose first number is at `target`.
  /// - Returns: The map.
  @inline(__always)
  static func writing(
    _ shape: Shape, rows: Int = 1,
    _ body: (_ plane: Int, _ block: Int, _ target: UnsafeMutablePointer<Element>) -> Void
  ) -> FeatureMap {
    let grid = MapRows(shape, MapLayout(channels: shape.channels, Element.self))
    let (blocks, size) = (grid.height / rows, rows * grid.row)
    let count = grid.planes * blocks
    let chunks = max(1, min(count, count * size / elementsPerChunk))
    return FeatureMap(
      shape: shape,
      scalars: MapMemory(grid.planes * grid.plane) { output in
        parallel(chunks: chunks) { chunk, _ in
          for number in range(ofChunk: chunk, of: chunks, count: count) {
            body(number / blocks, number % blocks, output + number * size)
          }
        }
      })
  }
}

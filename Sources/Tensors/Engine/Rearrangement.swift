/// A map in which the pixels of an image lie elsewhere, some perhaps not at all.
///
/// Along each axis, with a step t between pixels that become neighbors,
///
///     rearranged[…, Y] = image[…, t·(Y + shift) + phase]
///
/// and 0 where this is outside the image. Each of the t phases is a block of channels, or an image of its
/// own, as the pixels that a dilated kernel meets are.
struct Rearrangement {
  /// One axis of both maps.
  struct Axis: Hashable {
    /// The number of pixels of the image, and of the rearranged map.
    let extent: Int, places: Int
    let step: Int, shift: Int

    var isIdentity: Bool { step == 1 && shift == 0 && places == extent }

    /// The number of pixels of a phase.
    func pixels(ofPhase phase: Int) -> Int { (extent - phase + step - 1) / step }

    /// The places that hold pixels of a phase; its pixel i is at i − shift.
    func inside(phase: Int) -> Range<Int> {
      let lowest = min(places, max(0, -shift))
      return lowest..<max(lowest, min(places, pixels(ofPhase: phase) - shift))
    }

    /// The pixel of the image at a place.
    func pixel(_ place: Int, phase: Int) -> Int { step * (place + shift) + phase }
  }

  let rows: Axis, columns: Axis
  /// Whether phases are images, and not blocks of channels.
  let splitsImages: Bool

  private var phases: Int { rows.step * columns.step }
  private var imagesPerImage: Int { splitsImages ? phases : 1 }
  /// The number of blocks of channels.
  var blocks: Int { splitsImages ? 1 : phases }
  /// Whether a map is its own rearrangement.
  var isIdentity: Bool { rows.isIdentity && columns.isIdentity }

  /// The number of the block of channels, or of the image, with these phases.
  private func part(_ row: Int, _ column: Int) -> Int { row * columns.step + column }

  /// The number of the block of channels with these phases.
  func block(_ row: Int, _ column: Int) -> Int { splitsImages ? 0 : part(row, column) }

  func shape(images: Int, channels: Int) -> Shape {
    [images * imagesPerImage, blocks * channels, rows.places, columns.places]
  }

  /// Returns the rearranged map of some channels of images.
  func gathered(_ source: PixelView, images: Int, channels: Range<Int>) -> FeatureMap<Float> {
    let shape = shape(images: images, channels: channels.count)
    let layout = MapLayout(channels: shape.channels, Float.self)
    let scalars = MapMemory<Float>(PixelView.count(shape, layout)) { output in
      let target = PixelView(output, shape, layout)
      parallel(chunks: shape.batch * rows.places) { chunk, _ in
        let (image, y) = chunk.quotientAndRemainder(dividingBy: rows.places)
        let (original, ownPart) = image.quotientAndRemainder(dividingBy: imagesPerImage)
        target.clearPadding(image, y, pixels: columns.places)
        for part in splitsImages ? ownPart..<ownPart + 1 : 0..<phases {
          let (row, column) = part.quotientAndRemainder(dividingBy: columns.step)
          let to = block(row, column) * channels.count
          let isInside = rows.inside(phase: row).contains(y)
          let inside = isInside ? columns.inside(phase: column) : 0..<0
          let run = target.run(image, to, y, 0)
          run.clear(0..<inside.lowerBound, channels: channels.count)
          run.clear(inside.upperBound..<columns.places, channels: channels.count)
          guard !inside.isEmpty else { continue }
          target.run(image, to, y, inside.lowerBound).copy(
            source.run(
              original, channels.lowerBound, rows.pixel(y, phase: row),
              columns.pixel(inside.lowerBound, phase: column), step: columns.step),
            pixels: inside.count, channels: channels.count)
        }
      }
    }
    return FeatureMap(shape: shape, scalars: scalars)
  }

  /// Writes a rearranged map's value of each pixel, or 0, to some channels of images: the adjoint of
  /// ``gathered(_:images:channels:)``.
  func collect(
    _ map: FeatureMap<Float>, into target: PixelView, images: Int, channels: Range<Int>
  ) {
    map.scalars.withUnsafeBufferPointer { _ in
      let source = PixelView(map.scalars.start, map.shape, map.layout)
      parallel(chunks: images * rows.extent) { chunk, _ in
        let (image, y) = chunk.quotientAndRemainder(dividingBy: rows.extent)
        let (pixel, row) = y.quotientAndRemainder(dividingBy: rows.step)
        let isInside = rows.inside(phase: row).contains(pixel - rows.shift)
        target.clearPadding(image, y, pixels: columns.extent)
        for column in 0..<columns.step {
          let inside = isInside ? columns.inside(phase: column) : 0..<0
          let first = inside.isEmpty ? 0 : inside.lowerBound + columns.shift
          let run = target.run(image, channels.lowerBound, y, column, step: columns.step)
          run.clear(0..<first, channels: channels.count)
          run.clear(
            first + inside.count..<columns.pixels(ofPhase: column), channels: channels.count)
          guard !inside.isEmpty else { continue }
          let from = splitsImages ? image * phases + part(row, column) : image
          target.run(
            image, channels.lowerBound, y, columns.pixel(inside.lowerBound, phase: column),
            step: columns.step
          ).copy(
            source.run(
              from, block(row, column) * channels.count, pixel - rows.shift, inside.lowerBound),
            pixels: inside.count, channels: channels.count)
        }
      }
    }
  }
}

import CT
import Tensors
import Training

/// A rectangle of some slices.
struct SlicePart {
  let slices: [Int]
  let rows: Range<Int>, columns: Range<Int>
}

extension Workspace {
  /// Keeps a part of the clean and the noisy slices; pairs stay pairs.
  mutating func crop(to part: SlicePart) {
    let kept = (noise, noisyStack?.part(part), noisySources.part(part))
    let (clean, sources) = (clean?.part(part), sources.part(part))
    let split = part.slices.count == slices?.count ? split : nil
    // Whatever was made of the slices is forgotten.
    self.clean = clean
    self.sources = sources
    (noise, noisyStack, noisySources) = kept
    self.split = split
  }
}

extension ImageStack {
  fileprivate func part(_ part: SlicePart) -> ImageStack {
    let places = part.slices.flatMap { slice in
      part.rows.flatMap { row in part.columns.map { (slice * height + row) * width + $0 } }
    }
    return ImageStack(
      values: Tensor(
        shape: [part.slices.count, 1, part.rows.count, part.columns.count],
        scalars: places.map { values.scalars[$0] }),
      mask: mask.map { mask in places.map { mask[$0] } }, unit: unit,
      origins: part.slices.map { origins[$0] })
  }
}

extension [SliceSource] {
  fileprivate func part(_ part: SlicePart) -> [SliceSource] {
    isEmpty
      ? []
      : part.slices.map {
        self[$0].cropped(row: part.rows.lowerBound, column: part.columns.lowerBound)
      }
  }
}

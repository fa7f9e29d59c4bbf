import CT

/// A rectangle of some slices.
struct SlicePart {
  let slices: [Int]
  let rows: Range<Int>, columns: Range<Int>
}

extension Workspace {
  /// Keeps a part of the clean and the noisy slices; pairs stay pairs.
  mutating func crop(to part: SlicePart) {
    func cropped(_ stack: ImageStack?) -> ImageStack? {
      stack?.part(part.slices, rows: part.rows, columns: part.columns)
    }
    let kept = (
      noise, cropped(noisyStack), part.slices.count == slices?.count ? split : nil
    )
    // Whatever was made of the slices is forgotten.
    clean = cropped(clean)
    (noise, noisyStack, split) = kept
  }
}

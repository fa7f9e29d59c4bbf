/// One entry of an index: a number, which drops its axis, or a range, which keeps it.
package enum IndexEntry: Hashable, Sendable {
  /// `3`
  case position(Int)
  /// `100:140`, `:40`, `100:` or `:`; the end is excluded.
  case range(lower: Int?, upper: Int?)
}

/// Parts of a tensor, as NumPy takes them.
extension Tensor {
  /// Returns the part of the tensor that `entries` select; axes without an entry are kept whole.
  ///
  /// A position drops its axis, a range keeps it: of `[8,1,64,64]`, `[3, 0, 10:20]` is `[10,64]`.
  ///
  /// - Throws: `TensorError` when there are more entries than axes or one lies outside its axis.
  package func part(_ entries: [IndexEntry]) throws(TensorError) -> Tensor {
    // A large stack is not copied where nothing is taken out.
    if entries.isEmpty { return self }
    let (ranges, kept) = try ranges(entries)
    return Tensor(shape: Shape(kept), scalars: offsets(ranges).flatMap { self.scalars[$0] })
  }

  /// Returns the tensor with the part that `entries` select filled by one number, or by as many
  /// numbers.
  ///
  /// - Throws: `TensorError` when the part does not exist or `values` are of another count.
  package func assigning(
    _ values: Tensor, to entries: [IndexEntry]
  ) throws(TensorError) -> Tensor {
    let (ranges, kept) = try ranges(entries)
    let part = Shape(kept)
    guard values.shape.count == 1 || values.shape.count == part.count else {
      throw TensorError(
        code: "shape",
        "\(part.count) \(part.count == 1 ? "number is" : "numbers are") named, \(values.shape.count) given",
        hint: "give one number for all, or \(part)")
    }
    var result = self
    for (number, offset) in offsets(ranges).joined().enumerated() {
      result.scalars[offset] = values.scalars[values.shape.count == 1 ? 0 : number]
    }
    return result
  }

  /// The range of each axis that `entries` select, and the extents of the axes that stay.
  private func ranges(
    _ entries: [IndexEntry]
  ) throws(TensorError) -> (ranges: [Range<Int>], kept: [Int]) {
    guard entries.count <= shape.rank else {
      throw TensorError(
        code: "index",
        "\(entries.count) \(entries.count == 1 ? "index" : "indices") for \(shape), which has \(shape.rank) \(shape.rank == 1 ? "axis" : "axes")",
        hint: "give at most \(shape.rank)")
    }
    var ranges: [Range<Int>] = []
    var kept: [Int] = []
    for axis in 0..<shape.rank {
      let extent = shape[axis]
      switch axis < entries.count ? entries[axis] : .range(lower: nil, upper: nil) {
      case .position(let position):
        guard (0..<extent).contains(position) else {
          throw TensorError(
            code: "index", "index \(position) is outside axis \(axis) of \(shape)",
            hint: extent > 0 ? "0 to \(extent - 1) exist" : "the axis is empty")
        }
        ranges.append(position..<position + 1)
      case .range(let lower, let upper):
        let (lower, upper) = (lower ?? 0, upper ?? extent)
        guard lower >= 0, upper <= extent, lower < upper else {
          throw TensorError(
            code: "index", "\(lower):\(upper) is not a part of axis \(axis) of \(shape)",
            hint: "a range a:b needs 0 ≤ a < b ≤ \(extent)")
        }
        ranges.append(lower..<upper)
        kept.append(upper - lower)
      }
    }
    return (ranges, kept)
  }

  /// Image `index` of a stack, `[1, C, H, W]`.
  package func image(_ index: Int) -> Tensor {
    images([index])
  }

  /// The images at `indices` of a stack, `[indices.count, C, H, W]`.
  package func images(_ indices: [Int]) -> Tensor {
    // A large stack is not copied where all of it is wanted.
    if indices.elementsEqual(0..<shape.batch) { return self }
    let size = shape.channels * shape.planeCount
    return Tensor(shape: [indices.count, shape.channels, shape.height, shape.width]) { output in
      for (position, index) in indices.enumerated() {
        precondition((0..<shape.batch).contains(index), "Image \(index) of \(shape).")
        scalars.withUnsafeBufferPointer {
          _ = output[(position * size)...].update(
            fromContentsOf: $0[index * size..<(index + 1) * size])
        }
      }
    }
  }

  /// Makes a stack of stacks of images of one shape, `[N, C, H, W]` with all of their images.
  package init(joining images: [Tensor]) {
    precondition(!images.isEmpty, "There are images to join.")
    let shape = images[0].shape
    self.init(
      shape: [images.reduce(0) { $0 + $1.shape.batch }, shape.channels, shape.height, shape.width],
      scalars: images.flatMap(\.scalars))
  }

  /// The offsets of a part in memory, one range for each run.
  private func offsets(_ ranges: [Range<Int>]) -> [Range<Int>] {
    var offsets = [0]
    var strides: [Int] = []
    var stride = shape.count
    for extent in shape.extents {
      stride /= max(1, extent)
      strides.append(stride)
    }
    for (range, stride) in zip(ranges.dropLast(), strides) {
      offsets = offsets.flatMap { offset in range.map { offset + $0 * stride } }
    }
    guard let last = ranges.last else { return [0..<1] }
    return offsets.map { $0 + last.lowerBound..<$0 + last.upperBound }
  }
}

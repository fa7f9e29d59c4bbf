/// The extents of a tensor, outermost first.
///
/// Images and activations are `[N, C, H, W]`, kernels `[O, I, kH, kW]`, biases `[O]`, the loss `[]`.
package struct Shape: Hashable, Sendable, CustomStringConvertible, ExpressibleByArrayLiteral {
  /// The extent of each axis; all at least 0.
  package let extents: [Int]

  package init(_ extents: [Int]) {
    precondition(extents.allSatisfy { $0 >= 0 }, "A shape has no negative extent.")
    self.extents = extents
  }

  package init(arrayLiteral elements: Int...) {
    self.init(elements)
  }

  /// The number of axes.
  package var rank: Int { extents.count }

  /// The number of scalars: the product of the extents, 1 for rank 0.
  package var count: Int { extents.reduce(1, *) }

  package subscript(axis: Int) -> Int { extents[axis] }

  /// The index, axis by axis, of the scalar at `offset` in row-major order.
  package func position(of offset: Int) -> [Int] {
    var rest = offset
    return extents.reversed().map { extent in
      defer { rest /= extent }
      return rest % extent
    }.reversed()
  }

  /// The row-major offset of the scalar at `position`, one index for each axis.
  package func offset(of position: [Int]) -> Int {
    zip(position, extents).reduce(0) { $0 * $1.1 + $1.0 }
  }

  /// The extents as NumPy prints them: `[4,8,256,256]`.
  package var description: String {
    "[" + extents.map(String.init).joined(separator: ",") + "]"
  }
}

/// The four extents of images and activations.
extension Shape {
  /// N, the number of images.
  package var batch: Int { requireRank4()[0] }
  /// C, the number of channels.
  package var channels: Int { requireRank4()[1] }
  /// H, the number of rows.
  package var height: Int { requireRank4()[2] }
  /// W, the number of columns.
  package var width: Int { requireRank4()[3] }
  /// H·W, the number of scalars in one channel of one image.
  package var planeCount: Int { height * width }

  private func requireRank4() -> [Int] {
    precondition(extents.count == 4, "Expected [N,C,H,W], found \(description).")
    return extents
  }
}

import Tensors

/// The ways in which a training turns its images at random: noisy and clean slice and mask alike.
package struct Augmentation: Hashable, Sendable, Codable {
  /// Mirrors left and right, and top and bottom, each half of the time.
  package var flips = false
  /// Turns by a multiple of 90°, each a quarter of the time; by 0° or 180° where an image is no square.
  package var rotates = false

  package init() {}

  /// Draws the turn of a slice in an epoch, or nil where nothing is turned.
  ///
  /// The stream `augment/epochN` is read by the number of the slice, so the turn does not depend on the
  /// order of slices.
  func turn(ofSlice slice: Int, isSquare: Bool, _ stream: RandomStream) -> Turn? {
    guard flips || rotates else { return nil }
    func draw(_ place: Int, below bound: Int) -> Int {
      stream.integer(at: 3 * slice + place, below: bound)
    }
    return Turn(
      flipsColumns: flips && draw(0, below: 2) == 1, flipsRows: flips && draw(1, below: 2) == 1,
      quarters: rotates ? draw(2, below: isSquare ? 4 : 2) * (isSquare ? 1 : 2) : 0)
  }
}

/// One of the ways to lay an image onto itself: mirrored, then turned against the clock.
struct Turn: Hashable, Sendable, Codable {
  /// Whether left and right are exchanged, and top and bottom.
  let flipsColumns: Bool, flipsRows: Bool
  /// The number of quarter turns, 0 to 3; odd ones need a square.
  let quarters: Int

  /// Whether the turn, which may come from a damaged file, is one of squares or of other images.
  func isPossible(inSquare isSquare: Bool) -> Bool {
    isSquare ? (0...3).contains(quarters) : quarters == 0 || quarters == 2
  }

  /// Turns an image in place.
  func apply(to image: UnsafeMutableBufferPointer<Float>, height: Int, width: Int) {
    precondition(quarters.isMultiple(of: 2) || height == width, "A quarter turn needs a square.")
    let before = Array(image)
    for row in 0..<height {
      for column in 0..<width {
        // The place before the quarter turns, then before the mirrors.
        var (y, x) =
          switch quarters {
          case 1: (column, height - 1 - row)
          case 2: (height - 1 - row, width - 1 - column)
          case 3: (width - 1 - column, row)
          default: (row, column)
          }
        if flipsRows { y = height - 1 - y }
        if flipsColumns { x = width - 1 - x }
        image[row * width + column] = before[y * width + x]
      }
    }
  }
}

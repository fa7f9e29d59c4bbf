/// The frame of a tile's image within a panel, which is stored as a note in the panel's file.
///
/// With it, a page can show the tiles of a panel on top of each other.
package struct TileFrame: Hashable, Sendable {
  /// The name of the tile: `noisy[3]`.
  package let name: String
  /// The upper left corner and the size, in pixels of the panel.
  package let x: Int, y: Int
  package let width: Int, height: Int

  private static let keyword = "Tiles"

  /// A note with these frames, one a line: `x y width height name`.
  package static func note(_ frames: [TileFrame]) -> PNG.Text {
    PNG.Text(
      keyword,
      frames.map { "\($0.x) \($0.y) \($0.width) \($0.height) \($0.name)" }.joined(separator: "\n"))
  }

  /// The frames in a file's note that lie within the picture.
  package static func frames(of png: PNG) -> [TileFrame] {
    (png[keyword] ?? "").split(separator: "\n").prefix(64).compactMap { line in
      let words = line.split(separator: " ", maxSplits: 4)
      let numbers = words.prefix(4).compactMap { Int($0) }
      guard words.count == 5, numbers.count == 4 else { return nil }
      let frame = TileFrame(
        name: String(words[4]), x: numbers[0], y: numbers[1], width: numbers[2],
        height: numbers[3])
      return frame.lies(within: png.picture) ? frame : nil
    }
  }

  private func lies(within picture: Picture) -> Bool {
    (0..<picture.width).contains(x) && (0..<picture.height).contains(y)
      && (1...picture.width - x).contains(width) && (1...picture.height - y).contains(height)
  }
}

extension Picture {
  /// The part of the picture within a frame.
  package func cropped(to frame: TileFrame) -> Picture {
    let samplesPerPixel = color.samplesPerPixel
    return Picture(
      width: frame.width, height: frame.height, color: color, depth: depth,
      samples: (frame.y..<frame.y + frame.height).flatMap { row in
        let start = (row * width + frame.x) * samplesPerPixel
        return samples[start..<start + frame.width * samplesPerPixel]
      })
  }
}

/// A grey picture on which areas, pictures and text are drawn.
///
/// Parts beyond an edge are cut off.
package struct Canvas: Sendable {
  package let width: Int, height: Int
  private var samples: [UInt16]

  /// Creates a canvas of one shade, 0 black to 255 white.
  package init(width: Int, height: Int, shade: UInt16 = 0) {
    precondition(width > 0 && height > 0, "A canvas has at least one pixel.")
    self.width = width
    self.height = height
    samples = Array(repeating: shade, count: width * height)
  }

  /// The picture so far, in 8-bit grey.
  package var picture: Picture { Picture(width: width, height: height, samples: samples) }

  /// Fills a rectangle with one shade.
  package mutating func fill(x: Int, y: Int, width: Int, height: Int, shade: UInt16) {
    for row in max(y, 0)..<max(min(y + height, self.height), max(y, 0)) {
      for column in max(x, 0)..<max(min(x + width, self.width), max(x, 0)) {
        samples[row * self.width + column] = shade
      }
    }
  }

  /// Draws an 8-bit grey picture at (x, y), each pixel as a square of `scale` pixels.
  package mutating func put(_ picture: Picture, x: Int, y: Int, scale: Int = 1) {
    precondition(picture.format == "gray8", "A canvas takes gray8, not \(picture.format).")
    for row in max(y, 0)..<max(min(y + picture.height * scale, height), max(y, 0)) {
      for column in max(x, 0)..<max(min(x + picture.width * scale, width), max(x, 0)) {
        samples[row * width + column] = picture[(row - y) / scale, (column - x) / scale]
      }
    }
  }

  /// Writes a line of text with its upper left corner at (x, y).
  package mutating func write(
    _ text: String, x: Int, y: Int, font: BitmapFont = .regular, shade: UInt16 = 255
  ) {
    for (index, letter) in text.unicodeScalars.enumerated() {
      let left = x + index * BitmapFont.width
      for (line, bits) in font.rows(of: letter).enumerated() where bits != 0 {
        for column in 0..<BitmapFont.width where bits >> (BitmapFont.width - 1 - column) & 1 == 1 {
          fill(x: left + column, y: y + line, width: 1, height: 1, shade: shade)
        }
      }
    }
  }
}

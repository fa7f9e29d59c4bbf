/// A grey picture with lines of text and a progress bar under it, as a frame of an animation.
package struct CaptionedPicture: Sendable {
  private let picture: Picture
  private let lines: [String]
  private let progress: Double
  private let rows: Int

  private static let margin = 6, line = BitmapFont.height + 1, bar = 4

  /// Makes a picture with captions.
  ///
  /// - Parameters:
  ///   - picture: The picture, in gray8.
  ///   - lines: The lines under it; long ones are wrapped.
  ///   - progress: The position of the progress bar, 0 to 1.
  ///   - rows: The least number of text rows to leave room for, so that frames have one size.
  package init(_ picture: Picture, lines: [String], progress: Double, rows: Int = 0) {
    (self.picture, self.lines, self.progress) = (picture, lines, min(max(progress, 0), 1))
    self.rows = rows
  }

  /// The number of text rows that `lines` take under a picture of that size.
  package static func rows(of lines: [String], width: Int, height: Int) -> Int {
    wrapped(lines, width: width * magnification(width: width, height: height)).count
  }

  private static func wrapped(_ lines: [String], width: Int) -> [String] {
    let columns = max(1, (width - 2 * margin) / BitmapFont.width)
    return lines.flatMap { BitmapFont.wrap($0, columns: columns) }
  }

  /// The picture with its captions; small ones are enlarged by a whole factor.
  package var captioned: Picture {
    let scale = magnification(width: picture.width, height: picture.height)
    let (width, height) = (picture.width * scale, picture.height * scale)
    let wrapped = Self.wrapped(lines, width: width)
    var canvas = Canvas(
      width: width,
      height: height + Self.bar + 2 * Self.margin + Self.line * max(rows, wrapped.count), shade: 16)
    canvas.put(picture, x: 0, y: 0, scale: scale)
    canvas.fill(x: 0, y: height, width: width, height: Self.bar, shade: 64)
    canvas.fill(
      x: 0, y: height, width: Int((Double(width) * progress).rounded()), height: Self.bar,
      shade: 224)
    for (index, text) in wrapped.enumerated() {
      canvas.write(
        text, x: Self.margin, y: height + Self.bar + Self.margin + Self.line * index,
        font: index == 0 ? .bold : .regular, shade: index == 0 ? 255 : 200)
    }
    return canvas.picture
  }
}

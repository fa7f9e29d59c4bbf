/// A grey picture with lines of text and a bar of progress under it, as a frame of an animation.
package struct CaptionedPicture: Sendable {
  private let picture: Picture
  private let lines: [String]
  private let progress: Double

  private static let margin = 6, line = BitmapFont.height + 1, bar = 4

  /// - Parameters:
  ///   - picture: What is shown, in gray8.
  ///   - lines: Under it; what is too long for the picture is broken into more.
  ///   - progress: How far the animation is, 0 to 1.
  package init(_ picture: Picture, lines: [String], progress: Double) {
    (self.picture, self.lines, self.progress) = (picture, lines, min(max(progress, 0), 1))
  }

  /// The picture, small ones larger by a whole factor, with its captions.
  package var captioned: Picture {
    let scale = max(1, (255 + picture.width) / picture.width)
    let (width, height) = (picture.width * scale, picture.height * scale)
    let columns = max(1, (width - 2 * Self.margin) / BitmapFont.width)
    let wrapped = lines.flatMap { BitmapFont.wrap($0, columns: columns) }
    var canvas = Canvas(
      width: width,
      height: height + Self.bar + 2 * Self.margin + Self.line * wrapped.count, shade: 16)
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

/// A picture that a command made, as transcripts name it.
package struct RecordedPicture: Hashable, Sendable {
  /// The path below the output folder.
  package let path: String
  /// The absolute path of the file; nil if unknown.
  package let place: String?
  package let width: Int
  package let height: Int
  /// The file's kind: `png`.
  package let kind: String
  /// The sample format: `gray8`, `gray16`, `rgb8`.
  package let samples: String
  /// The first 12 hexadecimal digits of the SHA-256 of the decoded samples.
  package let fingerprint: String
  /// The picture as an SVG document, where the host asked for drawings and it is one.
  package var drawing: String?

  package init(
    path: String, place: String? = nil, width: Int, height: Int, kind: String = "png",
    samples: String, fingerprint: String
  ) {
    (self.path, self.place, self.width, self.height) = (path, place, width, height)
    (self.kind, self.samples, self.fingerprint) = (kind, samples, fingerprint)
  }

  /// Whether its samples are colors, not grey levels.
  package var isColored: Bool { samples.hasPrefix("rgb") }

  /// `[png noisy-3.png 256x256 gray8 px:5d0e12ab90ff]`.
  package var line: String { line(naming: Escapes.inside(VisibleText.visible(path))) }

  /// The line as it is printed, with the path from the working directory.
  var shown: String {
    line(naming: VisibleText.visible(place.map(ShownPath.fromHere) ?? path))
  }

  private func line(naming name: String) -> String {
    "[\(kind) \(name) \(width)x\(height) \(samples) px:\(fingerprint)]"
  }
}

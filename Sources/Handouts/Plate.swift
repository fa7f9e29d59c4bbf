import CommandLanguage
import Figures

/// A picture of a handout, decoded and encoded anew.
///
/// Only the pixels and labels of a picture's file enter a handout: no notes of other programs, and
/// no file that is not a picture.
struct Plate: Sendable {
  /// The reason why a picture cannot be shown.
  struct Failure: Error {
    let reason: String
  }

  /// A part of a panel, or a frame of an animation.
  struct Piece: Sendable {
    let name: String
    let picture: Picture
    /// The piece as a PNG file.
    let png: [UInt8]

    init(_ name: String, _ picture: Picture) throws(PictureError) {
      (self.name, self.picture) = (VisibleText.visible(name), picture)
      png = try PNG(picture).encoded()
    }
  }

  /// The picture's number within the handout, from 1.
  let number: Int
  /// The recorded path.
  let path: String
  /// Its line in the record.
  let line: String
  /// The command that drew it.
  let command: String
  /// The picture, or the first frame of an animation.
  let picture: Picture
  /// The picture as a PNG file, an animated one for an animation.
  let png: [UInt8]
  /// The file in its own format, encoded anew.
  let file: [UInt8]
  /// The ending of the file: `png` or `gif`.
  let ending: String
  /// The tiles of a panel, which can be compared; empty for other pictures.
  let tiles: [Piece]
  /// The frames of an animation; empty for a still picture.
  let frames: [Piece]
  /// A warning about the picture; nil for none.
  let remark: String?

  init(
    number: Int, path: String, line: String, command: String, read: (String) -> [UInt8]?
  ) throws(Failure) {
    guard let bytes = read(path) else { throw Failure(reason: "the picture is not there") }
    let fingerprint: String
    do throws(PictureError) {
      let found = try PictureFile(decoding: bytes, sampleLimit: Animation.pixelLimit)
      fingerprint = found.sheet.pixelFingerprint
      switch found {
      case .still(let png):
        picture = png.picture
        self.png = try PNG(picture).encoded()
        file = self.png
        ending = "png"
        tiles = try TileFrame.frames(of: png).map { frame throws(PictureError) in
          try Piece(frame.name, png.picture.cropped(to: frame))
        }
        frames = []
      case .animation(let animation, let kind):
        picture = animation.frames[0].picture
        png = try animation.encoded(.apng)
        file = kind == .apng ? png : try animation.encoded(kind)
        ending = kind == .gif ? "gif" : "png"
        tiles = []
        frames = try animation.frames.map { frame throws(PictureError) in
          try Piece(frame.label, frame.picture)
        }
      }
    } catch {
      throw Failure(reason: error.message)
    }
    self.number = number
    self.path = VisibleText.visible(path)
    self.line = VisibleText.visible(line)
    self.command = VisibleText.visible(ContinuedLine.joined(command))
    remark =
      line.hasSuffix(" px:\(fingerprint)]")
      ? nil : "the picture has other pixels than the record says"
  }

  /// The number of bytes that a page holds of the picture.
  var size: Int {
    png.count + file.count + (tiles + frames).reduce(0) { $0 + $1.png.count }
  }

  /// The caption under the picture.
  var caption: String {
    let size = "\(picture.width)×\(picture.height) pixels"
    return "\(path), \(size)" + (frames.isEmpty ? "" : ", \(frames.count) frames")
  }

  /// The text for readers who do not see the picture.
  var alt: String { "Picture that the command \(command) drew" }

  /// The whole factor by which a page enlarges a small picture, pixel by pixel.
  var magnification: Int { Figures.magnification(width: picture.width, height: picture.height) }

  var shownWidth: Int { picture.width * magnification }
  var shownHeight: Int { picture.height * magnification }

  /// A file name made from the recorded path with letters, digits and safe marks only.
  var fileName: String {
    let last = path.split(separator: "/").last ?? "picture"
    let stem = last.split(separator: ".").first ?? last
    let kept = stem.unicodeScalars.filter { scalar in
      scalar.isASCII && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar))
        || scalar == "-" || scalar == "_"
    }
    return "\(String(String.UnicodeScalarView(kept))).\(ending)"
  }
}

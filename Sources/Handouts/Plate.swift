import CommandLanguage
import Figures

/// A picture of a handout, decoded and written anew.
///
/// Nothing of a picture's file but its pixels and its own labels enters a handout: no notes of other
/// programs, and no file that is something else than a picture.
struct Plate: Sendable {
  /// Why a picture cannot be shown.
  struct Failure: Error {
    let reason: String
  }

  /// A part of a panel, or a frame of an animation.
  struct Piece: Sendable {
    let name: String
    let picture: Figures.Picture
    /// The piece as a PNG file.
    let png: [UInt8]

    init(_ name: String, _ picture: Figures.Picture) throws(PictureError) {
      (self.name, self.picture) = (VisibleText.visible(name), picture)
      png = try PNG(picture).encoded()
    }
  }

  /// Its number within the handout, from 1.
  let number: Int
  /// The recorded path.
  let path: String
  /// The command that drew it.
  let command: String
  /// The picture, or the first frame of an animation.
  let picture: Figures.Picture
  /// The picture as a PNG file, an animated one for an animation.
  let png: [UInt8]
  /// The file in its own form, written anew.
  let file: [UInt8]
  /// What the file is: `png` or `gif`.
  let ending: String
  /// The tiles of a panel that may be compared.
  let tiles: [Piece]
  /// The frames of an animation; none of a still picture.
  let frames: [Piece]
  /// What is odd about it.
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
    self.command = VisibleText.visible(ContinuedLine.joined(command))
    remark =
      line.hasSuffix(" px:\(fingerprint)]")
      ? nil : "the picture has other pixels than the record says"
  }

  /// The bytes that a page holds of it.
  var size: Int {
    png.count + file.count + (tiles + frames).reduce(0) { $0 + $1.png.count }
  }

  /// What stands under it.
  var caption: String {
    let size = "\(picture.width)×\(picture.height) pixels"
    return "\(path), \(size)" + (frames.isEmpty ? "" : ", \(frames.count) frames")
  }

  /// What there is to say to a reader who does not see it.
  var alt: String { "Picture that the command \(command) drew" }

  /// The whole factor by which a page shows a small picture larger, pixel by pixel.
  var magnification: Int { Figures.magnification(width: picture.width, height: picture.height) }

  var shownWidth: Int { picture.width * magnification }
  var shownHeight: Int { picture.height * magnification }

  /// A file name made of the recorded path: letters, digits and marks that are plain everywhere.
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

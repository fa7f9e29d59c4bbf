import CommandLanguage
import Figures

/// A picture of a handout, decoded and written anew.
///
/// Nothing of a picture's file but its pixels enters a handout: no notes of other programs, and no
/// file that is something else than a picture.
struct Plate: Sendable {
  /// Why a picture cannot be shown.
  struct Failure: Error {
    let reason: String
  }

  /// A part of a panel.
  struct Tile {
    let name: String
    let picture: Figures.Picture
    let png: [UInt8]
  }

  /// Its number within the handout, from 1.
  let number: Int
  /// The recorded path.
  let path: String
  /// The command that drew it.
  let command: String
  let picture: Figures.Picture
  /// The picture as a PNG file.
  let png: [UInt8]
  /// The tiles of a panel that may be compared.
  let tiles: [Tile]
  /// What is odd about it.
  let remark: String?

  init(
    number: Int, path: String, line: String, command: String, read: (String) -> [UInt8]?
  ) throws(Failure) {
    guard let bytes = read(path) else { throw Failure(reason: "the picture is not there") }
    do throws(PictureError) {
      let file = try PNG(decoding: bytes)
      picture = file.picture
      png = try PNG(picture).encoded()
      tiles = try TileFrame.frames(of: file).map { frame throws(PictureError) in
        let part = file.picture.cropped(to: frame)
        return Tile(
          name: VisibleText.visible(frame.name), picture: part, png: try PNG(part).encoded())
      }
    } catch {
      throw Failure(reason: error.message)
    }
    self.number = number
    self.path = VisibleText.visible(path)
    self.command = ContinuedLine.joined(command)
    remark =
      line.hasSuffix(" px:\(picture.pixelFingerprint)]")
      ? nil : "the picture has other pixels than the record says"
  }

  /// What stands under it.
  var caption: String { "\(path), \(picture.width)×\(picture.height) pixels" }

  /// The whole factor by which a page shows a small picture larger, pixel by pixel.
  var magnification: Int { max(1, (255 + picture.width) / picture.width) }

  var shownWidth: Int { picture.width * magnification }
  var shownHeight: Int { picture.height * magnification }

  /// What there is to say to a reader who does not see it.
  var alt: String { "Picture that the command \(command) drew" }
}

extension Plate {
  /// A file name made of the recorded path: letters, digits and marks that are plain everywhere.
  var fileName: String {
    let last = path.split(separator: "/").last ?? "picture"
    let stem = last.split(separator: ".").first ?? last
    let kept = stem.unicodeScalars.filter { scalar in
      scalar.isASCII && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar))
        || scalar == "-" || scalar == "_"
    }
    return "\(String(String.UnicodeScalarView(kept))).png"
  }
}

/// A picture file of a supported kind: a PNG, still or animated, or a GIF.
package enum PictureFile: Sendable {
  case still(PNG)
  case animation(Animation, Animation.Kind)

  /// Decodes the bytes of a file; a still picture may have at most `sampleLimit` samples.
  ///
  /// - Throws: `PictureError` of the decoder.
  package init(
    decoding bytes: [UInt8], sampleLimit: Int = largestPicture
  ) throws(PictureError) {
    if bytes.starts(with: Array("GIF8".utf8)) {
      self = .animation(try Animation(decodingGIF: bytes), .gif)
    } else if let animation = try Animation(decodingPNG: bytes) {
      self = .animation(animation, .apng)
    } else {
      self = .still(try PNG(decoding: bytes, sampleLimit: sampleLimit))
    }
  }

  /// Reads a file.
  ///
  /// - Throws: `PictureError` whose message begins with the path.
  package init(path: String) throws(PictureError) {
    do throws(PictureError) {
      try self.init(decoding: bytes(of: path))
    } catch {
      throw PictureError(error.code, "\(path): \(error.message)", hint: error.hint)
    }
  }

  /// The picture for fingerprints and comparison: the picture itself, or all frames of an animation
  /// one below the other.
  package var sheet: Picture {
    switch self {
    case .still(let png): png.picture
    case .animation(let animation, _): animation.sheet
    }
  }
}

extension Animation {
  /// The file format of an animation.
  package enum Kind: String, Sendable {
    case apng
    case gif

    /// The format of a file with this name, by its ending; nil if it is no animation's.
    package init?(file: String) {
      switch file.lowercased().suffix(4) {
      case ".png": self = .apng
      case ".gif": self = .gif
      default: return nil
      }
    }
  }

  /// The bytes of the animation's file.
  package func encoded(_ kind: Kind) throws(PictureError) -> [UInt8] {
    switch kind {
    case .apng: try encodedPNG()
    case .gif: try encodedGIF()
    }
  }
}

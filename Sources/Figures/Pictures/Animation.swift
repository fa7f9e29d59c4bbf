/// An animation: grey pictures of one size that are shown one after the other.
package struct Animation: Hashable, Sendable {
  /// A picture and its label: `epoch 12`.
  package struct Frame: Hashable, Sendable {
    package let picture: Picture
    package let label: String

    package init(_ picture: Picture, label: String) {
      (self.picture, self.label) = (picture, label)
    }
  }

  package let frames: [Frame]
  /// The time of a frame, in hundredths of a second, GIF's unit; the last of several is shown five
  /// times as long.
  package let delay: Int

  /// The largest number of frames in an animation.
  package static let frameLimit = 512
  /// The largest number of pixels of all frames together: 64 million.
  package static let pixelLimit = 1 << 26

  package init(_ frames: [Frame], delay: Int) {
    precondition(
      Self.fits(count: frames.count, width: frames[0].picture.width, frames[0].picture.height),
      "An animation has a frame, and no more than its limits.")
    precondition(
      frames.allSatisfy {
        $0.picture.format == "gray8" && $0.picture.width == frames[0].picture.width
          && $0.picture.height == frames[0].picture.height
      }, "The frames of an animation are gray8 and of one size.")
    precondition((1...6000).contains(delay), "A frame is shown for 0.01 to 60 s.")
    (self.frames, self.delay) = (frames, delay)
  }

  /// Whether so many frames of one size are within the limits.
  package static func fits(count: Int, width: Int, _ height: Int) -> Bool {
    (1...frameLimit).contains(count) && width > 0 && height > 0
      && width <= pixelLimit / height && count <= pixelLimit / (width * height)
  }

  package var width: Int { frames[0].picture.width }
  package var height: Int { frames[0].picture.height }

  /// All frames in one picture, one below the other, for fingerprints and comparison.
  package var sheet: Picture {
    Picture(
      width: width, height: height * frames.count, samples: frames.flatMap(\.picture.samples))
  }

  /// The time of frame `index`, in hundredths of a second.
  func delay(of index: Int) -> Int {
    index > 0 && index == frames.count - 1 ? 5 * delay : delay
  }

  /// The labels, one a line, for the note in a file.
  var labelNote: String {
    frames.map { $0.label.replacing("\n", with: " ") }.joined(separator: "\n")
  }

  /// Makes frames of pictures with the labels of a note; without one, frames are numbered.
  static func frames(_ pictures: [Picture], note: String?) -> [Frame] {
    let labels = (note ?? "").split(separator: "\n", omittingEmptySubsequences: false)
    return pictures.enumerated().map { index, picture in
      Frame(
        picture,
        label: labels.count == pictures.count ? String(labels[index]) : "frame \(index + 1)")
    }
  }
}

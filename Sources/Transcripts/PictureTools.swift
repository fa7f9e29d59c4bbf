import CommandLanguage

/// Functions that a replay needs to read and compare pictures.
package struct PictureTools {
  /// The result of comparing the pixels of two pictures.
  package enum Verdict: Hashable, Sendable {
    /// They are equal within the tolerance for other machines.
    case agrees
    /// They differ; the text says by how much, and where a difference picture is.
    case differs(String)
    /// One of them cannot be read.
    case unknown
  }

  /// The first 12 digits of a picture file's fingerprint, or nil when it cannot be read.
  package let fingerprint: (_ path: String) -> String?
  /// Compares the recorded picture file with the new one.
  package let compare: (_ recorded: String, _ produced: String) -> Verdict

  /// Whether pictures cannot be read here, so that only recorded fingerprints are compared.
  let knowsNoPixels: Bool

  package init(
    fingerprint: @escaping (_ path: String) -> String?,
    compare: @escaping (_ recorded: String, _ produced: String) -> Verdict
  ) {
    self.init(fingerprint: fingerprint, compare: compare, knowsNoPixels: false)
  }

  private init(
    fingerprint: @escaping (_ path: String) -> String?,
    compare: @escaping (_ recorded: String, _ produced: String) -> Verdict, knowsNoPixels: Bool
  ) {
    (self.fingerprint, self.compare, self.knowsNoPixels) = (fingerprint, compare, knowsNoPixels)
  }

  /// Tools that read no pictures: only recorded fingerprints are compared.
  package static var fingerprintsOnly: PictureTools {
    PictureTools(
      fingerprint: { _ in nil }, compare: { _, _ in .unknown }, knowsNoPixels: true)
  }
}

/// The line of a picture in a transcript: `[png noisy-3.png 256x256 gray8 px:5d0e12ab90ff]`.
package enum PictureLine {
  /// The fingerprint in a recorded line of the same picture; nil when its other words differ.
  static func fingerprint(in recorded: String, of picture: RecordedPicture) -> String? {
    let line = picture.line
    let head = line.dropLast(picture.fingerprint.count + 1)
    guard recorded.hasPrefix(head), recorded.hasSuffix("]") else { return nil }
    return String(recorded.dropFirst(head.count).dropLast())
  }

  /// The path of the picture that a recorded line names; nil if it names none.
  package static func path(in line: String) -> String? {
    guard line.hasPrefix("["), line.hasSuffix("]") else { return nil }
    let words = line.dropFirst().dropLast().split(separator: " ", omittingEmptySubsequences: false)
    guard words.count >= 5, words.last?.hasPrefix("px:") == true else { return nil }
    return words[1..<(words.count - 3)].joined(separator: " ").replacing("\\<", with: "<")
  }
}

import Fingerprints

/// A picture of whole-number samples, grey or RGB, of 8 or 16 bits, as in a file.
package struct Picture: Hashable, Sendable {
  /// The kind of samples in a pixel.
  package enum Color: String, Hashable, Sendable {
    case gray
    case rgb

    /// The number of samples in a pixel.
    package var samplesPerPixel: Int { self == .gray ? 1 : 3 }
  }

  /// The number of bits in a sample.
  package enum Depth: Int, Hashable, Sendable {
    case eight = 8
    case sixteen = 16

    /// The largest sample: 255 or 65535.
    package var maximum: UInt16 { self == .eight ? 255 : .max }
  }

  /// The number of columns and rows, each at least 1.
  package let width: Int, height: Int
  package let color: Color
  package let depth: Depth
  /// The samples, row-major, those of a pixel together; none above `depth.maximum`.
  package let samples: [UInt16]

  /// Creates a picture from its samples, row-major, those of a pixel together.
  package init(
    width: Int, height: Int, color: Color = .gray, depth: Depth = .eight, samples: [UInt16]
  ) {
    precondition(width > 0 && height > 0, "A picture has at least one pixel.")
    precondition(
      samples.count == width * height * color.samplesPerPixel,
      "\(width)×\(height) \(color) pixels do not have \(samples.count) samples.")
    precondition(
      depth == .sixteen || samples.allSatisfy { $0 <= depth.maximum },
      "A sample of an 8-bit picture is at most 255.")
    (self.width, self.height, self.color, self.depth) = (width, height, color, depth)
    self.samples = samples
  }

  /// The color and depth in one word: `gray8`, `gray16`, `rgb8` or `rgb16`.
  package var format: String { "\(color.rawValue)\(depth.rawValue)" }

  /// The size and format in transcripts: `256x256 gray8`.
  package var summary: String { "\(width)x\(height) \(format)" }

  /// The first 12 hexadecimal digits of the SHA-256 of the samples.
  ///
  /// The samples are taken row-major, those of a pixel together, each as 16 bits, high byte first;
  /// an 8-bit sample keeps its value. Size and format are not part of it.
  package var pixelFingerprint: String {
    SHA256Digest(of: samples.map { $0.bigEndian }).description.prefix(12).description
  }

  /// The sample of a grey picture at a row and a column.
  package subscript(row: Int, column: Int) -> UInt16 {
    samples[(row * width + column) * color.samplesPerPixel]
  }
}

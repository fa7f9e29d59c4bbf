#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// The difference of two pictures of one size and format.
package struct PictureDifference: Hashable, Sendable {
  /// The number of samples that differ.
  package let differing: Int
  /// The largest |a − b| over all samples.
  package let maximum: Int
  /// √(mean (a − b)²) over all samples.
  package let rmse: Double
  /// 20·log₁₀(peak / rmse) in dB, with the peak 255 or 65535; infinite when equal.
  package let psnr: Double
  /// A picture of |a − b| in 8 bits, with the largest difference white; black when they are equal.
  package let picture: Picture

  /// Compares `a` and `b` sample by sample.
  ///
  /// - Throws: `PictureError` when size, color or depth differ.
  package init(_ a: Picture, _ b: Picture) throws(PictureError) {
    guard a.summary == b.summary else {
      throw PictureError(
        .size, "the pictures are \(a.summary) and \(b.summary)",
        hint: "only pictures of one size and format are compared")
    }
    let differences = zip(a.samples, b.samples).map { $0 > $1 ? Int($0 - $1) : Int($1 - $0) }
    let maximum = differences.max() ?? 0
    let squares = differences.reduce(0) { $0 + $1 * $1 }
    differing = differences.count { $0 != 0 }
    self.maximum = maximum
    rmse = (Double(squares) / Double(differences.count)).squareRoot()
    psnr = rmse > 0 ? 20 * log10(Double(a.depth.maximum) / rmse) : .infinity
    picture = Picture(
      width: a.width, height: a.height, color: a.color,
      samples: differences.map { UInt16($0 * 255 / max(maximum, 1)) })
  }
}

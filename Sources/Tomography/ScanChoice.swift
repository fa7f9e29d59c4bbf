import Foundation

/// A scanner with a fan beam: its distances, and the field that its fan covers.
package struct Scanner: Hashable, Sendable, Codable {
  /// The distances from the source to the center and to the detector, in mm.
  package let sourceToCenter: Double, sourceToDetector: Double
  /// The radius of the circle that every view sees, in mm.
  package let fieldRadius: Double

  package init(sourceToCenter: Double, sourceToDetector: Double, fieldRadius: Double) {
    (self.sourceToCenter, self.sourceToDetector) = (sourceToCenter, sourceToDetector)
    self.fieldRadius = fieldRadius
  }

  /// A scanner whose distances are those of a published simulation of low doses.
  ///
  /// Source: LD-CT-simulation, 1361.2 mm from source to detector, 615.18 mm from center to detector.
  package static let usual = Scanner(
    sourceToCenter: 746.02, sourceToDetector: 1361.2, fieldRadius: 327)
}

/// The parts of a scan's geometry that a command chooses; the rest follows from the scanner and the image.
package struct ScanChoice: Hashable, Sendable, Codable {
  package var beam = ScanGeometry.Beam.arc
  /// The angles that views cover; nil for half a turn of parallel rays, a full one of a fan.
  package var coverage: ScanGeometry.Coverage?
  package var views: Int?
  package var detectors: Int?

  package init() {}

  /// The number of views, unless another is chosen.
  package static let usualViews = 1160
  /// The most elements that are taken unless a number is chosen: 0.76 mm apart at the center of the usual
  /// scanner.
  package static let mostElements = 896

  /// Returns the scan of an image by a scanner.
  ///
  /// The detector covers the scanner's field, or with parallel rays the image's diagonal. Unless a
  /// number of elements is chosen, rays lie half a pixel apart at the center, in a fan with
  /// at most ``mostElements``.
  ///
  /// - Throws: `TomographyError` when no scan is so.
  package func geometry(
    of grid: ImageGrid, by scanner: Scanner
  ) throws(TomographyError) -> ScanGeometry {
    let ray = 0.5 * min(grid.rowSpacing, grid.columnSpacing)
    let views = views ?? Self.usualViews
    guard beam != .parallel else {
      let extent = 2 * (grid.cornerRadius + max(grid.rowSpacing, grid.columnSpacing))
      let detectors = detectors ?? max(2, Int((extent / ray).rounded(.up)))
      return try ScanGeometry(
        beam: beam, coverage: coverage ?? .short, views: views, detectors: detectors,
        pitch: extent / Double(detectors))
    }
    guard grid.cornerRadius < scanner.sourceToCenter else {
      throw TomographyError(
        "the image reaches \(Int(grid.cornerRadius)) mm from the center, the source is only "
          + "\(Int(scanner.sourceToCenter)) mm away",
        hint: "give the size of a pixel with pixel=, or take beam=parallel")
    }
    guard scanner.fieldRadius < scanner.sourceToCenter * 0.7 else {
      throw TomographyError(
        "a field of \(Int(2 * scanner.fieldRadius)) mm is too wide for a source "
          + "\(Int(scanner.sourceToCenter)) mm from the center",
        hint: "take beam=parallel")
    }
    let half = asin(scanner.fieldRadius / scanner.sourceToCenter)
    let extent = 2 * scanner.sourceToDetector * (beam == .arc ? half : tan(half))
    let magnified = ray * scanner.sourceToDetector / scanner.sourceToCenter
    let detectors =
      detectors ?? min(Self.mostElements, max(2, Int((extent / magnified).rounded(.up))))
    return try ScanGeometry(
      beam: beam, coverage: coverage ?? .full, views: views, detectors: detectors,
      pitch: extent / Double(detectors), sourceToCenter: scanner.sourceToCenter,
      sourceToDetector: scanner.sourceToDetector)
  }
}

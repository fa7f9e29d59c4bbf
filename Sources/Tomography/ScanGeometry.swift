import Foundation

/// The positions of source, detector and views in a scan of one slice.
///
/// The center of rotation is the center of the image. With x to the right and y upward, in mm, view i
/// looks along n = (−sin β, cos β); the detector counts its elements along e = (cos β, sin β):
///
///     parallel   the ray of element d is at s = (d − c)·pitch along e
///     fan        the source is at −D·n; the ray of element d leaves it at the angle γ from n:
///                γ = (d − c)·pitch / S on an arc around the source, tan γ of the same on a flat detector
///
/// D is the distance from source to center, S that from source to detector, c the middle of the
/// detector. A ray of the fan is the parallel one of angle β − γ at s = D·sin γ.
///
/// Source: Kak and Slaney, "Principles of computerized tomographic imaging" (1988), chapter 3.
package struct ScanGeometry: Hashable, Sendable, Codable {
  /// The arrangement of the rays of a view.
  package enum Beam: String, CaseIterable, Hashable, Sendable, Codable {
    case parallel
    /// From a point to a flat detector.
    case flat
    /// From a point to a detector on an arc around it, as in clinical scanners.
    case arc
  }

  /// The angles that views cover.
  package enum Coverage: String, CaseIterable, Hashable, Sendable, Codable {
    /// A full turn: each line is measured twice.
    case full
    /// Half a turn, and the fan's angle: each line is measured at least once.
    case short
  }

  package let beam: Beam
  package let coverage: Coverage
  package let views: Int
  /// The number of detector elements.
  package let detectors: Int
  /// The distance of neighboring elements at the detector, in mm.
  package let pitch: Double
  /// The distances from the source to the center and to the detector, in mm; without meaning for
  /// parallel rays.
  package let sourceToCenter: Double, sourceToDetector: Double

  /// - Throws: `TomographyError` when no scan is so.
  package init(
    beam: Beam, coverage: Coverage, views: Int, detectors: Int, pitch: Double,
    sourceToCenter: Double = 0, sourceToDetector: Double = 0
  ) throws(TomographyError) {
    (self.beam, self.coverage, self.views) = (beam, coverage, views)
    (self.detectors, self.pitch) = (detectors, pitch)
    (self.sourceToCenter, self.sourceToDetector) = (sourceToCenter, sourceToDetector)
    try validate()
  }

  private func validate() throws(TomographyError) {
    guard views >= 1, detectors >= 2, pitch > 0, pitch.isFinite else {
      throw TomographyError(
        "a scan has at least 1 view and 2 detector elements, not \(views) and \(detectors)",
        hint: "give views= and detectors=")
    }
    guard beam != .parallel else { return }
    guard sourceToCenter > 0, sourceToDetector > sourceToCenter, sourceToDetector.isFinite else {
      throw TomographyError(
        "the source is \(sourceToCenter) mm from the center and \(sourceToDetector) mm from the "
          + "detector",
        hint: "the detector lies behind the center")
    }
    guard halfFan < .pi / 4 else {
      throw TomographyError(
        "the fan would open by \(Int(halfFan * 360 / .pi))°, and must stay below 90°",
        hint: "take fewer detectors")
    }
  }

  /// c, the place of the detector's middle, in elements.
  package var center: Double { Double(detectors - 1) / 2 }

  /// The elements for 1 mm (parallel), for a radian (arc) or for a tangent of 1 (flat).
  package var scale: Double { beam == .parallel ? 1 / pitch : sourceToDetector / pitch }

  /// Half the angle between the outer edges of the detector; 0 for parallel rays.
  package var halfFan: Double {
    switch beam {
    case .parallel: 0
    case .flat: atan(Double(detectors) / 2 / scale)
    case .arc: Double(detectors) / 2 / scale
    }
  }

  /// The radius of the circle that every view sees, to the middle of its outer elements, in mm.
  package var fieldRadius: Double {
    switch beam {
    case .parallel: center * pitch
    case .flat: sourceToCenter * sin(atan(center / scale))
    case .arc: sourceToCenter * sin(center / scale)
    }
  }

  /// The distance of neighboring rays at the center, in mm.
  package var pitchAtCenter: Double {
    beam == .parallel ? pitch : pitch * sourceToCenter / sourceToDetector
  }

  /// The angle from the first view to the end of the last, in radians.
  package var span: Double {
    switch (coverage, beam) {
    case (.full, _): 2 * .pi
    case (.short, .parallel): .pi
    case (.short, _): .pi + 2 * halfFan
    }
  }

  /// The angle from view to view, in radians.
  package var step: Double { span / Double(views) }

  /// Returns β of a view, in radians: the middle of its part of the span in a short fan scan, whose
  /// weights are symmetric; its beginning otherwise.
  package func angle(of view: Int) -> Double {
    (Double(view) + (coverage == .short && beam != .parallel ? 0.5 : 0)) * step
  }

  /// Returns γ of an element, in radians; 0 for parallel rays.
  package func fanAngle(of element: Int) -> Double {
    let place = (Double(element) - center) / scale
    switch beam {
    case .parallel: return 0
    case .flat: return atan(place)
    case .arc: return place
    }
  }
}

/// A scan cannot be so.
package struct TomographyError: Error, Sendable {
  /// The message: what was found and what was expected.
  package let message: String
  /// A line to type or a change to make.
  package let hint: String

  package init(_ message: String, hint: String) { (self.message, self.hint) = (message, hint) }
}

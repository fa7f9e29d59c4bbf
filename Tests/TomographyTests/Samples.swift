import Foundation
import Tensors
import Tomography

/// Small scans to try things on.
enum Samples {
  /// A grid of unequal sides and distances.
  static let grid = ImageGrid(rows: 40, columns: 33, rowSpacing: 7, columnSpacing: 8)

  /// Every beam with every coverage.
  static var scans: [ScanGeometry] {
    get throws {
      try ScanGeometry.Beam.allCases.flatMap { beam in
        try ScanGeometry.Coverage.allCases.map { coverage in
          try scan(beam, coverage, views: 90, detectors: 57, field: 420)
        }
      }
    }
  }

  /// A scan whose detector covers a circle of about `field` mm.
  static func scan(
    _ beam: ScanGeometry.Beam, _ coverage: ScanGeometry.Coverage, views: Int, detectors: Int,
    field: Double
  ) throws -> ScanGeometry {
    let (center, detector) = (600.0, 1000.0)
    let half = asin(field / 2 / center)
    let extent =
      switch beam {
      case .parallel: field
      case .flat: 2 * tan(half) * detector
      case .arc: 2 * half * detector
      }
    return try ScanGeometry(
      beam: beam, coverage: coverage, views: views, detectors: detectors,
      pitch: extent / Double(detectors), sourceToCenter: beam == .parallel ? 0 : center,
      sourceToDetector: beam == .parallel ? 0 : detector)
  }

  static func uniforms(_ count: Int, _ name: String) -> [Float] {
    let stream = RandomStream(seed: 3, name: name)
    return (0..<count).map { Float(stream.uniform(at: $0)) }
  }

  static func dot(_ a: [Float], _ b: [Float]) -> Double {
    zip(a, b).reduce(0) { $0 + Double($1.0) * Double($1.1) }
  }

  /// A disc whose pixels hold the share that it covers, times `value`; center and radius in mm.
  static func disc(
    _ grid: ImageGrid, radius: Double, x: Double = 0, y: Double = 0, value: Double = 1
  ) -> [Float] {
    let parts = 8
    return (0..<grid.rows * grid.columns).map { place in
      let row = Double(place / grid.columns), column = Double(place % grid.columns)
      var count = 0
      for part in 0..<parts * parts {
        let dy = (Double(part / parts) + 0.5) / Double(parts) - 0.5
        let dx = (Double(part % parts) + 0.5) / Double(parts) - 0.5
        let atX = (column + dx - Double(grid.columns - 1) / 2) * grid.columnSpacing - x
        let atY = (Double(grid.rows - 1) / 2 - row - dy) * grid.rowSpacing - y
        if atX * atX + atY * atY <= radius * radius { count += 1 }
      }
      return Float(value * Double(count) / Double(parts * parts))
    }
  }

  /// The distance of each ray from a point, in mm.
  static func distances(_ scan: ScanGeometry, x: Double, y: Double) -> [Double] {
    (0..<scan.views * scan.detectors).map { ray in
      let element = ray % scan.detectors
      let theta = scan.angle(of: ray / scan.detectors) - scan.fanAngle(of: element)
      let s =
        scan.beam == .parallel
        ? (Double(element) - scan.center) * scan.pitch
        : scan.sourceToCenter * sin(scan.fanAngle(of: element))
      return s - x * cos(theta) - y * sin(theta)
    }
  }
}

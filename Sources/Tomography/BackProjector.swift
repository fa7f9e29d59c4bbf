import CKernels
import Foundation
import Tensors

/// The weighted sum over views that makes an image of filtered projections, and its exact adjoint.
///
///     f[r,c] = Σ over views v of weight(v,r,c) · q[v, u(v,r,c)]        between two elements linear in u
///     q̄[v,d] = Σ over pixels of weight · f̄[r,c] · (share of element d)
///
/// With across = x·cos β + y·sin β and along = D − x·sin β + y·cos β, in mm, from the source:
///
///     parallel   u = c + across/pitch                      weight = 1
///     flat       u = c + scale·across/along                weight = (D/along)²
///     arc        u = c + scale·arctan(across/along)        weight = D²/(across² + along²)
///
/// Pixels outside of the circle that every view sees stay 0.
///
/// Source: Kak and Slaney (1988), equations 3.61, 3.100 and 3.130.
struct BackProjector: Sendable {
  let scan: ScanGeometry
  let grid: ImageGrid
  /// The columns of each row within the circle.
  let columns: [Range<Int>]
  private let views: [ViewForm]

  /// across and along of one view: a constant, and what a column and a row add.
  private struct ViewForm: Sendable {
    let across: SIMD3<Double>, along: SIMD3<Double>

    init(_ scan: ScanGeometry, _ grid: ImageGrid, _ view: Int) {
      let beta = scan.angle(of: view)
      let x = SIMD3(-grid.centerColumn * grid.columnSpacing, grid.columnSpacing, 0)
      let y = SIMD3(grid.centerRow * grid.rowSpacing, 0, -grid.rowSpacing)
      across = x * cos(beta) + y * sin(beta)
      along = SIMD3(scan.sourceToCenter, 0, 0) - x * sin(beta) + y * cos(beta)
    }

    /// Whether a step down changes the place more than one to the right: then columns are the rows of
    /// the turned image, along which neighbors go to different places.
    var isTurned: Bool { abs(across.z) > abs(across.y) }

    func kernelForm(turned: Bool = false) -> ck_view {
      func three(_ form: SIMD3<Double>) -> (Float, Float, Float) {
        (Float(form.x), Float(turned ? form.z : form.y), Float(turned ? form.y : form.z))
      }
      return ck_view(across: three(across), along: three(along))
    }
  }

  init(_ scan: ScanGeometry, _ grid: ImageGrid) {
    (self.scan, self.grid) = (scan, grid)
    columns = (0..<grid.rows).map { grid.columns(ofRow: $0, within: scan.fieldRadius) }
    views = (0..<scan.views).map { ViewForm(scan, grid, $0) }
  }

  /// The weight at the center of a pixel whose rays are parallel; what is beside it in the formulas.
  private var weight: Double {
    scan.beam == .parallel ? 1 : scan.sourceToCenter * scan.sourceToCenter
  }

  /// The place at the detector and the weight of a pixel in a view.
  struct Sight {
    let place: Double, weight: Double
  }

  /// Returns where a view sees a pixel.
  func sight(ofRow row: Int, column: Int, in view: Int) -> Sight {
    let at = SIMD3(1, Double(column), Double(row))
    let across = (views[view].across * at).sum(), along = (views[view].along * at).sum()
    switch scan.beam {
    case .parallel: return Sight(place: scan.center + scan.scale * across, weight: weight)
    case .flat:
      return Sight(
        place: scan.center + scan.scale * across / along, weight: weight / (along * along))
    case .arc:
      return Sight(
        place: scan.center + scan.scale * atan(across / along),
        weight: weight / (across * across + along * along))
    }
  }

  /// The elements beside a place at the detector with their shares; none outside.
  func elements(beside place: Double) -> [(element: Int, share: Double)] {
    guard place > -1, place < Double(scan.detectors) else { return [] }
    let left = place.rounded(.down)
    return [(Int(left), 1 - (place - left)), (Int(left) + 1, place - left)].filter {
      $0.1 > 0 && (0..<scan.detectors).contains($0.0)
    }
  }

  /// Returns the image of a filtered sinogram.
  func sum<Element: Scalar>(_ sinogram: [Element]) -> [Element] {
    if let sinogram = sinogram as? [Float], let image = sumFast(sinogram) as? [Element] {
      return image
    }
    return eachPixel { row, column in
      var sum = 0.0
      for view in 0..<scan.views {
        let sight = sight(ofRow: row, column: column, in: view)
        for (element, share) in elements(beside: sight.place) {
          sum += sight.weight * share * Double(sinogram[view * scan.detectors + element])
        }
      }
      return Element(sum)
    }
  }

  private func eachPixel<Element: Scalar>(_ value: (Int, Int) -> Element) -> [Element] {
    var image = [Element](repeating: 0, count: grid.rows * grid.columns)
    for row in 0..<grid.rows {
      for column in columns[row] { image[row * grid.columns + column] = value(row, column) }
    }
    return image
  }

  /// Returns the sinogram that the adjoint of ``sum(_:)`` gives.
  func scatter<Element: Scalar>(_ image: [Element]) -> [Element] {
    if let image = image as? [Float], let sinogram = scatterFast(image) as? [Element] {
      return sinogram
    }
    var sinogram = [Double](repeating: 0, count: scan.views * scan.detectors)
    for row in 0..<grid.rows {
      for column in columns[row] {
        let value = Double(image[row * grid.columns + column])
        for view in 0..<scan.views {
          let sight = sight(ofRow: row, column: column, in: view)
          for (element, share) in elements(beside: sight.place) {
            sinogram[view * scan.detectors + element] += sight.weight * share * value
          }
        }
      }
    }
    return sinogram.map { Element($0) }
  }

  // MARK: - Through the kernels

  private func withScan(_ forms: [ck_view], _ body: (UnsafePointer<ck_scan>) -> Void) {
    forms.withUnsafeBufferPointer { forms in
      guard let start = forms.baseAddress else { return }
      let beam =
        switch scan.beam {
        case .parallel: ck_parallel
        case .flat: ck_flat
        case .arc: ck_arc
        }
      var scan = ck_scan(
        view: start, views: forms.count, elements: scan.detectors, stride: scan.detectors + 3,
        center: Float(scan.center), scale: Float(scan.scale), weight: Float(weight),
        beam: Int32(beam))
      withUnsafePointer(to: &scan, body)
    }
  }

  /// Calls `body` with rows whose pixels are computed.
  private static func withArea(
    _ columns: [Range<Int>], width: Int, _ rows: Range<Int>,
    _ body: (UnsafePointer<ck_area>) -> Void
  ) {
    let bounds = columns.flatMap { [Int32($0.lowerBound), Int32($0.upperBound)] }
    bounds.withUnsafeBufferPointer { bounds in
      guard let start = bounds.baseAddress else { return }
      var area = ck_area(
        columns: start, width: width, first: rows.lowerBound, last: rows.upperBound)
      withUnsafePointer(to: &area, body)
    }
  }

  private func sumFast(_ sinogram: [Float]) -> [Float] {
    let kernels = kernelsInUse()
    let padded = PaddedPlane(
      sinogram, rows: scan.views, columns: scan.detectors, isTurned: false)
    let band = 8
    return Tensor<Float>(shape: [grid.rows * grid.columns]) { image in
      image.update(repeating: 0)
      guard let image = image.baseAddress else { return }
      padded.withPlane { plane in
        let values = UnsafePointer(plane.pointee.values)
        withScan(views.map { $0.kernelForm() }) { scan in
          parallel(chunks: (grid.rows + band - 1) / band) { chunk, _ in
            let rows = chunk * band..<min(grid.rows, (chunk + 1) * band)
            Self.withArea(columns, width: grid.columns, rows) {
              kernels.back_project(scan, values, $0, image)
            }
          }
        }
      }
    }.scalars
  }

  private func scatterFast(_ image: [Float]) -> [Float] {
    let kernels = kernelsInUse()
    let turnedGrid = ImageGrid(
      rows: grid.columns, columns: grid.rows, rowSpacing: grid.columnSpacing,
      columnSpacing: grid.rowSpacing)
    let turnedColumns = (0..<grid.columns).map {
      turnedGrid.columns(ofRow: $0, within: scan.fieldRadius)
    }
    let turned = grid.turned(image)
    let stride = scan.detectors + 3
    var padded = PaddedPlane(rows: scan.views, columns: scan.detectors, isTurned: false)
    padded.withMutablePlane { plane in
      let values = plane.pointee.values
      image.withUnsafeBufferPointer { upright in
        turned.withUnsafeBufferPointer { turned in
          guard let upright = upright.baseAddress, let turned = turned.baseAddress else { return }
          parallel(chunks: scan.views) { view, _ in
            let form = views[view]
            withUnsafeTemporaryAllocation(of: Float.self, capacity: 4 * stride) { copies in
              guard let start = copies.baseAddress else { return }
              copies.update(repeating: 0)
              withScan([form.kernelForm(turned: form.isTurned)]) { scan in
                Self.withArea(
                  form.isTurned ? turnedColumns : columns,
                  width: form.isTurned ? grid.rows : grid.columns,
                  0..<(form.isTurned ? grid.columns : grid.rows)
                ) { kernels.scatter(scan, form.isTurned ? turned : upright, $0, start) }
              }
              kernels.sum_four(start, stride, values + view * stride, stride)
            }
          }
        }
      }
    }
    return padded.unpadded()
  }
}

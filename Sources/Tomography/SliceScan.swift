package import Tensors

/// A scan of one slice: line integrals of HU, HU of line integrals, and the adjoints of both.
///
///     p = A·μ(x)                    x̄ = (μ_w/1000)·Aᵀ·p̄ where x is above −1000 HU, else 0
///     x = 1000·(R·p/μ_w − 1)        p̄ = (1000/μ_w)·Rᵀ·x̄
///
/// A is the projector, R the filtered back-projection. Pixels that not every view sees become air.
package struct SliceScan: Sendable {
  package let projector: Projector
  package let inverse: FilteredBackProjection
  package let attenuation: Attenuation

  package init(
    _ scan: ScanGeometry, _ grid: ImageGrid, _ window: RampFilter.Window, _ attenuation: Attenuation
  ) {
    projector = Projector(scan, grid)
    inverse = FilteredBackProjection(scan, grid, window)
    self.attenuation = attenuation
  }

  package var scan: ScanGeometry { projector.scan }
  package var grid: ImageGrid { projector.grid }

  /// The bytes that the tables of a scan take, with what one pass through it needs beside.
  package static func bytes(_ scan: ScanGeometry, _ grid: ImageGrid) -> Int {
    let float = MemoryLayout<Float>.size
    let rays = scan.views * scan.detectors, pixels = grid.rows * grid.columns
    return Projector.bytes(scan) + (4 * rays + 6 * pixels) * float
  }

  /// Returns the line integrals of an image in HU.
  package func project<Element: Scalar>(_ hounsfield: [Element]) -> [Element] {
    projector.project(hounsfield.attenuations(attenuation))
  }

  /// Returns the gradient of the image in HU from that of its line integrals.
  package func projectAdjoint<Element: Scalar>(
    _ gradient: [Element], at hounsfield: [Element]
  ) -> [Element] {
    projector.unproject(gradient).gradients(ofAttenuation: attenuation, at: hounsfield)
  }

  /// Returns the image in HU of line integrals.
  package func reconstruct<Element: Scalar>(_ sinogram: [Element]) -> [Element] {
    inverse.reconstruct(sinogram).hounsfield(attenuation)
  }

  /// Returns the gradient of the line integrals from that of the image in HU.
  package func reconstructAdjoint<Element: Scalar>(_ gradient: [Element]) -> [Element] {
    inverse.adjoint(gradient.scaled(by: 1 / attenuation.perUnit))
  }
}

extension Array where Element: Scalar {
  @specialized(where Element == Float)
  @specialized(where Element == Double)
  func attenuations(_ attenuation: Attenuation) -> [Element] {
    map { Element(attenuation.attenuation(of: Double($0))) }
  }

  @specialized(where Element == Float)
  @specialized(where Element == Double)
  func hounsfield(_ attenuation: Attenuation) -> [Element] {
    map { Element(attenuation.hounsfield(of: Double($0))) }
  }

  @specialized(where Element == Float)
  @specialized(where Element == Double)
  func scaled(by factor: Double) -> [Element] { map { $0 * Element(factor) } }

  @specialized(where Element == Float)
  @specialized(where Element == Double)
  func gradients(ofAttenuation attenuation: Attenuation, at hounsfield: [Element]) -> [Element] {
    let slope = Element(attenuation.perUnit)
    return indices.map { hounsfield[$0] > -1000 ? self[$0] * slope : 0 }
  }
}

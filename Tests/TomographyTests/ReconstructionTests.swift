import Foundation
import Tensors
import TestSupport
import Testing
import Tomography

struct `Filtered back-projection` {
  @Test func `the pullback is the adjoint, in every geometry`() throws {
    for scan in try Samples.scans {
      let inverse = FilteredBackProjection(scan, Samples.grid, .cosine)
      let image = Samples.uniforms(Samples.grid.rows * Samples.grid.columns, "image")
      let sinogram = Samples.uniforms(scan.views * scan.detectors, "sinogram")
      let made = inverse.reconstruct(sinogram)
      let one = Samples.dot(made, image)
      let other = Samples.dot(sinogram, inverse.adjoint(image))
      let scale = (Samples.dot(made, made) * Samples.dot(image, image)).squareRoot()
      #expect(abs(one - other) < 1e-6 * scale, "\(scan.beam) \(scan.coverage)")
    }
  }

  @Test func `kernels give what the same sums in Double give`() throws {
    for scan in try Samples.scans where scan.coverage == .short {
      let inverse = FilteredBackProjection(scan, Samples.grid, .ramp)
      let pixels: Shape = [Samples.grid.rows, Samples.grid.columns]
      let rays: Shape = [scan.views, scan.detectors]
      let sinogram = Samples.uniforms(rays.count, "sinogram")
      let image = Samples.uniforms(pixels.count, "image")
      expectClose(
        Tensor(shape: pixels, scalars: inverse.reconstruct(sinogram)),
        Tensor(shape: pixels, scalars: inverse.reconstruct(sinogram.map { Double($0) })),
        within: 1e-4, "\(scan.beam)")
      expectClose(
        Tensor(shape: rays, scalars: inverse.adjoint(image)),
        Tensor(shape: rays, scalars: inverse.adjoint(image.map { Double($0) })),
        within: 1e-4, "\(scan.beam)")
    }
  }

  @Test(arguments: ScanGeometry.Beam.allCases, ScanGeometry.Coverage.allCases)
  func `a disc comes back with its value, from full and from short scans`(
    _ beam: ScanGeometry.Beam, _ coverage: ScanGeometry.Coverage
  ) throws {
    let grid = ImageGrid(rows: 128, columns: 128, rowSpacing: 3, columnSpacing: 3)
    let scan = try Samples.scan(beam, coverage, views: 360, detectors: 201, field: 520)
    let disc = Samples.disc(grid, radius: 130, x: 20, y: 11)
    let made = FilteredBackProjection(scan, grid, .ramp).reconstruct(
      Projector(scan, grid).project(disc))
    let inside = Samples.disc(grid, radius: 118, x: 20, y: 11).enumerated().filter { $0.1 == 1 }
    let values = inside.map { Double(made[$0.offset]) }
    let mean = values.reduce(0, +) / Double(values.count)
    let square = values.reduce(0) { $0 + ($1 - 1) * ($1 - 1) } / Double(values.count)
    #expect(abs(mean - 1) < 1e-4)
    #expect(square.squareRoot() < 3e-3)
  }

  @Test(arguments: RampFilter.Window.allCases)
  func `images agree with scikit-image's iradon under the same filter`(
    _ window: RampFilter.Window
  ) throws {
    let fixture = Fixture("tomography")
    let grid = ImageGrid(rows: 65, columns: 65, rowSpacing: 1, columnSpacing: 1)
    let scan = try ScanGeometry(
      beam: .parallel, coverage: .short, views: 60, detectors: 65, pitch: 1)
    let sinogram = try fixture.tensor("parallel").floats().scalars
    let made = FilteredBackProjection(scan, grid, window).reconstruct(sinogram)
    // Its hann window is not quite symmetric about the highest frequency, and its rows are padded to a
    // power of two.
    expectClose(
      Tensor(shape: [65, 65], scalars: made), try fixture.tensor("iradon-\(window.rawValue)"),
      within: window == .hann ? 5e-3 : 5e-4)
  }
}

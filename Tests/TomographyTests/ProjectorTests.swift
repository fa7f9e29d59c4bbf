import Foundation
import Tensors
import TestSupport
import Testing
import Tomography

struct `The projector` {
  @Test(arguments: ScanGeometry.Beam.allCases)
  func `line integrals of a disc are its chords, away from its edge`(
    _ beam: ScanGeometry.Beam
  ) throws {
    let grid = ImageGrid(rows: 512, columns: 512, rowSpacing: 0.7, columnSpacing: 0.7)
    let scan = try Samples.scan(beam, .full, views: 61, detectors: 301, field: 340)
    let disc = Samples.disc(grid, radius: 140, x: 9, y: -5, value: 0.02)
    let found = Projector(scan, grid).project(disc)
    var squares = 0.0, count = 0.0
    for (ray, distance) in Samples.distances(scan, x: 9, y: -5).enumerated() {
      guard abs(distance) < 112 else { continue }
      let chord = 0.04 * (140 * 140 - distance * distance).squareRoot()
      let error = Double(found[ray]) / chord - 1
      squares += error * error
      count += 1
      #expect(abs(error) < 1.5e-3, "ray \(ray)")
    }
    #expect((squares / count).squareRoot() < 3e-4)
  }

  @Test func `back-projection is the adjoint, in every geometry`() throws {
    for scan in try Samples.scans {
      let projector = Projector(scan, Samples.grid)
      let image = Samples.uniforms(Samples.grid.rows * Samples.grid.columns, "image")
      let sinogram = Samples.uniforms(scan.views * scan.detectors, "sinogram")
      let one = Samples.dot(projector.project(image), sinogram)
      let other = Samples.dot(image, projector.unproject(sinogram))
      #expect(abs(one - other) < 1e-6 * abs(one), "\(scan.beam) \(scan.coverage)")
    }
  }

  @Test func `kernels give what the same sums in Double give`() throws {
    for scan in try Samples.scans where scan.coverage == .full {
      let projector = Projector(scan, Samples.grid)
      let image = Samples.uniforms(Samples.grid.rows * Samples.grid.columns, "image")
      let rays: Shape = [scan.views, scan.detectors]
      let sinogram = Samples.uniforms(rays.count, "sinogram")
      expectClose(
        Tensor(shape: rays, scalars: projector.project(image)),
        Tensor(shape: rays, scalars: projector.project(image.map { Double($0) })), within: 1e-5,
        "\(scan.beam)")
      let pixels: Shape = [Samples.grid.rows, Samples.grid.columns]
      expectClose(
        Tensor(shape: pixels, scalars: projector.unproject(sinogram)),
        Tensor(shape: pixels, scalars: projector.unproject(sinogram.map { Double($0) })),
        within: 1e-5, "\(scan.beam)")
    }
  }

  @Test func `instruction sets and numbers of threads give the same bits`() throws {
    let before = Parallelism.threads
    defer { Parallelism.threads = before }
    for scan in try Samples.scans where scan.coverage == .short {
      let image = Samples.uniforms(Samples.grid.rows * Samples.grid.columns, "image")
      let sinogram = Samples.uniforms(scan.views * scan.detectors, "sinogram")
      var results: [[[Float]]] = []
      for set in InstructionSet.available where set.isFused == InstructionSet.current.isFused {
        for threads in [1, 3] {
          Parallelism.threads = threads
          results.append(
            InstructionSet.$current.withValue(set) {
              let projector = Projector(scan, Samples.grid)
              let inverse = FilteredBackProjection(scan, Samples.grid, .hann)
              return [
                projector.project(image), projector.unproject(sinogram),
                inverse.reconstruct(sinogram), inverse.adjoint(image),
              ]
            })
        }
      }
      for result in results.dropFirst() { #expect(result == results[0]) }
    }
  }

  @Test func `parallel rays agree with ASTRA's projector of Joseph, and with scikit-image's`()
    throws
  {
    let fixture = Fixture("tomography")
    let image = try fixture.tensor("image").floats()
    let grid = ImageGrid(rows: 65, columns: 65, rowSpacing: 1, columnSpacing: 1)
    let scan = try ScanGeometry(
      beam: .parallel, coverage: .short, views: 60, detectors: 65, pitch: 1)
    let found = Tensor(shape: [60, 65], scalars: Projector(scan, grid).project(image.scalars))
    expectClose(found, try fixture.tensor("parallel"), within: 2e-5, "ASTRA")
    // It turns the image by linear interpolation instead, which blurs a little.
    expectClose(found, try fixture.tensor("radon"), within: 0.01, "scikit-image")
  }

  @Test func `a flat fan agrees with ASTRA's integrals over square pixels`() throws {
    let fixture = Fixture("tomography")
    let image = try fixture.tensor("image").floats()
    let grid = ImageGrid(rows: 65, columns: 65, rowSpacing: 1, columnSpacing: 1)
    let scan = try ScanGeometry(
      beam: .flat, coverage: .full, views: 72, detectors: 80, pitch: 1.9, sourceToCenter: 120,
      sourceToDetector: 220)
    let found = Projector(scan, grid).project(image.scalars)
    let expected = try fixture.tensor("flat").scalars
    // Joseph interpolates between pixels, ASTRA's are squares; so a ray along a column differs most.
    let errors = zip(found, expected).map { Double($0) - $1 }
    let largest = expected.map { abs($0) }.max() ?? 0
    let square = errors.reduce(0) { $0 + $1 * $1 } / Double(errors.count)
    #expect(square.squareRoot() < 0.005 * largest)
    #expect(abs(errors.reduce(0, +)) < 1e-3 * expected.reduce(0, +))
  }
}

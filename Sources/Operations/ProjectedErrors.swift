import Synchronization
package import Tensors
import Tomography

/// The mean square of an error's line integrals along parallel rays.
///
///     L = (1/R)·Σ (A·e)²         ē = (2/R)·Aᵀ·A·e
///
/// e is [N, 1, H, W]; R is the number of rays of all images. The rays of a view lie a pixel apart across the
/// image's diagonal, and views cover half a turn; lengths are in pixels. By the Fourier slice theorem, the
/// spectrum of e counts with 1/frequency, so errors that many pixels share count more than those of single
/// pixels. A is Joseph's projector, whose adjoint is exact.
package struct ProjectedErrors: Hashable, Sendable {
  package let views: Int

  package init(views: Int) { self.views = views }

  /// Returns L, and ē in the shape of the errors.
  package func evaluate<Element: Scalar>(
    _ errors: FeatureMap<Element>
  ) -> (value: Double, gradient: FeatureMap<Element>) {
    let projector = self.projector(errors.shape)
    let sinogram = self.sinogram(errors.tensor)
    let rays = Double(max(1, sinogram.shape.count))
    let gradient = (0..<errors.shape.batch).flatMap { image in
      projector.unproject(sinogram.image(image).scalars)
    }
    return (
      sinogram.scalars.reduce(0) { $0 + Double($1) * Double($1) } / rays,
      FeatureMap(Tensor(shape: errors.shape, scalars: gradient)).scaled(by: 2 / rays)
    )
  }

  /// Returns A·e, [N, 1, views, rays].
  package func sinogram<Element: Scalar>(_ errors: Tensor<Element>) -> Tensor<Element> {
    let projector = self.projector(errors.shape)
    return Tensor(
      shape: [errors.shape.batch, 1, views, projector.scan.detectors],
      scalars: (0..<errors.shape.batch).flatMap { projector.project(errors.image($0).scalars) })
  }

  /// A ray that counts a pixel, with its length there in pixels.
  package struct Ray: Sendable {
    package let view: Int, number: Int
    package let length: Double
  }

  /// Returns the rays that count a pixel of images of a shape.
  package func rays(throughRow row: Int, column: Int, of shape: Shape) -> [Ray] {
    projector(shape).terms(ofRow: row, column: column).map {
      Ray(view: $0.row, number: $0.column, length: $0.factor)
    }
  }

  // MARK: - Projectors, each made once

  private struct Key: Hashable {
    let views: Int, height: Int, width: Int
  }

  private static let known = Mutex<[Key: Projector]>([:])

  private func projector(_ shape: Shape) -> Projector {
    let key = Key(views: views, height: shape.height, width: shape.width)
    return Self.known.withLock { known in
      if let projector = known[key] { return projector }
      // A session has few sizes of images; tables of many would only take memory.
      if known.count >= 8 { known = [:] }
      let made = makeProjector(shape)
      known[key] = made
      return made
    }
  }

  private func makeProjector(_ shape: Shape) -> Projector {
    let grid = ImageGrid(rows: shape.height, columns: shape.width, rowSpacing: 1, columnSpacing: 1)
    let count = 2 * Int(grid.cornerRadius.rounded(.up)) + 3
    guard
      let scan = try? ScanGeometry(
        beam: .parallel, coverage: .short, views: views, detectors: count, pitch: 1)
    else { preconditionFailure("Parallel rays have views.") }
    return Projector(scan, grid)
  }
}

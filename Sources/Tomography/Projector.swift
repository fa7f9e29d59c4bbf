import CKernels
package import Tensors

/// The line integrals of an image along the rays of a scan, and their exact adjoint.
///
///     p[v,d] = Σ over rows r of length·((1 − share)·x[r,c] + share·x[r,c+1])     A·x
///     x̄[r,c] = Σ over rays of p̄·length·(share of the pixel)                       Aᵀ·p̄
///
/// The image is [rows, columns] in mm⁻¹, the sinogram [views, detectors] without unit. Floats go
/// through the kernels, Doubles through the same sums in plain Swift. Views, and bands of rows, are
/// computed on their own and each sum has one order: the same bits for any number of threads.
package struct Projector: Sendable {
  package let scan: ScanGeometry
  package let grid: ImageGrid
  let rays: Rays
  private let table: RayTable

  package init(_ scan: ScanGeometry, _ grid: ImageGrid) {
    (self.scan, self.grid) = (scan, grid)
    rays = Rays(scan, grid)
    table = RayTable(rays)
  }

  /// The bytes that the table of rays takes.
  package static func bytes(_ scan: ScanGeometry) -> Int {
    scan.views * scan.detectors * (3 * MemoryLayout<Float>.size + 1)
  }

  /// Returns A·x: the sinogram of an image.
  package func project<Element: Scalar>(_ image: [Element]) -> [Element] {
    precondition(image.count == grid.rows * grid.columns, "An image has the pixels of its grid.")
    if let image = image as? [Float], let result = projectFast(image) as? [Element] {
      return result
    }
    var sums = [Element](repeating: 0, count: scan.views * scan.detectors)
    for ray in sums.indices {
      var sum = 0.0
      for crossing in rays.ray(ray).crossings(grid) {
        sum += crossing.length * Double(image[crossing.row * grid.columns + crossing.column])
      }
      sums[ray] = Element(sum)
    }
    return sums
  }

  /// Returns Aᵀ·p: the image that the adjoint of ``project(_:)`` gives.
  package func unproject<Element: Scalar>(_ sinogram: [Element]) -> [Element] {
    precondition(
      sinogram.count == scan.views * scan.detectors, "A sinogram has the rays of its scan.")
    if let sinogram = sinogram as? [Float], let result = unprojectFast(sinogram) as? [Element] {
      return result
    }
    var image = [Double](repeating: 0, count: grid.rows * grid.columns)
    for ray in sinogram.indices {
      let value = Double(sinogram[ray])
      for crossing in rays.ray(ray).crossings(grid) {
        image[crossing.row * grid.columns + crossing.column] += crossing.length * value
      }
    }
    return image.map { Element($0) }
  }

  // MARK: - Through the kernels

  private func projectFast(_ image: [Float]) -> [Float] {
    let kernels = kernelsInUse()
    let upright = PaddedPlane(image, rows: grid.rows, columns: grid.columns, isTurned: false)
    let turned = PaddedPlane(image, rows: grid.rows, columns: grid.columns, isTurned: true)
    let runs = table.runs
    return Tensor<Float>(shape: [scan.views * scan.detectors]) { sums in
      guard let sums = sums.baseAddress else { return }
      parallel(chunks: runs.count) { number, _ in
        let run = runs[number]
        (run.crossesColumns ? turned : upright).withPlane { plane in
          table.withRays(run) { kernels.project($0, plane, sums + run.rays.lowerBound) }
        }
      }
    }.scalars
  }

  private func unprojectFast(_ sinogram: [Float]) -> [Float] {
    let kernels = kernelsInUse()
    var upright = PaddedPlane(rows: grid.rows, columns: grid.columns, isTurned: false)
    var turned = PaddedPlane(rows: grid.rows, columns: grid.columns, isTurned: true)
    let band = Int(CK_ROWS_OF_COPIES)
    let bands = [upright, turned].map { ($0.rows + band - 1) / band }
    upright.withMutablePlane { upright in
      turned.withMutablePlane { turned in
        sinogram.withUnsafeBufferPointer { sinogram in
          guard let sums = sinogram.baseAddress else { return }
          parallel(chunks: bands[0] + bands[1]) { chunk, _ in
            let isTurned = chunk >= bands[0]
            let plane = isTurned ? turned : upright
            let first = (isTurned ? chunk - bands[0] : chunk) * band
            let last = min(plane.pointee.rows, first + band)
            let scratch = 4 * band * plane.pointee.stride
            withUnsafeTemporaryAllocation(of: Float.self, capacity: scratch) { scratch in
              guard let start = scratch.baseAddress else { return }
              scratch.update(repeating: 0)
              for run in table.runs where run.crossesColumns == isTurned {
                table.withRays(run) {
                  kernels.unproject($0, sums + run.rays.lowerBound, plane, first, last, start)
                }
              }
              kernels.sum_four(
                start, band * plane.pointee.stride,
                plane.pointee.values + first * plane.pointee.stride,
                (last - first) * plane.pointee.stride)
            }
          }
        }
      }
    }
    return upright.adding(turned)
  }
}

/// The kernels of the instruction set in use.
func kernelsInUse() -> ck_kernels {
  guard let kernels = ck_kernels_for(InstructionSet.current.rawValue) else {
    preconditionFailure("This machine cannot run \(InstructionSet.current).")
  }
  return kernels.pointee
}

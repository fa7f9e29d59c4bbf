import Synchronization
import Tomography

/// Scans with their tables, and the line integrals of slices, for draws to come.
final class ScanStore: Sendable {
  private struct Key: Hashable {
    let scan: ScanGeometry
    let grid: ImageGrid
    let window: RampFilter.Window
    let attenuation: Attenuation
  }

  /// The line integrals of a slice, with what they were computed from.
  private struct Projected {
    let pixels: [Float]
    let scan: ScanGeometry
    let sinogram: [Float]
  }

  private let scans = Mutex<[Key: SliceScan]>([:])
  private let projected = Mutex<[Int: Projected]>([:])

  /// Returns the scan, made once.
  func scan(
    _ scan: ScanGeometry, _ grid: ImageGrid, _ window: RampFilter.Window, _ attenuation: Attenuation
  ) -> SliceScan {
    let key = Key(scan: scan, grid: grid, window: window, attenuation: attenuation)
    return scans.withLock { known in
      if let scan = known[key] { return scan }
      let made = SliceScan(scan, grid, window, attenuation)
      known[key] = made
      return made
    }
  }

  /// Returns the line integrals of a slice, computed once for the same pixels.
  func sinogram(_ pixels: [Float], ofSlice slice: Int, by scan: SliceScan) -> [Float] {
    let known = projected.withLock { $0[slice] }
    if let known, known.scan == scan.scan, known.pixels == pixels { return known.sinogram }
    let sinogram = scan.project(pixels)
    projected.withLock {
      $0[slice] = Projected(pixels: pixels, scan: scan.scan, sinogram: sinogram)
    }
    return sinogram
  }

  /// Forgets all line integrals.
  func forgetSinograms() { projected.withLock { $0 = [:] } }
}

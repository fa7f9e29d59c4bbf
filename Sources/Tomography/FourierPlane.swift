import CFFTW

/// The discrete Fourier transform of complex numbers in a plane, in Double, through FFTW.
struct FourierPlane {
  let rows: Int, columns: Int

  /// Returns the transform; `back` gives rows·columns times the inverse.
  func transform(_ values: [(Double, Double)], back: Bool) -> [(Double, Double)] {
    let count = rows * columns
    precondition(values.count == count, "A plane has its numbers.")
    guard let plane = fftw_alloc_complex(count) else {
      preconditionFailure("There is memory for a plane of \(rows)×\(columns).")
    }
    defer { fftw_free(plane) }
    let direction = back ? FFTW_BACKWARD : FFTW_FORWARD
    let plan = FourierTransform.whilePlanning {
      fftw_plan_dft_2d(Int32(rows), Int32(columns), plane, plane, direction, cfftw_estimate)
    }
    guard let plan else { preconditionFailure("FFTW has a plan for every plane.") }
    defer { FourierTransform.whilePlanning { fftw_destroy_plan(plan) } }
    for (place, value) in values.enumerated() { plane[place] = value }
    fftw_execute(plan)
    return (0..<count).map { plane[$0] }
  }
}

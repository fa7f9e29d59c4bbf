package import Tensors

/// The noise of a scan at a fraction of the dose, in its line integrals.
///
/// With N = dose·photons, the photons that reach a detector element in one view without a patient:
///
///     Y = Poisson(N·e^−p) + σ·n                          counts, and the detector's own noise
///     p̂ = ln(N / (y + ½ + σ²/(2·max(y, σ²)))),  y = max(Y, 1)
///
/// Counts below 1 are taken as 1, since a logarithm needs a positive number. What is added to y takes
/// away the logarithm's bias to second order: the mean of ln Y lies (1 + σ²/λ)/2λ below ln λ.
///
/// For line integrals of slices that are noisy already, those of the full dose, the noise that is
/// missing at the fraction a of the dose is added, n normal:
///
///     p̂ = p + n·√( (1 − a)/a · e^p/N₀ · (1 + (1 + a)/a · σ²·e^p/N₀) )
///
/// Source: Yu et al., "Development and validation of a practical lower-dose-simulation tool for optimizing
/// computed tomography scan protocols" (2012).
package struct LowDose: Hashable, Sendable, Codable {
  /// N₀, the photons for each detector element and view at the full dose, before the patient.
  package let photons: Double
  /// The fraction of the full dose.
  package let dose: Double
  /// σ, the standard deviation of the detector's noise, in photons.
  package let electronic: Double
  /// Whether the slices are noisy already.
  package let isMeasured: Bool

  package init(photons: Double, dose: Double, electronic: Double, isMeasured: Bool) {
    precondition(photons > 0 && dose > 0 && electronic >= 0, "A dose has photons.")
    precondition(!isMeasured || dose < 1, "Noise is added for a smaller dose.")
    (self.photons, self.dose, self.electronic) = (photons, dose, electronic)
    self.isMeasured = isMeasured
  }

  /// Noisy line integrals.
  package struct Draw: Sendable {
    package let sinogram: [Float]
    /// How many counts were below 1 and taken as 1.
    package let clipped: Int
  }

  /// Draws noise for a sinogram, from random numbers of one slice.
  package func draw(_ sinogram: [Float], _ stream: RandomStream) -> Draw {
    let part = 1 << 13
    let parts = (sinogram.count + part - 1) / part
    var clipped = [Int](repeating: 0, count: parts)
    let noisy = clipped.withUnsafeMutableBufferPointer { clipped in
      nonisolated(unsafe) let clipped = clipped
      return Tensor<Float>(shape: [sinogram.count]) { result in
        nonisolated(unsafe) let result = result
        parallel(chunks: parts) { chunk, _ in
          let range = chunk * part..<min(sinogram.count, (chunk + 1) * part)
          withUnsafeTemporaryAllocation(of: Float.self, capacity: range.count) { normals in
            stream.fillNormals(normals, from: range.lowerBound)
            clipped[chunk] =
              isMeasured
              ? lower(sinogram, range, normals, result)
              : count(sinogram, range, normals, PoissonNumbers(stream: stream), result)
          }
        }
      }
    }
    return Draw(sinogram: noisy.scalars, clipped: clipped.reduce(0, +))
  }

  /// Writes noisy line integrals of counts, and returns how many of these were clipped.
  private func count(
    _ sinogram: [Float], _ range: Range<Int>, _ normals: UnsafeMutableBufferPointer<Float>,
    _ numbers: PoissonNumbers, _ result: UnsafeMutableBufferPointer<Float>
  ) -> Int {
    let all = dose * photons, variance = electronic * electronic
    var clipped = 0
    for i in range {
      let mean = all * ReproducibleMath.exp(-Double(sinogram[i]))
      let counts =
        numbers.number(at: i, mean: mean) + electronic * Double(normals[i - range.lowerBound])
      if counts < 1 { clipped += 1 }
      let y = max(counts, 1)
      let unbiased = y + 0.5 + (variance > 0 ? variance / (2 * max(y, variance)) : 0)
      result[i] = Float(ReproducibleMath.log(all / unbiased))
    }
    return clipped
  }

  /// Writes noisy line integrals of such that are noisy already; none is clipped.
  private func lower(
    _ sinogram: [Float], _ range: Range<Int>, _ normals: UnsafeMutableBufferPointer<Float>,
    _ result: UnsafeMutableBufferPointer<Float>
  ) -> Int {
    let variance = electronic * electronic
    for i in range {
      let p = Double(sinogram[i])
      // Beyond e⁴⁰ no photon is left of any dose.
      let share = ReproducibleMath.exp(min(p, 40)) / photons
      let added = (1 - dose) / dose * share * (1 + (1 + dose) / dose * variance * share)
      result[i] = Float(p + added.squareRoot() * Double(normals[i - range.lowerBound]))
    }
    return 0
  }
}

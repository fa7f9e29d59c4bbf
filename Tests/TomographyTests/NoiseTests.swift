import Foundation
import Tensors
import TestSupport
import Testing
import Tomography

struct `The noise of a low dose` {
  /// A water disc of 300 mm, with the rays' own pixels at the center.
  private static let grid = ImageGrid(rows: 65, columns: 65, rowSpacing: 6, columnSpacing: 6)

  private static func water() -> [Float] {
    Samples.disc(grid, radius: 150).map { 1000 * $0 - 1000 }
  }

  private static func scan(_ beam: ScanGeometry.Beam) throws -> SliceScan {
    let geometry = try Samples.scan(
      beam, beam == .parallel ? .short : .full, views: 120, detectors: 91, field: 546)
    return SliceScan(geometry, grid, .ramp, .usual)
  }

  @Test(arguments: [(ScanGeometry.Beam.arc, 0.05), (.arc, 1), (.flat, 0.25), (.parallel, 0.25)])
  func `deviation and mean at the center of water are those of the counts`(
    _ beam: ScanGeometry.Beam, _ dose: Double
  ) throws {
    let scan = try Self.scan(beam)
    let sinogram = scan.project(Self.water())
    let without = scan.reconstruct(sinogram)
    let low = LowDose(photons: 1_000_000, dose: dose, electronic: 8, isMeasured: false)
    // Pixels near the center, far enough from each other to be nearly independent.
    let places = (0..<25).map { (28 + 2 * ($0 / 5)) * 65 + 28 + 2 * ($0 % 5) }
    var expected = 0.0
    for place in places {
      var one = [Float](repeating: 0, count: 65 * 65)
      one[place] = 1
      for (factor, p) in zip(scan.reconstructAdjoint(one), sinogram) {
        let mean = low.photons * dose * exp(-Double(p))
        expected += Double(factor) * Double(factor) * (mean + 64) / (mean * mean)
      }
    }
    var (sum, square, all, inside) = (0.0, 0.0, 0.0, 0)
    let draws = 80
    for draw in 0..<draws {
      let noisy = low.draw(sinogram, RandomStream(seed: 5, name: "draw\(draw)"))
      #expect(noisy.clipped == 0)
      let made = scan.reconstruct(noisy.sinogram)
      for place in places {
        let error = Double(made[place] - without[place])
        sum += error
        square += error * error
      }
      for row in 20..<45 {
        for column in 20..<45 {
          all += Double(made[row * 65 + column] - without[row * 65 + column])
          inside += 1
        }
      }
    }
    let count = Double(draws * places.count)
    let deviation = (square / count - sum * sum / count / count).squareRoot()
    let theory = (expected / Double(places.count)).squareRoot()
    #expect(abs(deviation / theory - 1) < 0.03, "\(deviation), expected \(theory)")
    #expect(abs(all / Double(inside)) < 0.5)
  }

  @Test func `at a ray's own place, noise is that of the formula for parallel rays`() throws {
    // σ² = π²·σ_p²/(12·views·pitch²), of a ramp without interpolation.
    let scan = try Self.scan(.parallel)
    var one = [Float](repeating: 0, count: 65 * 65)
    one[32 * 65 + 32] = 1
    let found = scan.reconstructAdjoint(one).reduce(0) { $0 + Double($1) * Double($1) }
    let formula =
      Double.pi * .pi / (12 * 120 * 36) / (scan.attenuation.perUnit * scan.attenuation.perUnit)
    #expect(abs(found / formula - 1) < 0.01)
  }

  @Test(arguments: [0.2, 4, 9.9, 10.1, 30, 1000, 150_000])
  func `counts have the moments of Poisson's distribution`(_ mean: Double) {
    // Line integrals of such a mean, and the counts that the noisy ones stand for.
    let low = LowDose(photons: 1_000_000, dose: 1, electronic: 0, isMeasured: false)
    let count = 200_000
    let sinogram = [Float](repeating: Float(log(1_000_000 / mean)), count: count)
    let drawn = low.draw(sinogram, RandomStream(seed: 2, name: "moments"))
    let exact = 1_000_000 * exp(-Double(sinogram[0]))
    let counts = drawn.sinogram.map { (1_000_000 * exp(-Double($0)) - 0.5).rounded() }
    let zeros = Double(drawn.clipped) / Double(count)
    #expect(abs(zeros - exp(-exact)) < 5 * (exp(-exact) / Double(count)).squareRoot() + 1e-12)
    // A count of 0 was taken as 1.
    let first = counts.reduce(0, +) / Double(count) - zeros
    let second = counts.reduce(0) { $0 + $1 * $1 } / Double(count) - zeros
    #expect(
      abs(first - exact) < 5 * (exact / Double(count)).squareRoot() + 2e-3 * exact.squareRoot())
    #expect(abs((second - first * first) / exact - 1) < 0.03)
  }

  @Test func `noise for measured slices brings them from the full to the smaller dose`() throws {
    let p = 4.0
    let sinogram = [Float](repeating: Float(p), count: 100_000)
    let photons = 200_000.0, dose = 0.2, electronic = 6.0
    func variance(_ low: LowDose) -> Double {
      let drawn = low.draw(sinogram, RandomStream(seed: 9, name: "yu")).sinogram
      let mean = drawn.reduce(0) { $0 + Double($1) } / Double(drawn.count)
      return drawn.reduce(0) { $0 + (Double($1) - mean) * (Double($1) - mean) }
        / Double(drawn.count)
    }
    let added = variance(
      LowDose(photons: photons, dose: dose, electronic: electronic, isMeasured: true))
    let full = variance(
      LowDose(photons: photons, dose: 1, electronic: electronic, isMeasured: false))
    let low = variance(
      LowDose(photons: photons, dose: dose, electronic: electronic, isMeasured: false))
    #expect(abs((added + full) / low - 1) < 0.02)
  }

  @Test func `a draw is that of its stream, whatever the number of threads`() {
    let before = Parallelism.threads
    defer { Parallelism.threads = before }
    let sinogram = Samples.uniforms(30_000, "p").map { 8 * $0 }
    let low = LowDose(photons: 5000, dose: 0.5, electronic: 8, isMeasured: false)
    let draws = [1, 2, 5].map { threads in
      Parallelism.threads = threads
      return low.draw(sinogram, RandomStream(seed: 1, name: "a"))
    }
    #expect(draws.allSatisfy { $0.sinogram == draws[0].sinogram && $0.clipped == draws[0].clipped })
    #expect(draws[0].clipped > 0)
    #expect(low.draw(sinogram, RandomStream(seed: 1, name: "b")).sinogram != draws[0].sinogram)
  }

  private struct Spectra: Decodable {
    let size: Int, views: Int, detectors: Int, bins: Int
    let part: [Int]
    let source_to_center: Double, source_to_detector: Double, fan_pitch: Double
    let parallel: [Double], fan: [Double]
  }

  @Test(arguments: [ScanGeometry.Beam.parallel, .arc])
  func `the noise power spectrum is that of an independent reconstruction`(
    _ beam: ScanGeometry.Beam
  ) throws {
    let case_ = try Fixture("tomography").json("noise.json", as: Spectra.self)
    let scan =
      beam == .parallel
      ? try ScanGeometry(
        beam: .parallel, coverage: .short, views: case_.views, detectors: case_.detectors, pitch: 1)
      : try ScanGeometry(
        beam: .arc, coverage: .full, views: case_.views, detectors: case_.detectors,
        pitch: case_.fan_pitch, sourceToCenter: case_.source_to_center,
        sourceToDetector: case_.source_to_detector)
    let grid = ImageGrid(rows: case_.size, columns: case_.size, rowSpacing: 1, columnSpacing: 1)
    let inverse = FilteredBackProjection(scan, grid, .ramp)
    let side = case_.part[1] - case_.part[0]
    // The power at a frequency is the square of what the adjoint makes of its wave: no draw is needed.
    func power(_ u: Int, _ v: Int) -> Double {
      [0, 0.25].reduce(0.0) { sum, phase in
        var wave = [Float](repeating: 0, count: grid.rows * grid.columns)
        for y in 0..<side {
          for x in 0..<side {
            let turns = Double(u * y + v * x) / Double(side) + phase
            wave[(case_.part[0] + y) * grid.columns + case_.part[0] + x] =
              Float(cos(2 * .pi * turns) / Double(side))
          }
        }
        let pulled = inverse.adjoint(wave)
        return sum + Samples.dot(pulled, pulled)
      }
    }
    var sums = [Double](repeating: 0, count: case_.bins), hits = sums
    for v in 0...side / 2 {
      for u in 0..<side {
        let (fy, fx) = (Double(min(u, side - u)), Double(v))
        let bin = Int((fx * fx + fy * fy).squareRoot() / Double(side) / 0.5 * Double(case_.bins))
        // Of the many high frequencies, one in four.
        guard bin < case_.bins, bin < 2 || (u + 2 * v) % 4 == 0 else { continue }
        // The columns beside 0 and the middle stand for two; the mean was taken away.
        let weight = v == 0 || v == side / 2 ? 1.0 : 2
        sums[bin] += u == 0 && v == 0 ? 0 : weight * power(u, v)
        hits[bin] += weight
      }
    }
    let found = zip(sums, hits).map { $0 / $1 }
    for (bin, (one, other)) in zip(found, beam == .parallel ? case_.parallel : case_.fan)
      .enumerated()
    {
      #expect(abs(one / other - 1) < 0.05, "bin \(bin)")
    }
    #expect(found[1] > 1.7 * found[0] && found[3] > found[1])
  }
}

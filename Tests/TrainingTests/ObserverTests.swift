import CT
import Foundation
import Tensors
import TestSupport
import Testing
import Training

/// Noise power, modulation transfer and the model observer against what is known.
struct ObserverTests {
  private func normals(_ count: Int, _ name: String) -> [Double] {
    let stream = RandomStream(seed: 5, name: name)
    return (0..<count).map { stream.normal(at: $0) }
  }

  private func spectrum(_ images: Int, size: Int, filter: (any ImageFilter)? = nil) -> NoisePower {
    var power = NoisePower(size: size, rowSpacing: 0.7, columnSpacing: 0.7)
    for index in 0..<images {
      let noise = Tensor<Float>(
        shape: [1, 1, 256, 256],
        scalars: normals(65536, "white\(index)").map { Float(20 * $0) })
      // At the border a filter sees pixels twice.
      let mask = (0..<65536).map { i in
        filter != nil && min(i / 256, 255 - i / 256, i % 256, 255 - i % 256) < 8
      }
      power.add(filter?.apply(to: noise) ?? noise, mask: mask)
    }
    power.finish()
    return power
  }

  @Test func `white noise has the same power at all frequencies, and its integral is the variance`()
  {
    let power = spectrum(12, size: 32)
    #expect(power.count == 12 * 64)
    let expected = 400 * 0.7 * 0.7
    for (ring, (frequency, value)) in power.radial.enumerated() where ring > 1 {
      #expect(abs(value / expected - 1) < 0.03, "\(frequency)")
    }
    #expect(abs(power.integral / 400 - 1) < 0.01 && abs(power.variance / 400 - 1) < 0.01)
    #expect(abs(power.integral / power.variance - 1) < 1e-9)
  }

  /// A region that ends abruptly spreads the power of low frequencies over all, so that the expectation is
  /// the transform of the noise's covariance c(d) times 1 − |d|/N in each direction.
  @Test func `smoothed noise has the power that its covariance says`() {
    let (size, sigma) = (32, 1.5)
    let power = spectrum(8, size: size, filter: GaussianFilter(sigma: sigma))
    let weights = (-6...6).map { exp(-Double($0 * $0) / (2 * sigma * sigma)) }
    let sum = weights.reduce(0, +)
    let line = (0..<size).map { frequency in
      (-12...12).reduce(0.0) { total, shift in
        let covariance = weights.indices.reduce(0.0) { sum, i in
          weights.indices.contains(i + shift) ? sum + weights[i] * weights[i + shift] : sum
        }
        let phase = 2 * .pi * Double(frequency * shift) / Double(size)
        let part = 1 - Double(abs(shift)) / Double(size)
        return total + part * covariance * cos(phase) / (sum * sum)
      }
    }
    var rings = [(power: Double, expected: Double)](repeating: (0, 0), count: size)
    for y in 0..<size {
      for x in 0..<size where x + y > 0 {
        let (v, u) = (Double(min(y, size - y)), Double(min(x, size - x)))
        let ring = Int((u * u + v * v).squareRoot().rounded())
        rings[ring].power += power.plane[y * size + x]
        rings[ring].expected += 400 * 0.49 * line[y] * line[x]
      }
    }
    #expect(power.count == 8 * 36)
    for (ring, sums) in rings.enumerated().dropFirst().prefix(10) {
      #expect(abs(sums.power / sums.expected - 1) < 0.12, "ring \(ring)")
    }
  }

  @Test func `regions with padding are left out`() {
    var power = NoisePower(size: 8, rowSpacing: 1, columnSpacing: 1)
    let image = Tensor<Float>(shape: [16, 24], scalars: normals(384, "p").map { Float($0) })
    power.add(image, mask: (0..<384).map { $0 == 0 })
    #expect(power.count == 5)
  }

  @Test(arguments: [0.0, 0.4, 1.5, 3.0])
  func `the observer's area equals the analytic one`(square: Double) throws {
    let n = 40_000
    let stream = RandomStream(seed: 3, name: "observer")
    func rows(_ shift: Double, _ start: Int) -> [[Double]] {
      (0..<n).map { i in
        let z = (0..<4).map { stream.normal(at: start + 4 * i + $0) }
        // Correlated responses: Δᵀ S⁻¹ Δ does not change under a linear map.
        return [z[0] + shift, 2 * z[1] + z[0] + shift, z[2] - 0.5 * z[1], 3 * z[3] + z[2]]
      }
    }
    let observer = try #require(
      HotellingObserver(present: rows(square.squareRoot(), 0), absent: rows(0, 4 * n)))
    let expected = HotellingObserver.normal((square / 2).squareRoot())
    #expect(abs(observer.auc - expected) < 0.005)
    #expect(observer.low <= observer.auc + 1e-9 && observer.auc <= observer.high + 1e-9)
  }

  @Test func `the interval holds the true area about 95 times in 100`() throws {
    let square = 1.2
    let expected = HotellingObserver.normal((square / 2).squareRoot())
    let stream = RandomStream(seed: 4, name: "coverage")
    var inside = 0
    for trial in 0..<80 {
      func rows(_ shift: Double, _ start: Int) -> [[Double]] {
        (0..<40).map { i in
          (0..<3).map { stream.normal(at: start + 3 * i + $0) + ($0 == 0 ? shift : 0) }
        }
      }
      let observer = try #require(
        HotellingObserver(
          present: rows(square.squareRoot(), 240 * trial), absent: rows(0, 240 * trial + 120)))
      if (observer.low...observer.high).contains(expected) { inside += 1 }
    }
    #expect((70...80).contains(inside), "\(inside) of 80")
  }

  @Test func `responses without spread or too few have no observer`() {
    let flat = Array(repeating: [1.0, 2.0], count: 20)
    #expect(HotellingObserver(present: flat, absent: flat) == nil)
    #expect(HotellingObserver(present: [[1.0, 2]], absent: [[2.0, 1]]) == nil)
  }

  @Test func `channels are orthonormal`() {
    let found = LaguerreGaussChannels(count: 5, width: 14, side: 81).channels
    for i in found.indices {
      for j in found.indices {
        let product = zip(found[i], found[j]).reduce(0) { $0 + $1.0 * $1.1 }
        #expect(abs(product - (i == j ? 1 : 0)) < 1e-3, "\(i) \(j)")
      }
    }
  }

  @Test func `a known blur has the transfer of its Gaussian`() throws {
    let phantom = ThoraxPhantom(size: 256, slices: 1, patients: 1, kind: .inserts)
    let image = phantom.stack(patient: 0)
    let blurred = GaussianFilter(sigma: 1.2).apply(to: image)
    let middle = Double(phantom.size - 1) / 2
    for insert in phantom.inserts(patient: 0) where abs(insert.hounsfield) >= 100 {
      let disc = ModulationTransfer.Disc(
        row: middle + insert.y / phantom.pixelSpacing,
        column: middle + insert.x / phantom.pixelSpacing, radius: insert.radius,
        spacing: phantom.pixelSpacing)
      let own = try #require(ModulationTransfer([image], disc: disc))
      let other = try #require(ModulationTransfer([blurred], disc: disc))
      #expect(abs(own.contrast - insert.hounsfield) < 2)
      let sigma = 1.2 * phantom.pixelSpacing
      for index in own.frequencies.indices where own.frequencies[index] < 0.16 {
        let f = own.frequencies[index]
        let pixel = exp(-2 * pow(.pi * phantom.pointSpread * f, 2))
        #expect(abs(own.transfer[index] - pixel) < 0.02, "\(insert.hounsfield) at \(f)")
        let expected = pixel * exp(-2 * pow(.pi * sigma * f, 2))
        #expect(abs(other.transfer[index] - expected) < 0.02, "\(insert.hounsfield) at \(f)")
      }
    }
  }
}

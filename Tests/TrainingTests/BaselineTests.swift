import CT
import Foundation
import Synchronization
import Tensors
import TestSupport
import Testing
import Training

/// Classical denoisers against scikit-image and the package bm3d: `Tests/Fixtures/baselines`.
@Suite(.serialized) struct BaselineTests {
  struct Case: CustomTestStringConvertible, Sendable {
    let file: String
    let filter: any ImageFilter
    /// The largest difference of a pixel in HU.
    let tolerance: Double
    var testDescription: String { file }
  }

  private let fixture = Fixture("baselines")

  private func image(_ name: String) throws -> Tensor<Float> {
    let tensor = try fixture.tensor(name)
    return tensor.floats().reshaped([1, 1, tensor.shape[0], tensor.shape[1]])
  }

  private func psnr(_ image: Tensor<Float>, _ clean: Tensor<Float>) throws -> Double {
    try #require(FiguresOfMerit(image, clean: clean, range: 4096)).psnr
  }

  static let cases = [
    Case(file: "gaussian-1", filter: GaussianFilter(sigma: 1), tolerance: 0.002),
    Case(
      file: "bilateral-1.5-100", filter: BilateralFilter(sigma: 1.5, range: 100), tolerance: 0.01),
    Case(file: "tv-40", filter: TotalVariation(weight: 40), tolerance: 0.01),
    // scikit-image approximates the exponential to a few percent.
    Case(
      file: "nlm-32",
      filter: NonLocalMeans(size: 7, distance: 11, strength: .absolute(32), noise: nil),
      tolerance: 4),
    Case(
      file: "nlm-24-40",
      filter: NonLocalMeans(size: 5, distance: 6, strength: .absolute(24), noise: .known(40)),
      tolerance: 4),
    Case(
      file: "wavelet-haar", filter: WaveletShrinkage(wavelet: .haar, noise: .estimated),
      tolerance: 0.01),
    Case(
      file: "wavelet-db2-40", filter: WaveletShrinkage(wavelet: .db2, noise: .known(40)),
      tolerance: 0.01),
    Case(file: "bm3d-40", filter: BlockMatching(noise: .known(40)), tolerance: 60),
  ]

  @Test(arguments: cases)
  func `a baseline equals the other implementation`(one: Case) throws {
    let found = one.filter.apply(to: try image("noisy"))
    let (expected, clean) = (try image(one.file), try image("clean"))
    let largest = zip(found.scalars, expected.scalars).map { abs($0 - $1) }.max() ?? 0
    #expect(Double(largest) <= one.tolerance)
    #expect(abs(try psnr(found, clean) - psnr(expected, clean)) < 0.1)
  }

  @Test func `the noise of an image is estimated as by scikit-image`() throws {
    struct Cases: Decodable { let sigma: Double }
    let expected = try fixture.json("cases.json", as: Cases.self).sigma
    #expect(abs(try image("noisy").estimatedNoise() - expected) < 1e-6)
    #expect(Tensor<Float>(shape: [1, 1, 9, 9], repeating: 5).estimatedNoise() < 1e-12)
  }

  @Test(arguments: cases)
  func `a baseline has the same bits for any number of threads`(one: Case) throws {
    let noisy = try image("noisy")
    let threads = Parallelism.threads
    defer { Parallelism.threads = threads }
    Parallelism.threads = 1
    let single = one.filter.apply(to: noisy)
    Parallelism.threads = 3
    #expect(one.filter.apply(to: noisy).scalars == single.scalars)
  }

  @Test(arguments: cases)
  func `odd sizes, single pixels, constants and NaN come through`(one: Case) {
    let least = one.filter is BlockMatching ? BlockMatching.smallestSide : 1
    for (height, width) in [(least, least), (least, 37), (37, least), (21, 19)] {
      let flat = Tensor<Float>(shape: [1, 1, height, width], repeating: 40)
      let filtered = one.filter.apply(to: flat)
      #expect(filtered.shape == flat.shape)
      #expect(filtered.scalars.allSatisfy { abs($0 - 40) < 0.02 }, "\(height)×\(width)")
    }
    var broken = Tensor<Float>(shape: [1, 1, 21, 19], repeating: 40)
    for i in broken.scalars.indices { broken.scalars[i] += Float(i % 7) * 10 }
    broken.scalars[30] = .nan
    broken.scalars[200] = .infinity
    #expect(one.filter.apply(to: broken).scalars.count == 21 * 19)
  }

  @Test(arguments: InstructionSet.available)
  func `every instruction set filters alike`(set: InstructionSet) throws {
    let noisy = try image("noisy")
    for one in Self.cases {
      let best = one.filter.apply(to: noisy)
      let other = InstructionSet.$current.withValue(set) { one.filter.apply(to: noisy) }
      let clean = try image("clean")
      #expect(abs(try psnr(best, clean) - psnr(other, clean)) < 0.02, "\(one.file)")
    }
  }

  @Test func `a filter that is abandoned ends at once`() throws {
    let noisy = try image("noisy")
    for one in Self.cases {
      let calls = Atomic<Int>(0)
      let result = abandonable(when: { calls.add(1, ordering: .relaxed).newValue > 1 }) {
        one.filter.apply(to: noisy)
      }
      #expect(result == nil, "\(one.file)")
    }
  }
}

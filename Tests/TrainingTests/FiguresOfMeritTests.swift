import CT
import Foundation
import Operations
import Tensors
import TestSupport
import Testing
import Training

/// PSNR, SSIM and RMSE against scikit-image: `Tests/Fixtures/metrics`.
struct FiguresOfMeritTests {
  struct Cases: Decodable {
    let pairs: [Pair]
  }

  struct Pair: Decodable {
    let name: String
    let rmse: Double
    let ranges: [Range]
    let ssim_map: String?
    let ssim_map_range: Double?
  }

  struct Range: Decodable {
    let range: Double
    let psnr: Number
    let ssim: Double
  }

  /// A number, or `"inf"`.
  struct Number: Decodable {
    let value: Double

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      let number = try? container.decode(Double.self)
      value = number ?? .infinity
    }
  }

  private let fixture = Fixture("metrics")

  @Test func `figures equal scikit-image's`() throws {
    for pair in try fixture.json("cases.json", as: Cases.self).pairs {
      let (truth, other) = (try image("\(pair.name)-truth"), try image("\(pair.name)-other"))
      for expected in pair.ranges {
        let found = try #require(
          FiguresOfMerit(other, clean: truth, range: expected.range))
        #expect(abs(found.rmse - pair.rmse) <= 1e-6 * max(1, pair.rmse), "\(pair.name)")
        #expect(
          found.psnr == expected.psnr.value || abs(found.psnr - expected.psnr.value) < 1e-6,
          "\(pair.name)")
        #expect(abs(found.ssim - expected.ssim) < 1e-6, "\(pair.name)")
      }
    }
  }

  @Test func `the similarity map equals scikit-image's inside the borders`() throws {
    for pair in try fixture.json("cases.json", as: Cases.self).pairs {
      guard let file = pair.ssim_map, let range = pair.ssim_map_range else { continue }
      let map = try fixture.tensor(file.replacing(".npy", with: ""))
      let (truth, other) = (try image("\(pair.name)-truth"), try image("\(pair.name)-other"))
      let r = StructuralSimilarity.radius
      let interior = try map.part([
        .range(lower: r, upper: map.shape[0] - r), .range(lower: r, upper: map.shape[1] - r),
      ])
      let found = StructuralSimilarity(range: range).interiorMap(other, truth)
      #expect(zip(found, interior.scalars).allSatisfy { abs($0 - $1) < 1e-6 })
    }
  }

  @Test func `masked pixels count in no figure`() throws {
    let truth = Tensor<Float>(shape: [1, 1, 20, 20], repeating: 10)
    var other = Tensor<Float>(shape: [1, 1, 20, 20], repeating: 13)
    var mask = [Bool](repeating: false, count: 400)
    for i in 0..<200 {
      mask[i] = true
      other.scalars[i] = 1000
    }
    let found = try #require(FiguresOfMerit(other, clean: truth, range: 100, mask: mask))
    #expect(found.rmse == 3)
    #expect(abs(found.psnr - 20 * log10(100.0 / 3)) < 1e-9)
  }

  @Test func `images below the window have no similarity`() {
    let small = Tensor<Float>(shape: [1, 1, 10, 30], repeating: 1)
    #expect(FiguresOfMerit(small, clean: small, range: 1)?.ssim.isNaN == true)
    #expect(FiguresOfMerit(small, clean: small, range: 1)?.psnr == .infinity)
  }

  @Test func `a slice that is all padding is left out of the mean`() throws {
    let values = Tensor<Float>(shape: [3, 1, 16, 16]) { output in
      for i in output.indices { output[i] = Float(i % 97) }
    }
    var noisy = values
    for i in noisy.scalars.indices { noisy.scalars[i] += i % 2 == 0 ? 3 : -3 }
    let stack = ImageStack(
      values: values, mask: (0..<768).map { (256..<512).contains($0) }, unit: .stored(0...255))
    let figures = stack.figures(of: noisy)
    #expect(figures[1] == nil && figures[0] != nil && figures[2] != nil)
    let mean = FiguresOfMerit(meanOf: figures)
    #expect(abs(mean.rmse - 3) < 1e-6 && mean.psnr.isFinite && mean.ssim.isFinite)
    #expect(FiguresOfMerit(meanOf: [nil, nil]).psnr.isNaN)
  }

  private func image(_ name: String) throws -> Tensor<Float> {
    let tensor = try fixture.tensor(name)
    return tensor.floats().reshaped([1, 1, tensor.shape[0], tensor.shape[1]])
  }
}

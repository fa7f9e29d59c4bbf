import CT
import Foundation
import Tensors
import TestSupport
import Testing
import Training

/// Figures of merit by publications' conventions, against scikit-image, NumPy and PyTorch:
/// `Tests/Fixtures/baselines`.
struct ConventionTests {
  private struct Cases: Decodable {
    let conventions: [Row]
  }

  private struct Row: Decodable {
    let convention: String
    let psnr: Double?
    let ssim: Double?
    let rmse: Double?
    let vif: Double
    let mae: Double
  }

  private let fixture = Fixture("baselines")
  private static let conventions: [String: Convention] = [
    "full": .full, "chest": .chest, "abdomen": .abdomen, "head": .head, "redcnn": .redcnn,
    "corediff": .corediff,
  ]

  private func image(_ name: String) throws -> Tensor<Float> {
    let tensor = try fixture.tensor(name)
    return tensor.floats().reshaped([1, 1, tensor.shape[0], tensor.shape[1]])
  }

  @Test func `figures equal those of each convention's own program`() throws {
    let (clean, noisy) = (try image("clean"), try image("noisy"))
    let rows = try fixture.json("cases.json", as: Cases.self).conventions
    #expect(rows.count == Self.conventions.count)
    for row in rows {
      let rule = try #require(Self.conventions[row.convention]).rule(for: .hounsfield)
      let found = try #require(FiguresOfMerit(noisy, clean: clean, rule: rule))
      if let psnr = row.psnr { #expect(abs(found.psnr - psnr) < 1e-5, "\(row.convention)") }
      if let ssim = row.ssim { #expect(abs(found.ssim - ssim) < 1e-5, "\(row.convention)") }
      if let rmse = row.rmse { #expect(abs(found.rmse - rmse) < 1e-5, "\(row.convention)") }
      let further = try #require(
        FurtherFigures(noisy, clean: clean, rule: rule, unit: .hounsfield, mask: nil))
      #expect(abs(further.mae - row.mae) < 1e-5, "\(row.convention)")
      #expect(abs(further.vif - row.vif) < 1e-4, "\(row.convention)")
    }
  }

  @Test func `masked pixels count in no convention`() throws {
    let clean = try image("clean")
    var noisy = clean
    let mask = clean.scalars.indices.map { $0 % 3 == 0 }
    for i in clean.scalars.indices { noisy.scalars[i] += mask[i] ? 500 : 3 }
    for (_, convention) in [("full", Convention.full)] + Convention.published {
      let rule = convention.rule(for: .hounsfield)
      let further = try #require(
        FurtherFigures(noisy, clean: clean, rule: rule, unit: .hounsfield, mask: mask))
      #expect(further.mae <= 3.0001 && abs(further.shift.mean - 3) < 1e-4)
      #expect(
        try #require(FiguresOfMerit(noisy, clean: clean, rule: rule, mask: mask)).rmse < 3.0001)
    }
  }

  @Test func `the shift is told by tissue of the clean image`() throws {
    let values: [Float] = [-1000, -800, -700, -90, 40, 60, 900, -300]
    let clean = Tensor<Float>(shape: [1, 1, 2, 4], scalars: values)
    let image = Tensor<Float>(
      shape: [1, 1, 2, 4], scalars: [-999, -802, -702, -90, 45, 67, 890, 0])
    let rule = Convention.full.rule(for: .hounsfield)
    let found = try #require(
      FurtherFigures(image, clean: clean, rule: rule, unit: .hounsfield, mask: nil))
    let expected: [Tissue: Double] = [.air: 1, .lung: -2, .fat: 0, .soft: 6, .bone: -10]
    for (tissue, mean) in expected { #expect(found.shifts[tissue]?.mean == mean, "\(tissue)") }
    #expect(found.shift.mean == 299.0 / 8)
    #expect(found.shifts[.lung]?.exceeds(1) == true && found.shifts[.air]?.exceeds(1) == false)
    let other = try #require(
      FurtherFigures(image, clean: clean, rule: rule, unit: .stored(0...255), mask: nil))
    #expect(other.shifts.isEmpty && other.shift.mean == found.shift.mean)
  }

  @Test func `equal images keep all information, constant ones hold none`() {
    let ramp = Tensor<Float>(shape: [1, 1, 48, 48]) { output in
      for i in output.indices { output[i] = Float(i % 48 * (i / 48)) }
    }
    #expect(abs(VisualFidelity.of(ramp, reference: ramp) - 1) < 1e-6)
    let small = Tensor<Float>(shape: [1, 1, 40, 60], repeating: 1)
    #expect(VisualFidelity.of(small, reference: small).isNaN)
  }
}

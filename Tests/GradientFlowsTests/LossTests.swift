import Foundation
import GradientFlows
import Networks
import Operations
import Tensors
import TestSupport
import Testing

/// Charbonnier, SSIM, sinogram, bias and mixed losses against PyTorch and scikit-image (`Tests/Fixtures/losses`), the tape,
/// and central differences.
struct LossTests {
  struct Cases: Decodable {
    let cases: [Case]
  }

  struct Case: Decodable {
    let folder: String
    let gradient: String
    let line: String
    let masked: Bool
    let value: Double
  }

  /// The losses of the fixtures, and their sum with another.
  static let losses: [Loss] = [
    .charbonnier(epsilon: 0.001), .charbonnier(epsilon: 0.1), .dissimilarity(range: 1),
    .dissimilarity(range: 2.5),
    .mix([
      .init(weight: 0.84, loss: .meanAbsoluteError),
      .init(weight: 0.16, loss: .dissimilarity(range: 1)),
    ]),
    .mix([
      .init(weight: 0.5, loss: .charbonnier(epsilon: 0.01)),
      .init(weight: 2, loss: .halfSquares(gradientIsDeclared: false)),
    ]),
    .sinogram(views: 11),
    .mix([
      .init(weight: 0.5, loss: .meanSquaredError), .init(weight: 0.1, loss: .sinogram(views: 7)),
    ]),
    .bias(width: 0.25),
    .mix([
      .init(weight: 1, loss: .meanSquaredError), .init(weight: 10, loss: .bias(width: 0.05)),
    ]),
  ]

  @Test func `value and gradient equal PyTorch's, and the value scikit-image's`() throws {
    let fixture = Fixture("losses")
    let cases = try fixture.json("cases.json", as: Cases.self).cases
    // A mask that leaves no window of the smallest image has no case.
    #expect(cases.count >= 30 && Set(cases.map(\.line)) == Set(Self.losses.map(\.line)))
    for test in cases {
      let loss = try #require(Self.losses.first { $0.line == test.line })
      func map(_ name: String) throws -> Tensor<Double> {
        try fixture.tensor("\(test.folder)/\(name)")
      }
      let (output, target) = (try map("output"), try map("target"))
      let mask = test.masked ? try map("mask") : nil
      let expected = try map(test.gradient)
      let name = "\(test.line) of \(test.folder)\(test.masked ? ", masked" : "")"
      let (value, gradient) = loss.evaluate(
        FeatureMap(output), target: FeatureMap(target), mask: mask.map { FeatureMap($0) })
      #expect(abs(value - test.value) <= 1e-12 * abs(test.value), "\(name)")
      expectClose(gradient.tensor, expected, within: 1e-10, name)
      let (single, slope) = loss.evaluate(
        FeatureMap(output.floats()), target: FeatureMap(target.floats()),
        mask: mask.map { FeatureMap($0.floats()) })
      // Tables of rays are in single precision.
      let digits = test.line.contains("sinogram") ? 1e-5 : 1e-6
      #expect(abs(single - test.value) <= digits * abs(test.value), "\(name)")
      // A corner of √(x² + ε²) is steep beside the rounding of a float's difference.
      expectClose(slope.tensor, expected, within: 1e-5, name)
    }
  }

  @Test(arguments: losses, [false, true])
  func `the tape and central differences agree with the gradient by hand`(
    _ loss: Loss, isMasked: Bool
  ) throws {
    let pass = try Self.pass(loss, isMasked: isMasked).doubles
    let hand = pass.run(StandardFlow(), retention: .everything)
    let tape = pass.run(TapeFlow(), retention: .everything)
    #expect(abs(hand.loss - tape.loss) <= 1e-12 * abs(hand.loss))
    for name in pass.network.parameterNames + pass.network.valueNames {
      let expected = try #require(hand.gradient(name))
      expectClose(
        try #require(tape.gradient(name)), expected, within: 1e-10, "\(name) \(loss.line)")
      // Plain differences do not say where a corner lies; the check below does.
      for offset in [0, expected.shape.count / 2, expected.shape.count - 1] where !loss.hasCorner {
        let difference = try #require(pass.lossDifference(by: name, at: offset))
        let largest = expected.largestMagnitude()
        #expect(
          abs(difference - expected.scalars[offset]) <= 1e-6 * largest,
          "\(name)[\(offset)] of \(loss.line)")
      }
    }
    // A bend of 0.001 is narrow beside the steps of the differences.
    let tolerance = loss == .charbonnier(epsilon: 0.001) ? 1e-4 : 1e-6
    let samples = GradientCheck(StandardFlow(), pass).check().filter(\.isTelling)
    #expect(!samples.isEmpty)
    for sample in samples {
      #expect(sample.relativeError < tolerance, "\(sample) of \(loss.line)")
    }
  }

  @Test(arguments: losses, [false, true])
  func `terms of the loss and of its gradient add up`(_ loss: Loss, isMasked: Bool) throws {
    let pass = try Self.pass(loss, isMasked: isMasked)
    let result = pass.run(StandardFlow(), retention: .everything)
    let largest = try #require(result.gradient("net.out")).largestMagnitude()
    let whole = try #require(
      result.explanation(of: "loss", at: [], in: pass, flow: StandardFlow(), most: 3))
    #expect(abs(whole.sum - whole.value) <= 1e-6 * abs(whole.value), "\(loss.line)")
    for index in [[0, 0, 0, 0], [0, 0, 6, 7], [1, 0, 13, 11], [1, 0, 5, 5]] {
      let explained = try #require(
        result.explanation(of: "net.out.grad", at: index, in: pass, flow: StandardFlow(), most: 4))
      #expect(abs(explained.sum - explained.value) <= 4e-6 * largest, "\(loss.line) \(index)")
      for term in explained.terms {
        let product = term.factors.reduce(1) { $0 * $1.value }
        #expect(abs(product - term.product) <= 1e-13 * abs(product))
      }
    }
  }

  @Test func `what is masked counts by the middle of its window alone`() throws {
    let (loss, shape) = (Loss.dissimilarity(range: 1), Shape([1, 1, 11, 12]))
    let stream = RandomStream(seed: 1, name: "images")
    func image(_ start: Int) -> Tensor<Double> {
      Tensor(shape: shape, scalars: (0..<shape.count).map { stream.uniform(at: start + $0) })
    }
    let (x, y) = (image(0), image(1000))
    // The middles are [5, 5] and [5, 6].
    var mask = Tensor<Double>(shape: shape, repeating: 1)
    func value() -> Double {
      loss.evaluate(FeatureMap(x), target: FeatureMap(y), mask: FeatureMap(mask)).value
    }
    let both = value()
    mask.scalars[0] = 0
    #expect(value() == both, "a masked pixel inside a window is read as it stands")
    mask.scalars[5 * 12 + 6] = 0
    let first = value()
    (mask.scalars[5 * 12 + 5], mask.scalars[5 * 12 + 6]) = (0, 1)
    #expect(abs((first + value()) / 2 - both) < 1e-15)
    mask.scalars[5 * 12 + 6] = 0
    #expect(value() == 0, "no window counts")
  }

  @Test(
    arguments: losses + [
      .meanSquaredError, .meanAbsoluteError, .halfSquares(gradientIsDeclared: true),
    ])
  func `a batch in parts has the loss and gradients of the whole`(_ loss: Loss) throws {
    for isMasked in [false, true] {
      let pass = try Self.pass(loss, isMasked: isMasked, images: 5).doubles
      for flow in [StandardFlow(), TapeFlow()] as [any GradientFlow] {
        let whole = pass.run(flow, retention: .training)
        let parts = pass.run(flow, inPartsOf: 2)
        #expect(abs(whole.loss - parts.loss) <= 1e-12 * abs(whole.loss), "\(loss.line)")
        expectClose(parts.output.tensor, whole.output.tensor, within: 0)
        for (name, (part, all)) in zip(
          pass.network.parameterNames, zip(parts.parameterGradients, whole.parameterGradients))
        {
          expectClose(part, all, within: 1e-11, "\(name) of \(loss.line) under \(flow.line)")
        }
      }
    }
  }

  /// A pass of a small network on images in which some windows lie.
  static func pass(_ loss: Loss, isMasked: Bool, images: Int = 2) throws -> TrainingPass<Float> {
    let shape: Shape = [images, 1, 14, 13]
    func image(_ name: String) -> Tensor<Float> {
      let stream = RandomStream(seed: 7, name: name)
      return Tensor(
        shape: shape, scalars: (0..<shape.count).map { Float(stream.uniform(at: $0, in: 0...1)) })
    }
    // Neither images nor rows have the same number of masked pixels.
    let mask = Tensor<Float>(
      shape: shape, scalars: (0..<shape.count).map { $0 % 3 == 0 || $0 % 41 < 9 ? 0 : 1 })
    return TrainingPass(
      network: try Network(
        lines: ["conv channels=3 act=tanh", "conv", "output subtract"], seed: 3),
      input: image("input"), target: image("target"), mask: isMasked ? mask : nil, loss: loss)
  }
}

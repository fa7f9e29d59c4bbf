import GradientFlows
import Networks
import Tensors
import TestSupport
import Testing

/// Every layer kind against central differences in Double.
struct GradientCheckTests {
  /// Each activation, merge and skip, one to three convolutions, with and without bias.
  static let networks: [[String]] = {
    var result: [[String]] = []
    for activation in Activation.allCases {
      for merge in Merge.allCases {
        for skip in Skip.allCases {
          // The number of convolutions and the bias take turns, so that all pairs occur.
          let turn = result.count
          result.append([
            "conv channels=3 kernel=3 act=\(activation.rawValue) bias=\(turn % 2 == 0 ? "yes" : "no")",
            "block channels=3 kernel=\([3, 1, 5][turn % 3]) act=\(activation.rawValue) "
              + "merge=\(merge.rawValue) skip=\(skip.rawValue) convs=\(turn / 2 % 3 + 1) "
              + "bias=\(turn / 3 % 2 == 0 ? "yes" : "no")",
            "conv channels=1",
            "output \(turn % 4 == 0 ? "subtract" : "plain")",
          ])
        }
      }
    }
    return result
      + Activation.allCases.filter { !$0.needsPreactivation }.map { activation in
        [
          "conv channels=2 act=tanh",
          "block channels=3 merge=multiply skip=project project-act=\(activation.rawValue) act=elu",
          "conv channels=1",
        ]
      }
  }()

  @Test(arguments: networks)
  func `hand-written gradients equal central differences`(_ lines: [String]) throws {
    for loss: Loss in [
      .meanSquaredError, .halfSquares(gradientIsDeclared: false), .meanAbsoluteError,
    ] {
      let samples = GradientCheck(StandardFlow(), try Self.pass(lines, loss).doubles).check()
      let smooth = samples.filter { !$0.isKink }
      #expect(smooth.count >= samples.count / 2, "most samples lie away from kinks")
      for sample in smooth {
        #expect(sample.relativeError < 1e-6, "\(sample)")
      }
    }
  }

  @Test func `the declared gradient of half-squares is twice the true one`() throws {
    let lines = ["block channels=2 act=tanh", "conv"]
    let samples = GradientCheck(
      StandardFlow(), try Self.pass(lines, .halfSquares(gradientIsDeclared: true)).doubles
    ).check()
    for sample in samples { #expect(abs(sample.analytic / sample.numeric - 2) < 1e-5) }
  }

  @Test func `a corner that is crossed is marked as a kink`() throws {
    // A bias and a weight of zero put every pre-activation on ReLU's corner.
    var network = try Network(lines: ["conv channels=1 act=relu"])
    network.parameters = network.parameters.map { Tensor(shape: $0.shape, repeating: 0) }
    let check = GradientCheck(
      StandardFlow(),
      TrainingPass(
        network: network.doubles, input: Self.image("input"), target: Self.image("target"),
        loss: .meanSquaredError))
    #expect(check.check().allSatisfy { $0.isKink })
  }

  @Test(arguments: Activation.allCases.filter(\.hasKink))
  func `a corner in a projected skip is marked as a kink`(_ activation: Activation) throws {
    let block = "block channels=4 act=tanh skip=project project-act=\(activation.rawValue)"
    var network = try Network(lines: [block, block, "conv"])
    // A projection of zero lies on the corner everywhere.
    let names = network.parameterNames
    network.parameters = zip(names, network.parameters).map { name, parameter in
      name.hasPrefix("b1.project")
        ? Tensor(shape: parameter.shape, repeating: 0) : parameter
    }
    let pass = TrainingPass(
      network: network.doubles, input: Self.image("input"), target: Self.image("target"),
      loss: .meanSquaredError)
    let samples = GradientCheck(StandardFlow(), pass).check()
    #expect(samples.filter { $0.name.hasPrefix("b1.project") }.allSatisfy { $0.isKink })
    #expect(samples.filter { !$0.isKink }.allSatisfy { $0.relativeError < 1e-6 })
    #expect(samples.contains { !$0.isKink })
  }

  @Test func `a gradient of exactly zero is no failure`() throws {
    var network = try Network(lines: ["conv", "output subtract"])
    network.parameters = network.parameters.map { Tensor(shape: $0.shape, repeating: 0) }
    let pass = TrainingPass(
      network: network.doubles, input: Self.image("input"), target: Self.image("input"),
      loss: .meanSquaredError)
    for sample in GradientCheck(StandardFlow(), pass).check() {
      #expect(sample.analytic == 0 && sample.relativeError < 1e-6, "\(sample)")
    }
    let nature = GradientNature(
      StandardFlow(), pass, stream: RandomStream(seed: 1, name: "directions"))
    #expect(nature.isZero && nature.trueIsZero)
  }

  @Test func `a loss whose rounding hides the differences is no agreement`() throws {
    var network = try Network(lines: ["conv channels=1", "conv channels=1"])
    var parameters = network.parameters
    parameters[0].scalars[0] = 3e38
    network.parameters = parameters
    let pass = TrainingPass(
      network: network.doubles, input: Self.image("input"), target: Self.image("target"),
      loss: .meanSquaredError)
    let samples = GradientCheck(StandardFlow(), pass).samples(
      of: ["c1.weight"], count: 9, stream: RandomStream(seed: 1, name: "samples"))
    for sample in samples {
      #expect(sample.isHidden == (sample.index != [0, 0, 0, 0]), "\(sample)")
      guard sample.isTelling else { continue }
      // Divided by the gradient, not by the loss.
      let quotient = abs(sample.analytic - sample.numeric) / abs(sample.analytic)
      #expect(quotient < 1e-6 && abs(sample.relativeError - quotient) <= 1e-12, "\(sample)")
    }
    let nature = GradientNature(
      StandardFlow(), pass, stream: RandomStream(seed: 1, name: "directions"))
    #expect(nature.changeIsHidden && nature.loss > 1e70)
  }

  @Test func `two gradients with a NaN agree in nothing`() {
    let whole = Tensor<Float>(shape: [2], scalars: [1, 2])
    let broken = Tensor<Float>(shape: [2], scalars: [.nan, 2])
    for (a, b) in [(whole, broken), (broken, whole), (broken, broken)] {
      let comparison = GradientComparison(a, b)
      #expect(comparison.areFinite != (true, true))
      #expect(comparison.signAgreement.isNaN && comparison.cosine == nil)
      #expect(comparison.noAngle == .notFinite && comparison.normRatio == nil)
    }
  }

  @Test func `a gradient of zero has no angle, one of the smallest or largest numbers has`() {
    func tensor(_ scalars: [Double]) -> Tensor<Double> { Tensor(shape: [2], scalars: scalars) }
    let (whole, zero) = (tensor([3, 4]), tensor([0, 0]))
    let cases: [(Tensor<Double>, Tensor<Double>, GradientComparison.NoAngle, Double?)] = [
      (whole, zero, .otherIsZero, 0), (zero, whole, .referenceIsZero, nil),
      (zero, zero, .bothAreZero, nil),
    ]
    for (a, b, reason, ratio) in cases {
      let comparison = GradientComparison(a, b)
      #expect(comparison.noAngle == reason && comparison.cosine == nil)
      #expect(comparison.normRatio == ratio)
    }
    for factor in [1e-300, Double.leastNonzeroMagnitude, 1e300] {
      let comparison = GradientComparison(tensor([factor, 0]), tensor([-factor, 0]))
      #expect(comparison.cosine == -1 && comparison.normRatio == 1)
      let beside = GradientComparison(whole, tensor([factor, 0]))
      #expect(abs((beside.cosine ?? .nan) - 0.6) < 1e-15 && beside.noAngle == nil)
    }
  }

  /// A pass of a network built from `lines` on random images.
  static func pass(_ lines: [String], _ loss: Loss) throws -> TrainingPass<Float> {
    TrainingPass(
      network: try Network(lines: lines, seed: 11), input: image("input").floats(),
      target: image("target").floats(), loss: loss)
  }

  private static func image(_ name: String) -> Tensor<Double> {
    let stream = RandomStream(seed: 7, name: name)
    let shape: Shape = [2, 1, 7, 6]
    return Tensor(
      shape: shape, scalars: (0..<shape.count).map { stream.uniform(at: $0, in: -1...1) })
  }
}

extension GradientCheck {
  /// Six elements of every parameter.
  func check() -> [GradientSample] {
    samples(
      of: pass.network.parameterNames, count: 6, stream: RandomStream(seed: 1, name: "samples"))
  }
}

import GradientFlows
import Networks
import Tensors
import TestSupport
import Testing

/// The tape against the passes written by hand, and against central differences.
struct TapeTests {
  @Test(arguments: GradientCheckTests.networks)
  func `every gradient equals that of the standard flow`(_ lines: [String]) throws {
    for loss in Self.losses {
      let pass = try GradientCheckTests.pass(lines, loss)
      expectEqual(pass.doubles, within: 1e-10)
      expectEqual(pass, within: 1e-5)
    }
  }

  @Test(arguments: GradientCheckTests.networks)
  func `the tape equals central differences`(_ lines: [String]) throws {
    let pass = try GradientCheckTests.pass(lines, .meanSquaredError)
    for sample in GradientCheck(TapeFlow(), pass.doubles).check() where !sample.isKink {
      #expect(sample.relativeError < 1e-6, "\(sample)")
    }
  }

  @Test func `masked pixels count on the tape as they do in the losses`() throws {
    let plain = try GradientCheckTests.pass(
      ["block channels=2 act=tanh", "conv"], .meanSquaredError)
    let shape = plain.input.shape
    let mask = Tensor<Float>(
      shape: shape, scalars: (0..<shape.count).map { $0 % 3 == 0 ? 0 : 1 })
    for loss in Self.losses {
      let pass = TrainingPass(
        network: plain.network, input: plain.input, target: plain.target, mask: mask, loss: loss)
      expectEqual(pass.doubles, within: 1e-10)
    }
  }

  @Test func `training keeps only what updates need`() throws {
    let pass = try GradientCheckTests.pass(["block channels=2", "conv"], .meanSquaredError)
    let (all, few) = (
      pass.run(TapeFlow(), retention: .everything), pass.run(TapeFlow(), retention: .training)
    )
    #expect(few.parameterGradients.map(\.scalars) == all.parameterGradients.map(\.scalars))
    #expect(few.gradient("b1.out") == nil && few.gradient("net.in") == nil)
  }

  private static let losses: [Loss] = [
    .meanSquaredError, .halfSquares(gradientIsDeclared: false),
    .halfSquares(gradientIsDeclared: true), .meanAbsoluteError, .charbonnier(epsilon: 0.1),
  ]

  private func expectEqual<Element: Scalar>(
    _ pass: TrainingPass<Element>, within tolerance: Double
  ) {
    let (hand, tape) = (
      pass.run(StandardFlow(), retention: .everything), pass.run(TapeFlow(), retention: .everything)
    )
    #expect(abs(hand.loss - tape.loss) <= 1e-12 * abs(hand.loss))
    let names = pass.network.parameterNames + pass.network.valueNames
    for name in names {
      guard let expected = hand.gradient(name), let found = tape.gradient(name) else {
        Issue.record("no gradient called \(name)")
        continue
      }
      expectClose(found, expected, within: tolerance, "\(name) of \(pass.loss.line)")
      if let value = hand.value(name), let taped = tape.value(name) {
        #expect(value.scalars == taped.scalars, "the value of \(name)")
      }
    }
  }
}

import GradientFlows
import Networks
import Tensors
import TestSupport
import Testing

/// Networks of every merge, skip and activation against PyTorch: `Tests/Fixtures/networks`.
struct PyTorchTests {
  struct Case: Decodable {
    let lines: [String]
    let loss: String
    let gradient: String
    let learning_rate: Double
    let losses: [Double]
    let weights: [String]
    let gradients: [String]
    let activation_gradients: [String]
  }

  @Test(arguments: Fixture.folders(in: "networks"))
  func `output, loss and gradients of the first step equal PyTorch's`(_ fixture: Fixture) throws {
    let (pass, expected) = try load(fixture)
    #expect(pass.network.parameterNames == expected.weights)
    let result = pass.run(StandardFlow(), retention: .everything)
    expectClose(result.pass.output.tensor, try fixture.tensor("output"), within: 2e-5, "output")
    #expect(abs(result.loss - expected.losses[0]) <= 2e-5 * abs(expected.losses[0]))
    for name in expected.gradients + expected.activation_gradients {
      let gradient = try #require(result.gradient(name), "no gradient called \(name)")
      expectClose(gradient, try fixture.tensor("gradients/\(name)"), within: 2e-5, name)
    }
  }

  @Test(arguments: Fixture.folders(in: "networks"))
  func `ten steps of SGD end where PyTorch's end`(_ fixture: Fixture) throws {
    let (first, expected) = try load(fixture)
    var pass = first
    var rule = SGD()
    rule.learningRate = expected.learning_rate
    for step in 1...10 {
      let result = pass.run(StandardFlow(), retention: .training)
      #expect(abs(result.loss - expected.losses[step - 1]) <= 1e-4 * abs(expected.losses[step - 1]))
      var network = pass.network
      network.parameters = zip(network.parameters, result.gradients.parameters).map { w, g in
        let update = rule.update(g, state: OptimizerState(), step: step).update
        return Tensor(
          shape: w.shape, scalars: zip(w.scalars, update?.scalars ?? []).map { $0 + $1 })
      }
      pass = TrainingPass(
        network: network, input: pass.input, target: pass.target, loss: pass.loss)
    }
    for (name, weight) in zip(pass.network.parameterNames, pass.network.parameters) {
      expectClose(weight, try fixture.tensor("after/\(name)"), within: 1e-5, name)
    }
  }

  private func load(_ fixture: Fixture) throws -> (TrainingPass<Float>, Case) {
    let expected = try fixture.json("case.json", as: Case.self)
    var network = try Network(lines: expected.lines)
    network.parameters = try network.parameterNames.map {
      try fixture.tensor("weights/\($0)").floats()
    }
    let loss: Loss =
      switch expected.loss {
      case "mse": .meanSquaredError
      case "l1": .meanAbsoluteError
      default: .halfSquares(gradientIsDeclared: expected.gradient == "declared")
      }
    return (
      TrainingPass(
        network: network, input: try fixture.tensor("input").floats(),
        target: try fixture.tensor("target").floats(), loss: loss), expected
    )
  }
}

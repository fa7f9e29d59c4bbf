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
    let adam_rate: Double?
    let adam_losses: [Double]?
    let weights: [String]
    let gradients: [String]
    let activation_gradients: [String]
  }

  @Test(arguments: Fixture.folders(in: "networks"))
  func `output, loss and gradients of the first step equal PyTorch's`(_ fixture: Fixture) throws {
    let (pass, expected) = try load(fixture)
    #expect(pass.network.parameterNames == expected.weights)
    let result = pass.run(StandardFlow(), retention: .everything)
    expectClose(result.output.tensor, try fixture.tensor("output"), within: 2e-5, "output")
    #expect(abs(result.loss - expected.losses[0]) <= 2e-5 * abs(expected.losses[0]))
    for name in expected.gradients + expected.activation_gradients {
      let gradient = try #require(result.gradient(name), "no gradient called \(name)")
      expectClose(gradient, try fixture.tensor("gradients/\(name)"), within: 2e-5, name)
    }
  }

  @Test(arguments: Fixture.folders(in: "networks"))
  func `ten steps of SGD end where PyTorch's end`(_ fixture: Fixture) throws {
    let (pass, expected) = try load(fixture)
    var rule = SGD()
    rule.learningRate = expected.learning_rate
    try descend(pass, rule, losses: expected.losses, to: "after", fixture, within: 1e-5)
  }

  /// The fixtures that also went ten steps with Adam.
  static let withAdam = Fixture.folders(in: "networks").filter {
    (try? $0.json("case.json", as: Case.self).adam_rate) != nil
  }

  @Test(arguments: withAdam)
  func `ten steps of Adam end where PyTorch's end`(_ fixture: Fixture) throws {
    let (pass, expected) = try load(fixture)
    var rule = Adam()
    rule.learningRate = try #require(expected.adam_rate)
    try descend(
      pass, rule, losses: try #require(expected.adam_losses), to: "after-adam", fixture,
      within: 1e-4)
  }

  @Test func `three networks go with Adam`() {
    #expect(Self.withAdam.count >= 3)
  }

  /// Makes ten steps and compares each loss, and the weights at the end.
  private func descend(
    _ first: TrainingPass<Float>, _ rule: any Optimizer, losses: [Double], to folder: String,
    _ fixture: Fixture, within tolerance: Double
  ) throws {
    var pass = first
    var states = pass.network.parameters.map { _ in OptimizerState() }
    for step in 1...10 {
      let result = pass.run(StandardFlow(), retention: .training)
      #expect(abs(result.loss - losses[step - 1]) <= 1e-4 * abs(losses[step - 1]))
      states = zip(zip(states, pass.network.parameters), result.parameterGradients).map {
        former, gradient in
        rule.update(gradient, of: former.1, state: former.0, step: step)
      }
      var network = pass.network
      network.parameters = zip(network.parameters, states).map { $0.adding($1.update) }
      pass = pass.with(network)
    }
    for (name, weight) in zip(pass.network.parameterNames, pass.network.parameters) {
      expectClose(weight, try fixture.tensor("\(folder)/\(name)"), within: tolerance, name)
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

import Networks
import Tensors
import TestSupport
import Testing

/// Ten updates of each optimizer against PyTorch and NumPy: `Tests/Fixtures/adam`.
struct OptimizerTests {
  struct Cases: Decodable {
    let cases: [Case]
    let float32_overflow: Overflow
  }

  struct Case: Decodable {
    let name: String
    let optimizer: String
    let lr: Double
    let beta1: Double?
    let beta2: Double?
    let epsilon: Double?
    let correction: String?
    let update: String?
    let momentum: Double?
    let nesterov: Bool?

    var rule: any Optimizer {
      if optimizer == "sgd" {
        var sgd = SGD()
        sgd.learningRate = lr
        sgd.momentum = momentum ?? 0
        sgd.isNesterov = nesterov ?? false
        return sgd
      }
      var adam = Adam()
      adam.learningRate = lr
      adam.beta1 = beta1 ?? adam.beta1
      adam.beta2 = beta2 ?? adam.beta2
      adam.epsilon = epsilon ?? adam.epsilon
      adam.isCorrectionConstant = correction == "constant"
      adam.isIncremental = update == "incremental"
      return adam
    }
  }

  struct Overflow: Decodable {
    let gradients: [Double]
    let lr: Double
  }

  @Test func `ten updates equal the reference`() throws {
    let fixture = Fixture("adam")
    let gradients = try fixture.tensor("gradients")
    for test in try fixture.json("cases.json", as: Cases.self).cases {
      let expected = try fixture.tensor("\(test.name)/weights")
      var weight = try fixture.tensor("start").floats()
      var state = OptimizerState()
      for step in 1...10 {
        let gradient = try gradients.part([.position(step - 1)]).floats()
        state = test.rule.update(gradient, state: state, step: step)
        let update = try #require(state.update)
        for i in weight.scalars.indices { weight.scalars[i] += update.scalars[i] }
        expectClose(
          weight, try expected.part([.position(step - 1)]), within: 1e-5, "\(test.name) \(step)")
      }
    }
  }

  @Test func `an overflowing second moment freezes the direct form and breaks the incremental`()
    throws
  {
    let overflow = try Fixture("adam").json("cases.json", as: Cases.self).float32_overflow
    for isIncremental in [false, true] {
      var adam = Adam()
      adam.learningRate = overflow.lr
      adam.isIncremental = isIncremental
      var state = OptimizerState()
      for (index, gradient) in overflow.gradients.enumerated() {
        state = adam.update(
          Tensor(shape: [1], scalars: [Float(gradient)]), state: state, step: index + 1)
      }
      let update = try #require(state.update).scalars[0]
      #expect(isIncremental ? update.isNaN : update == 0)
    }
  }
}

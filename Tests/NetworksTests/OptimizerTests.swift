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
    /// PyTorch's names: of RMSProp, of Adagrad, of Adadelta, and of all three.
    let alpha: Double?
    let lr_decay: Double?
    let initial_accumulator_value: Double?
    let rho: Double?
    let eps: Double?

    var rule: any Optimizer {
      get throws {
        switch optimizer {
        case "adam": return adam
        case "sgd":
          var rule = SGD()
          rule.learningRate = lr
          rule.momentum = try #require(momentum)
          rule.isNesterov = try #require(nesterov)
          return rule
        case "rmsprop":
          var rule = RMSProp()
          rule.learningRate = lr
          rule.decay = try #require(alpha)
          rule.momentum = try #require(momentum)
          rule.epsilon = try #require(eps)
          return rule
        case "adagrad":
          var rule = Adagrad()
          rule.learningRate = lr
          rule.decay = try #require(lr_decay)
          rule.initial = try #require(initial_accumulator_value)
          rule.epsilon = try #require(eps)
          return rule
        default:
          #expect(optimizer == "adadelta")
          var rule = Adadelta()
          rule.learningRate = lr
          rule.decay = try #require(rho)
          rule.epsilon = try #require(eps)
          return rule
        }
      }
    }

    private var adam: any Optimizer {
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
    let start: Double
    let gradients: [Double]
    let lr: Double
    let direct: Record
    let incremental: Record

    /// After each step; `nan` and `inf` are words.
    struct Record: Decodable {
      let weights: [Number]
      let m: [Number]
      let v: [Number]
    }

    struct Number: Decodable {
      let value: Float

      init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let number = try? container.decode(Double.self) {
          value = Float(number)
        } else {
          value = try #require(Float(try container.decode(String.self)))
        }
      }
    }
  }

  private func cases() throws -> Cases { try Fixture("adam").json("cases.json", as: Cases.self) }

  @Test func `ten updates equal the reference, moments included`() throws {
    let fixture = Fixture("adam")
    let gradients = try fixture.tensor("gradients")
    let cases = try cases().cases
    #expect(Set(cases.map(\.optimizer)) == ["adam", "sgd", "rmsprop", "adagrad", "adadelta"])
    for test in cases {
      let expected = try fixture.tensor("\(test.name)/weights")
      let moments = (try? fixture.tensor("\(test.name)/m"), try? fixture.tensor("\(test.name)/v"))
      var weight = try fixture.tensor("start").floats()
      var state = OptimizerState()
      for step in 1...10 {
        func row(_ tensor: Tensor<Double>) throws -> Tensor<Double> {
          try tensor.part([.position(step - 1)])
        }
        state = try test.rule.update(try row(gradients).floats(), state: state, step: step)
        weight = weight.adding(state.update)
        let name = "\(test.name) \(step)"
        expectClose(weight, try row(expected), within: 1e-5, name)
        if let m = moments.0 {
          expectClose(try #require(state["m"]), try row(m), within: 1e-5, name)
        }
        if let v = moments.1 {
          expectClose(try #require(state["v"]), try row(v), within: 1e-5, name)
        }
      }
    }
  }

  @Test func `an overflowing second moment freezes the direct form and breaks the incremental`()
    throws
  {
    let overflow = try cases().float32_overflow
    for (isIncremental, record) in [(false, overflow.direct), (true, overflow.incremental)] {
      var adam = Adam()
      adam.learningRate = overflow.lr
      adam.isIncremental = isIncremental
      var state = OptimizerState()
      var weight = Tensor<Float>(shape: [1], scalars: [Float(overflow.start)])
      for (index, gradient) in overflow.gradients.enumerated() {
        state = adam.update(
          Tensor(shape: [1], scalars: [Float(gradient)]), state: state, step: index + 1)
        weight = weight.adding(state.update)
        for (found, expected) in [
          (state["m"]?.scalars[0], record.m[index]), (state["v"]?.scalars[0], record.v[index]),
          (weight.scalars[0], record.weights[index]),
        ] {
          let found = try #require(found)
          #expect(
            found == expected.value || found.isNaN && expected.value.isNaN
              || abs(found - expected.value) <= 1e-6 * abs(expected.value))
        }
      }
      // What the words of the test's name say, without the record.
      #expect(isIncremental ? weight.scalars[0].isNaN : state.update?.scalars[0] == 0)
      #expect(isIncremental == (state["v"]?.scalars[0].isNaN ?? false))
    }
  }
}

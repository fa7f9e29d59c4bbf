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
    let weight_decay: Double?

    var rule: any Optimizer {
      get throws {
        switch optimizer {
        case "adam": return adam
        case "adamw":
          var rule = AdamW()
          rule.adam = adam
          rule.weightDecay = try #require(weight_decay)
          return rule
        case "sgd":
          var rule = SGD()
          rule.learningRate = lr
          rule.momentum = try #require(momentum)
          rule.isNesterov = try #require(nesterov)
          rule.weightDecay = weight_decay ?? 0
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

    private var adam: Adam {
      var adam = Adam()
      adam.learningRate = lr
      adam.beta1 = beta1 ?? adam.beta1
      adam.beta2 = beta2 ?? adam.beta2
      adam.epsilon = epsilon ?? adam.epsilon
      adam.isCorrectionConstant = correction == "constant"
      adam.isIncremental = update == "incremental"
      adam.weightDecay = optimizer == "adam" ? weight_decay ?? 0 : 0
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
    #expect(Set(cases.map(\.optimizer)) == Set(allOptimizers.map { $0.declaration.word }))
    for test in cases {
      let expected = try fixture.tensor("\(test.name)/weights")
      let moments = (try? fixture.tensor("\(test.name)/m"), try? fixture.tensor("\(test.name)/v"))
      var weight = try fixture.tensor("start").floats()
      var state = OptimizerState()
      for step in 1...10 {
        func row(_ tensor: Tensor<Double>) throws -> Tensor<Double> {
          try tensor.part([.position(step - 1)])
        }
        state = try test.rule.update(
          try row(gradients).floats(), of: weight, state: state, step: step)
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
          Tensor(shape: [1], scalars: [Float(gradient)]), of: weight, state: state,
          step: index + 1)
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

  @Test func `the terms of every kept number and update add up, weights that decay included`()
    throws
  {
    let fixture = Fixture("adam")
    let gradients = try fixture.tensor("gradients")
    for test in try cases().cases {
      let rule = try test.rule
      var weight = try fixture.tensor("start").floats()
      var state = OptimizerState()
      for step in 1...10 {
        let gradient = try gradients.part([.position(step - 1)]).floats()
        let next = rule.update(gradient, of: weight, state: state, step: step)
        for element in 0..<weight.shape.count {
          func numbers(_ state: OptimizerState) -> [String: Double] {
            state.kept.mapValues { Double($0.scalars[element]) }
          }
          let history = WeightHistory(
            gradient: Double(gradient.scalars[element]), weight: Double(weight.scalars[element]),
            before: numbers(state), after: numbers(next), step: step)
          for quantity in type(of: rule).declaration.kept + [OptimizerState.updateName] {
            guard let stored = next[quantity] else { continue }
            let told = try #require(
              rule.arithmetic(of: quantity, history), "\(test.name) \(quantity)")
            check(
              told, Double(stored.scalars[element]), "\(quantity) of \(test.name) in step \(step)")
            for inner in told.inner {
              check(inner.arithmetic, inner.value, "\(inner.name) of \(test.name)")
            }
            let decays = (test.weight_decay ?? 0) > 0 && test.optimizer != "adamw"
            #expect(told.inner.isEmpty == !(decays && told.formula.contains("g̃")))
          }
        }
        weight = weight.adding(next.update)
        state = next
      }
    }
  }

  private func check(_ told: UpdateArithmetic, _ stored: Double, _ name: String) {
    let products = told.terms.map { $0.reduce(1) { $0 * $1.value } }
    let size = products.reduce(abs(stored)) { max($0, abs($1)) }
    #expect(abs(products.reduce(0, +) - stored) <= 2e-6 * size, "\(name): \(told.formula)")
  }

  @Test func `each optimizer declares words, options and names once`() {
    let words = allOptimizers.map { $0.declaration.word }
    #expect(Set(words).count == words.count)
    for type in allOptimizers {
      let rule = type.init()
      #expect(rule.line.hasPrefix("optimizer \(type.declaration.word) lr="))
      let keys = rule.line.split(separator: " ").dropFirst(2).compactMap {
        $0.split(separator: "=").first
      }
      #expect(Set(keys).count == keys.count)
      #expect(Set(type.declaration.kept).isSubset(of: OptimizerState.names))
    }
    var decaying = SGD()
    #expect(!decaying.line.contains("weight-decay"))
    decaying.weightDecay = 0.5
    #expect(decaying.line == "optimizer sgd lr=0.01 momentum=0.0 nesterov=no weight-decay=0.5")
    #expect(
      AdamW().line
        == "optimizer adamw lr=0.001 beta1=0.9 beta2=0.999 epsilon=1e-08 weight-decay=0.01")
  }
}

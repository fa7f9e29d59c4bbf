import Tensors
import TestSupport
import Testing

/// The fast kernels against the reference engine in Double, and against themselves.
@Suite(.serialized) struct EngineTests {
  struct Case: CustomStringConvertible {
    let images: Int, inputs: Int, outputs: Int, height: Int, width: Int, kernel: Int
    var description: String { "\(images)×\(inputs)→\(outputs) \(height)×\(width) k\(kernel)" }

    init(_ images: Int, _ inputs: Int, _ outputs: Int, _ height: Int, _ width: Int, _ kernel: Int) {
      (self.images, self.inputs, self.outputs) = (images, inputs, outputs)
      (self.height, self.width, self.kernel) = (height, width, kernel)
    }
  }

  /// Every pair of layouts, sides of no tile, of less than a tile, of many; padded channels; rows of
  /// fewer, of just as many and of more than the pixels that go together; outputs that go past the
  /// caches, in whole lines and not; kernels that are fetched ahead.
  static let cases = [
    Case(1, 16, 16, 8, 8, 3), Case(2, 32, 32, 37, 61, 3), Case(1, 64, 64, 33, 20, 3),
    Case(3, 8, 8, 50, 13, 3), Case(1, 12, 20, 9, 11, 3), Case(2, 24, 8, 130, 5, 3),
    Case(1, 32, 16, 1, 1, 3), Case(1, 16, 32, 3, 2, 3), Case(1, 17, 40, 4, 64, 3),
    Case(1, 1, 32, 40, 37, 3), Case(2, 1, 8, 19, 30, 13), Case(1, 3, 16, 21, 22, 5),
    Case(1, 9, 12, 10, 11, 1), Case(1, 32, 1, 40, 37, 3), Case(2, 8, 1, 19, 30, 7),
    Case(1, 24, 5, 18, 9, 5), Case(1, 16, 16, 17, 19, 1), Case(1, 16, 24, 17, 19, 5),
    Case(1, 8, 32, 6, 5, 13), Case(2, 128, 128, 12, 13, 3), Case(1, 5, 7, 30, 41, 3),
    Case(2, 1, 5, 40, 300, 13), Case(1, 9, 9, 33, 70, 5), Case(1, 3, 11, 20, 129, 7),
    Case(3, 1, 1, 5, 3, 9), Case(1, 4, 6, 17, 16, 11), Case(1, 7, 1, 18, 65, 1),
    Case(1, 11, 4, 1, 200, 3), Case(1, 2, 2, 200, 1, 13), Case(1, 1, 64, 320, 321, 3),
    Case(1, 8, 1, 5, 9, 3), Case(1, 8, 1, 5, 10, 3), Case(1, 16, 2, 6, 19, 3),
    Case(1, 24, 1, 9, 13, 5), Case(1, 1, 8, 450, 449, 3), Case(1, 1, 24, 300, 301, 3),
    Case(2, 40, 56, 33, 29, 1), Case(1, 96, 72, 18, 64, 1), Case(1, 72, 104, 9, 26, 3),
    Case(1, 96, 96, 13, 14, 3),
  ]

  @Test(arguments: cases)
  func `passes agree with the reference engine in Double`(_ shape: Case) {
    let pass = Pass(shape)
    let exact = pass.results { $0.doubles() }
    for set in InstructionSet.available {
      let found = with(set) { pass.results { $0.floats() } }
      for (name, limit) in [("output", 2e-6), ("input", 2e-6), ("kernel", 1e-5), ("bias", 1e-6)] {
        guard let a = found[name], let b = exact[name] else {
          Issue.record("no \(name)")
          continue
        }
        // Without fused products each is rounded once more.
        expectClose(a, b, within: set.isFused ? limit : 2 * limit, "\(set) \(name)")
      }
    }
  }

  @Test(arguments: cases)
  func `fusing instruction sets and all numbers of threads give the same bits`(_ shape: Case) {
    let pass = Pass(shape)
    let before = Parallelism.threads
    defer { Parallelism.threads = before }
    let reference = pass.results { $0.floats() }.mapValues(\.fingerprint)
    for set in InstructionSet.available where set.isFused == InstructionSet.current.isFused {
      for threads in [1, 2, 3, 8] {
        Parallelism.threads = threads
        let found = with(set) { pass.results { $0.floats() } }.mapValues(\.fingerprint)
        #expect(found == reference, "\(set), \(threads) threads")
      }
    }
  }

  /// With the input's place in memory taken, and with somebody else looking there; also through the
  /// derivative of a ReLU that the input came from.
  @Test(arguments: cases)
  func `all gradients at once have the bits of one after the other`(_ shape: Case) {
    let pass = Pass(shape)
    let (g, addend, weights) = (pass.gradient.floats(), pass.input.floats(), pass.kernel.floats())
    guard Convolution.goesBackAtOnce(kernelShape: weights.shape, Float.self) else { return }
    let x = Activation.relu.forward(FeatureMap(addend), reluNaN: .keep).tensor
    for set in InstructionSet.available {
      with(set) {
        let (input, gradient) = (FeatureMap(x), FeatureMap(g))
        let dx = Convolution.inputGradient(
          gradient, kernel: weights, adding: FeatureMap(addend))
        let parameters = [
          Convolution.kernelGradient(input, gradient, kernelShape: weights.shape),
          Convolution.biasGradient(gradient),
        ]
        let dz = Activation.relu.backward(dx, .values(activation: input, preactivation: nil))
        #expect(dz.tensor.fingerprint != dx.tensor.fingerprint)
        for (isRectified, expected) in [(false, dx), (true, dz)] {
          let apart = ([expected.tensor] + parameters).map(\.fingerprint)
          let shared = Convolution.backward(
            gradient, input: input, kernel: weights, hasBias: true, adding: FeatureMap(addend),
            isRectified: isRectified)
          let alone = Convolution.backward(
            gradient, input: FeatureMap(x), kernel: weights, hasBias: true,
            adding: FeatureMap(addend), isRectified: isRectified)
          for found in [shared, alone] {
            #expect(
              [found.input.tensor, found.kernel, found.bias].map { $0?.fingerprint } == apart,
              "\(set)")
          }
        }
        #expect(input.tensor.fingerprint == x.fingerprint)
      }
    }
  }

  @Test func `a NaN that a ReLU kept lets the gradient pass`() {
    let pass = Pass(Case(1, 8, 16, 9, 11, 3))
    var x = Tensor<Float>(shape: pass.input.shape, repeating: 0)
    let place = x.shape.count / 2
    x.scalars[place] = .nan
    let (gradient, weights) = (FeatureMap(pass.gradient.floats()), pass.kernel.floats())
    for set in InstructionSet.available {
      with(set) {
        let dx = Convolution.inputGradient(gradient, kernel: weights, adding: nil).tensor
        let dz = Convolution.backward(
          gradient, input: FeatureMap(x), kernel: weights, hasBias: false, adding: nil,
          isRectified: true
        ).input.tensor
        #expect(dx.scalars[place] != 0)
        #expect(dz.scalars[place] == dx.scalars[place])
        #expect(dz.scalars.enumerated().allSatisfy { $0.offset == place || $0.element == 0 })
      }
    }
  }

  @Test(arguments: [
    Case(1, 16, 16, 9, 11, 3), Case(1, 1, 16, 9, 11, 3), Case(1, 16, 1, 9, 11, 3),
    Case(1, 8, 8, 9, 11, 5), Case(1, 8, 1, 9, 30, 3), Case(1, 1, 8, 9, 50, 3),
  ])
  func `a NaN or an infinity is found wherever it stands`(_ shape: Case) {
    let pass = Pass(shape)
    for set in InstructionSet.available {
      with(set) {
        for bad in [Float.nan, .infinity, -.infinity] {
          for place in [0, 40, pass.input.shape.count - 1] {
            var image = pass.input.floats()
            image.scalars[place] = bad
            let output = Convolution.forward(FeatureMap(image), kernel: pass.kernel.floats())
            #expect(output.foundNonFinite)
            #expect(!output.tensor.isFinite())
          }
        }
        #expect(
          !Convolution.forward(FeatureMap(pass.input.floats()), kernel: pass.kernel.floats())
            .foundNonFinite)
      }
    }
  }

  @Test(arguments: [1, 8, 12, 16, 20, 33])
  func `a map gives back the tensor it was made of`(channels: Int) {
    let shape: Shape = [2, channels, 5, 7]
    let tensor = Tensor<Float>(shape: shape, scalars: (0..<shape.count).map(Float.init))
    #expect(FeatureMap(tensor).tensor.scalars == tensor.scalars)
  }

  @Test(arguments: [Activation.elu, .sigmoid, .tanh, .arctan])
  func `vector activations have few ulp and the same bits on every instruction set`(
    activation: Activation
  ) {
    let steps = (0...40_000).map { Float($0 - 20_000) * 0.005 }
    let small = (0..<38).flatMap { [Float(sign: .plus, exponent: -$0, significand: 1.37)] }
    let values = steps + small + small.map { -$0 } + [.infinity, -.infinity]
    let z = Tensor<Float>(shape: [1, 1, 1, values.count], scalars: values)
    let exact = activation.forward(FeatureMap(z.doubles())).tensor
    let reference = activation.forward(FeatureMap(z)).tensor
    for (i, value) in values.enumerated() {
      let expected = exact.scalars[i]
      // What e⁻ᶻ is too small for may become 0.
      let limit = max(4 * Double(Float(expected).ulp), 2 * Double(Float.leastNormalMagnitude))
      let found = Double(reference.scalars[i])
      #expect(found == expected || abs(found - expected) <= limit, "act(\(value))")
    }
    for set in InstructionSet.available {
      let found = with(set) { activation.forward(FeatureMap(z)).tensor }
      #expect(found.fingerprint == reference.fingerprint, "\(set)")
    }
    // The end of a vector and of what is no whole vector.
    for count in [1, 7, 8, 16, 21] {
      var bad = [Float](repeating: 1, count: count)
      bad[count - 1] = .nan
      let result = activation.forward(
        FeatureMap(Tensor<Float>(shape: [1, 1, 1, count], scalars: bad)))
      #expect(result.tensor.scalars.map(\.isNaN) == bad.map(\.isNaN))
    }
  }

  @Test func `strict precision is nearer to the exact result`() throws {
    let pass = Pass(Case(1, 32, 32, 64, 64, 3))
    let exact = pass.results { $0.doubles() }
    let fast = pass.results { $0.floats() }
    let strict = Precision.$current.withValue(.strict) { pass.results { $0.floats() } }
    for name in ["output", "input", "kernel"] {
      let (a, b, c) = (try #require(fast[name]), try #require(strict[name]), exact[name])
      let reference = try #require(c)
      func error(_ tensor: Tensor<Float>) -> Double {
        zip(tensor.scalars, reference.scalars).reduce(0) { max($0, abs(Double($1.0) - $1.1)) }
      }
      #expect(error(b) < error(a), "\(name)")
    }
  }

  private func with<Result>(_ set: InstructionSet, _ body: () -> Result) -> Result {
    InstructionSet.$current.withValue(set, operation: body)
  }

  /// Random operands of one convolution.
  struct Pass {
    let input: Tensor<Double>, kernel: Tensor<Double>, bias: Tensor<Double>
    let gradient: Tensor<Double>

    init(_ shape: Case) {
      func tensor(_ name: String, _ shape: Shape) -> Tensor<Double> {
        let stream = RandomStream(seed: 7, name: name)
        // Numbers of Float, so that both engines begin with the same ones.
        return Tensor<Float>(shape: shape) { stream.fillNormals($0) }.doubles()
      }
      input = tensor("input", [shape.images, shape.inputs, shape.height, shape.width])
      kernel = tensor("kernel", [shape.outputs, shape.inputs, shape.kernel, shape.kernel])
      bias = tensor("bias", [shape.outputs])
      gradient = tensor("gradient", [shape.images, shape.outputs, shape.height, shape.width])
    }

    func results<Element: Scalar>(
      _ convert: (Tensor<Double>) -> Tensor<Element>
    ) -> [String: Tensor<Element>] {
      let (x, g) = (FeatureMap(convert(input)), FeatureMap(convert(gradient)))
      let weights = convert(kernel)
      return [
        "output": Convolution.forward(x, kernel: weights, bias: convert(bias)).tensor,
        "input": Convolution.inputGradient(g, kernel: weights).tensor,
        "kernel": Convolution.kernelGradient(x, g, kernelShape: kernel.shape),
        "bias": Convolution.biasGradient(g),
      ]
    }
  }
}

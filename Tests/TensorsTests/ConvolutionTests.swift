import Tensors
import TestSupport
import Testing

struct ConvolutionTests {
  @Test(arguments: Fixture.folders(in: "conv"))
  func `convolution and its gradients equal PyTorch's in Double`(_ fixture: Fixture) throws {
    try check(fixture, tolerance: 1e-12) { $0 }
  }

  @Test(arguments: Fixture.folders(in: "conv"))
  func `convolution and its gradients equal PyTorch's in Float`(_ fixture: Fixture) throws {
    try check(fixture, tolerance: 5e-6) { $0.floats() }
  }

  private func check<Element: Scalar>(
    _ fixture: Fixture, tolerance: Double, _ convert: (Tensor<Double>) -> Tensor<Element>
  ) throws {
    let input = FeatureMap(convert(try fixture.tensor("input")))
    let weight = convert(try fixture.tensor("weight"))
    let bias = (try? fixture.tensor("bias")).map(convert)
    let outputGradient = FeatureMap(convert(try fixture.tensor("output_gradient")))

    let output = Convolution.forward(input, kernel: weight, bias: bias)
    expectClose(output.tensor, try fixture.tensor("output"), within: tolerance, "output")
    #expect(!output.foundNonFinite)
    expectClose(
      Convolution.inputGradient(outputGradient, kernel: weight).tensor,
      try fixture.tensor("input_gradient"), within: tolerance, "input gradient")
    expectClose(
      Convolution.kernelGradient(input, outputGradient, kernelShape: weight.shape),
      try fixture.tensor("weight_gradient"), within: tolerance, "weight gradient")
    if bias != nil {
      expectClose(
        Convolution.biasGradient(outputGradient), try fixture.tensor("bias_gradient"),
        within: tolerance, "bias gradient")
    }
  }

  @Test(arguments: [1, 3, 7])
  func `strips of a large image join without a seam`(kernel: Int) {
    // 67·129 pixels of 20 channels make several strips that end within rows.
    let stream = RandomStream(seed: 3, name: "seam")
    let shape: Shape = [2, 20, 67, 129]
    let input = Tensor<Double>(
      shape: shape, scalars: (0..<shape.count).map { stream.uniform(at: $0) - 0.5 })
    let weights: Shape = [3, 20, kernel, kernel]
    let weight = Tensor<Double>(
      shape: weights, scalars: (0..<weights.count).map { stream.uniform(at: -1 - $0 + (1 << 40)) })
    let output = Convolution.forward(FeatureMap(input), kernel: weight).tensor
    for sample in 0..<500 {
      let offset = stream.integer(at: (1 << 50) + sample, below: output.shape.count)
      let x = offset % 129
      let y = offset / 129 % 67
      let o = offset / (129 * 67) % 3
      let n = offset / (129 * 67 * 3)
      var sum = 0.0
      for c in 0..<20 {
        for u in 0..<kernel {
          for v in 0..<kernel {
            let (row, column) = (y + u - kernel / 2, x + v - kernel / 2)
            guard (0..<67).contains(row), (0..<129).contains(column) else { continue }
            sum +=
              input.scalars[((n * 20 + c) * 67 + row) * 129 + column]
              * weight.scalars[((o * 20 + c) * kernel + u) * kernel + v]
          }
        }
      }
      #expect(abs(output.scalars[offset] - sum) < 1e-11)
    }
  }

  @Test func `a NaN or an infinity in a result is found`() {
    for bad in [Float.nan, .infinity, -.infinity] {
      var image = Tensor<Float>(shape: [1, 1, 9, 11], repeating: 1)
      image.scalars[40] = bad
      let output = Convolution.forward(
        FeatureMap(image), kernel: Tensor(shape: [2, 1, 3, 3], repeating: 0.5))
      #expect(output.foundNonFinite)
    }
  }

  @Test func `the number of threads changes no bit`() {
    let stream = RandomStream(seed: 5, name: "threads")
    let shape: Shape = [3, 5, 61, 83]
    let input = FeatureMap(
      Tensor<Float>(shape: shape) { stream.fillNormals($0) })
    let weight = Tensor<Float>(shape: [7, 5, 3, 3]) { stream.fillNormals($0, from: 1 << 30) }
    let before = Parallelism.threads
    defer { Parallelism.threads = before }
    let results = [1, 2, 3].map { threads in
      Parallelism.threads = threads
      let output = Convolution.forward(input, kernel: weight)
      return [
        output.tensor, Convolution.inputGradient(output, kernel: weight).tensor,
        Convolution.kernelGradient(input, output, kernelShape: weight.shape),
        Convolution.biasGradient(output),
      ].map(\.fingerprint)
    }
    #expect(results[0] == results[1])
    #expect(results[0] == results[2])
  }
}

import Foundation
import Networks
import Tensors
import Testing

/// The noise of gradients against its formulas.
struct GradientNoiseTests {
  private static let count = 40_000

  private func noise(_ form: GradientNoise.Form, eta: Double = 0.3, gamma: Double = 0.55)
    -> GradientNoise
  {
    var noise = GradientNoise()
    (noise.form, noise.eta, noise.gamma, noise.seed) = (form, eta, gamma, 5)
    return noise
  }

  private func applied(
    _ noise: GradientNoise, to value: Float, count: Int = Self.count, step: Int,
    name: String = "c1.weight"
  ) -> [Float] {
    var gradients = [Tensor<Float>(shape: [count], repeating: value)]
    noise.apply(to: &gradients, names: [name], step: step)
    return gradients[0].scalars
  }

  @Test(arguments: [1, 2, 11, 1001])
  func `the paper's form has variance η/(1+t)^γ, number by number`(step: Int) {
    let found = applied(noise(.elementwise), to: 0.25, step: step).map { Double($0) - 0.25 }
    let n = Double(found.count)
    let mean = found.reduce(0, +) / n
    let variance = found.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / n
    let expected = 0.3 / Foundation.pow(Double(step), 0.55)
    #expect(abs(mean) < 5 * (expected / n).squareRoot())
    // The variance of a sample's variance is 2σ⁴/n.
    #expect(abs(variance / expected - 1) < 5 * (2 / n).squareRoot())
    // Neighbours know nothing of each other, and a normal has kurtosis 3.
    let neighbours = zip(found, found.dropFirst()).reduce(0) { $0 + $1.0 * $1.1 } / n
    #expect(abs(neighbours / expected) < 5 / n.squareRoot())
    let fourth = found.reduce(0) { $0 + Foundation.pow($1, 4) } / n
    #expect(abs(fourth / (expected * expected) - 3) < 5 * (96 / n).squareRoot())
  }

  @Test(arguments: [GradientNoise.Form.scalar, .multiply])
  func `the article's forms have one number a parameter, with standard deviation η/(1+t)^γ`(
    form: GradientNoise.Form
  ) {
    // Over many parameters, in one update.
    let noise = noise(form)
    let numbers = (0..<4000).map { parameter -> Double in
      let values = applied(noise, to: 2, count: 3, step: 7, name: "b\(parameter).conv1.weight")
      #expect(Set(values).count == 1)
      return Double(values[0])
    }
    let drawn = numbers.map { form == .scalar ? $0 - 2 : $0 / 2 }
    let n = Double(drawn.count)
    let mean = drawn.reduce(0, +) / n
    let deviation = (drawn.reduce(0) { $0 + $1 * $1 } / n).squareRoot()
    let expected = 0.3 / Foundation.pow(7, 0.55)
    #expect(abs(mean) < 5 * expected / n.squareRoot())
    #expect(abs(deviation / expected - 1) < 5 / (2 * n).squareRoot())
  }

  @Test func `the two forms of the article share their numbers`() {
    let added = applied(noise(.scalar), to: 0, count: 1, step: 3)[0]
    let factor = applied(noise(.multiply), to: 1, count: 1, step: 3)[0]
    #expect(added == factor)
  }

  @Test func `each parameter and update has a draw of its own, the same every time`() {
    let noise = noise(.elementwise)
    let first = applied(noise, to: 0, count: 100, step: 1)
    #expect(first == applied(noise, to: 0, count: 100, step: 1))
    #expect(first != applied(noise, to: 0, count: 100, step: 2))
    #expect(first != applied(noise, to: 0, count: 100, step: 1, name: "c1.bias"))
    // More parameters before it shift nothing.
    var gradients = [
      Tensor<Float>(shape: [7], repeating: 0), Tensor<Float>(shape: [100], repeating: 0),
    ]
    noise.apply(to: &gradients, names: ["b1.conv1.weight", "c1.weight"], step: 1)
    #expect(gradients[1].scalars == first)
  }

  @Test func `no strength is no noise`() {
    #expect(applied(noise(.elementwise, eta: 0), to: 3, count: 4, step: 1) == [3, 3, 3, 3])
    #expect(applied(noise(.scalar, gamma: 1e308), to: 3, count: 2, step: 2) == [3, 3])
  }
}

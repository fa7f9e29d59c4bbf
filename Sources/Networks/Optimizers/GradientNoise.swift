package import Tensors

/// Random noise on the gradients, applied before the optimizer.
///
/// With s = η/(1 + t)^γ, t the number of the update from 0:
///
///     elementwise   g ← g + ξ, each ξ normal with variance s: the paper's form
///     scalar        g ← g + ξ, one ξ for each parameter, normal with standard deviation s
///     multiply      g ← g·ξ, the same ξ
///
/// The last two are what the article's author used under the name of the paper: one number for each
/// layer, whose weights are its only parameter there.
/// Source: Neelakantan et al., "Adding gradient noise improves learning for very deep networks" (2015).
package struct GradientNoise: Hashable, Sendable {
  package enum Form: String, CaseIterable, Sendable {
    case elementwise
    case scalar
    case multiply
  }

  package var form = Form.elementwise
  /// η, the strength at the first update.
  package var eta = 0.01
  /// γ, the exponent by which the strength falls.
  package var gamma = 0.55
  package var seed: UInt64 = 1

  package init() {}

  /// The line that chooses the noise.
  package var line: String {
    "gradient-noise \(form.rawValue) eta=\(eta) gamma=\(gamma) seed=\(seed)"
  }

  /// The standard deviation of ξ in update `step`, from 1.
  package func deviation(step: Int) -> Double {
    let strength = eta * ReproducibleMath.power(Double(step), -gamma)
    return form == .elementwise ? strength.squareRoot() : strength
  }

  /// ξ of the element at `offset` of the parameter called `name` in update `step`, from 1.
  package func number(of name: String, at offset: Int, step: Int) -> Double {
    let stream = stream(of: name, step: step)
    return Double(
      Float(deviation(step: step) * stream.normal(at: form == .elementwise ? offset : 0)))
  }

  private func stream(of name: String, step: Int) -> RandomStream {
    RandomStream(seed: seed, name: "gradient-noise/step\(step)/\(name)")
  }

  /// Adds the noise to the gradients of all parameters.
  ///
  /// The stream `gradient-noise/stepN/NAME` belongs to one parameter in one update, so it does not
  /// depend on anything else.
  ///
  /// - Parameters:
  ///   - gradients: A tensor for each parameter.
  ///   - names: The names of the parameters.
  ///   - step: The number of the update, from 1.
  package func apply(to gradients: inout [Tensor<Float>], names: [String], step: Int) {
    let deviation = deviation(step: step)
    for (t, name) in names.enumerated() {
      let stream = stream(of: name, step: step)
      switch form {
      case .elementwise:
        let noise = Tensor<Float>(shape: gradients[t].shape) {
          stream.fillNormals($0, deviation: deviation)
        }
        gradients[t] = gradients[t].adding(noise)
      case .scalar:
        let number = Float(self.number(of: name, at: 0, step: step))
        gradients[t] = gradients[t].mapped { $0 + number }
      case .multiply:
        let number = Float(self.number(of: name, at: 0, step: step))
        gradients[t] = gradients[t].mapped { $0 * number }
      }
    }
  }
}

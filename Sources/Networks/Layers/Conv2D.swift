package import Tensors

/// The parameters of one convolution, and its geometry.
package struct Conv2D<Element: Scalar>: Sendable {
  /// The kernels, `[O, I/groups, k, k]`; `[I, O/groups, k, k]` of a transposed convolution.
  package var weight: Tensor<Element>
  /// The bias, one number for each output channel, `[O]`; nil for none.
  package var bias: Tensor<Element>?
  package let geometry: ConvolutionGeometry

  package init(
    weight: Tensor<Element>, bias: Tensor<Element>?, _ geometry: ConvolutionGeometry = .plain
  ) {
    self.weight = weight
    self.bias = bias
    self.geometry = geometry
  }

  /// The number of channels that it reads.
  package var inputs: Int { geometry.inputs(ofKernel: weight.shape) }

  /// Computes out = join(act(z), s), with the same bits as one operation after the other, and a
  /// record for act′ if `keepsRecord`.
  @specialized(where Element == Float)
  package func activated(
    _ x: FeatureMap<Element>, _ activation: Activation, _ reluNaN: ReLUNaN,
    joining join: Join<Element>? = nil, keepsRecord: Bool
  ) -> ActivatedMap<Element> {
    Convolution.activated(
      x, kernel: weight, bias: bias, activation: activation, reluNaN: reluNaN, joining: join,
      keepsRecord: keepsRecord)
  }

  /// Computes the gradients of x, weight and bias from dz, the gradient of z.
  ///
  /// - Parameters:
  ///   - dz: `[N, O, H, W]`.
  ///   - x: The input of ``forward(_:)``; its memory is freed before the gradient of x takes
  ///     memory, or is used for it.
  ///   - needsInput: Whether the gradient of x is wanted.
  ///   - addend: Added to the gradient of x.
  ///   - isRectified: Whether x is the output of a ReLU, through which its gradient goes; only if
  ///     ``goesBackAtOnce``.
  /// - Returns: The gradient of x if it is wanted, and those of the parameters.
  @specialized(where Element == Float)
  package func backward(
    _ dz: FeatureMap<Element>, input x: consuming FeatureMap<Element>, needsInput: Bool = true,
    adding addend: FeatureMap<Element>? = nil, isRectified: Bool = false
  ) -> (input: FeatureMap<Element>?, parameters: [Tensor<Element>]) {
    if needsInput, goesBackAtOnce {
      let (dx, dweight, dbias) = Convolution.backward(
        dz, input: consume x, kernel: weight, hasBias: bias != nil, adding: addend,
        isRectified: isRectified)
      return (dx, [dweight] + (dbias.map { [$0] } ?? []))
    }
    precondition(!isRectified, "Only gradients computed at once go through a ReLU.")
    let (dweight, dbias) = Convolution.parameterGradients(
      x, dz, kernelShape: weight.shape, hasBias: bias != nil)
    _ = consume x
    let dx =
      needsInput ? Convolution.inputGradient(dz, kernel: weight, adding: addend) : nil
    return (dx, [dweight] + (dbias.map { [$0] } ?? []))
  }
}

extension Conv2D {
  /// Whether the gradients of x and of the parameters are computed together.
  var goesBackAtOnce: Bool {
    Convolution.goesBackAtOnce(kernelShape: weight.shape, Element.self)
  }

  /// The gradients of x and weight from da, where the engine computes dz = act′(z)·da·factor on the
  /// way, with the same bits as ``backward(_:input:needsInput:adding:)`` from dz; nil where it does
  /// not.
  func backward(
    through activation: Activation, _ da: FeatureMap<Element>,
    times factor: FeatureMap<Element>? = nil,
    _ record: ActivationRecord<Element>, input x: FeatureMap<Element>, needsInput: Bool,
    adding addend: FeatureMap<Element>? = nil
  ) -> (input: FeatureMap<Element>?, parameters: [Tensor<Element>])? {
    guard bias == nil,
      let (dx, dweight) = Convolution.pulledBack(
        da, times: factor, activation, record, input: x, kernel: weight, needsInput: needsInput)
    else { return nil }
    return (addend.map { addend in dx.map { $0.adding(addend) } } ?? dx, [dweight])
  }

  /// The weight, then the bias if there is one.
  package var parameters: [Tensor<Element>] { [weight] + (bias.map { [$0] } ?? []) }

  /// Takes the parameters' new values from the front of `rest`.
  mutating func takeParameters(from rest: inout ArraySlice<Tensor<Element>>) {
    func take(for parameter: Tensor<Element>) -> Tensor<Element> {
      let new = rest.removeFirst()
      precondition(new.shape == parameter.shape, "Parameters keep their shapes.")
      return new
    }
    weight = take(for: weight)
    bias = bias.map(take)
  }

  /// `weight`, and `bias` if there is one.
  package var parameterNames: [String] { bias == nil ? ["weight"] : ["weight", "bias"] }

  package var doubles: Conv2D<Double> {
    Conv2D<Double>(weight: weight.doubles(), bias: bias?.doubles(), geometry)
  }
}

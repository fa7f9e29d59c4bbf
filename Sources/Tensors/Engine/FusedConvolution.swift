import CKernels

/// The values from which the derivative of an activation is computed.
package enum ActivationRecord<Element: Scalar>: Sendable {
  /// The activation a, and the pre-activation z where the derivative needs it.
  case values(activation: FeatureMap<Element>, preactivation: FeatureMap<Element>?)
  /// One bit a value: whether the gradient passes through a ReLU.
  case mask(ActivationMask)
  /// No values: the convolution that reads the activation returns dz.
  case reader
  /// No values: the activation is linear.
  case linear
}

/// One bit for each value of an interleaved map.
package struct ActivationMask: Sendable {
  let bits: MapMemory<UInt8>
}

/// The join of an activation a with a skip value s.
package struct Join<Element: Scalar>: Sendable {
  package enum Rule: Sendable {
    /// a + s
    case add
    /// a · s
    case multiply
    /// a · s + s
    case multiplyAdd
  }
  package let rule: Rule
  /// s; a single channel is used for all.
  package let value: FeatureMap<Element>

  package init(_ rule: Rule, _ value: FeatureMap<Element>) {
    (self.rule, self.value) = (rule, value)
  }

  /// Returns `a` joined with the value.
  package func applied(to a: FeatureMap<Element>) -> FeatureMap<Element> {
    switch rule {
    case .add: a.adding(value)
    case .multiply: a.multiplied(by: value)
    case .multiplyAdd: a.multipliedAndAdded(value)
    }
  }
}

/// The result of a convolution and the operations after it: out = join(act(z), s).
package struct ActivatedMap<Element: Scalar>: Sendable {
  /// act(z), before the join; nil if it was never written.
  package let activation: FeatureMap<Element>?
  package let output: FeatureMap<Element>
  /// The record for the derivative; nil if no backward pass follows.
  package let record: ActivationRecord<Element>?
  /// Whether z holds a NaN or an infinity.
  package let foundNonFinite: Bool
}

/// Convolutions together with neighboring operations, in one pass over memory where the engine can,
/// with the same bits as one after the other.
extension Convolution {
  /// Computes out = join(act(input ∗ kernel + bias), s).
  ///
  /// - Parameters:
  ///   - input: Images, `[N, C, H, W]`.
  ///   - kernel: Kernels, `[O, C, kH, kW]`.
  ///   - bias: `[O]`.
  ///   - geometry: Stride, zeros and groups.
  ///   - activation: The function of each value.
  ///   - reluNaN: The treatment of NaN by ReLU.
  ///   - join: The join with a skip value, if any.
  ///   - keepsRecord: Whether a backward pass will follow, which needs the derivative.
  /// - Returns: The result, and the values for the backward pass.
  @specialized(where Element == Float)
  package static func activated<Element: Scalar>(
    _ input: FeatureMap<Element>, kernel: Tensor<Element>, bias: Tensor<Element>?,
    geometry: ConvolutionGeometry = .plain, activation: Activation, reluNaN: ReLUNaN,
    joining join: Join<Element>? = nil,
    keepsRecord: Bool
  ) -> ActivatedMap<Element> {
    if let engine = EngineConvolution(input, kernel.shape, geometry),
      let x = input as? FeatureMap<Float>, let w = kernel as? Tensor<Float>
    {
      let (bias, join) = (bias as? Tensor<Float>, join as? Join<Float>)
      let result =
        (activation == .relu || activation == .linear && join != nil) && engine.canAdd(join)
        ? engine.activated(
          x, w, bias, activation, reluNaN, adding: join?.value, keepsRecord: keepsRecord)
        : engine.isPlanar
          ? engine.planarActivated(
            x, w, bias, activation, reluNaN, join, keepsRecord: keepsRecord)
          : nil
      if let result = result as? ActivatedMap<Element> { return result }
    }
    let z = forward(input, kernel: kernel, bias: bias, geometry: geometry)
    let a = activation.forward(z, reluNaN: reluNaN)
    return ActivatedMap(
      activation: a, output: join?.applied(to: a) ?? a,
      record: keepsRecord ? activation.record(activation: a, preactivation: z) : nil,
      foundNonFinite: z.foundNonFinite)
  }

  /// The gradients of kernel and bias.
  package static func parameterGradients<Element: Scalar>(
    _ input: FeatureMap<Element>, _ outputGradient: FeatureMap<Element>, kernelShape: Shape,
    geometry: ConvolutionGeometry = .plain, hasBias: Bool
  ) -> (kernel: Tensor<Element>, bias: Tensor<Element>?) {
    if let engine = EngineConvolution(input, kernelShape, geometry),
      let x = input as? FeatureMap<Float>, let g = outputGradient as? FeatureMap<Float>
    {
      let result = engine.parameterGradients(x.resolved, g, kernelShape, hasBias: hasBias)
      if let kernel = result.kernel as? Tensor<Element> {
        return (kernel, result.bias as? Tensor<Element>)
      }
    }
    return (
      kernelGradient(input, outputGradient, kernelShape: kernelShape, geometry: geometry),
      hasBias ? biasGradient(outputGradient) : nil
    )
  }

  /// Whether the engine computes all gradients in one pass, for a kernel `[O, C, kH, kW]`.
  package static func goesBackAtOnce<Element: Scalar>(
    kernelShape shape: Shape, geometry: ConvolutionGeometry = .plain, _ type: Element.Type
  ) -> Bool {
    geometry.isPlain
      && EngineConvolution.usesWinograd(
        height: shape[2], width: shape[3],
        isPlanar: [shape[0], shape[1]].contains { MapLayout(channels: $0, type) == .planar },
        Precision.current)
  }

  /// Computes the gradients of input, kernel and bias in one pass, with the same bits as one after
  /// the other.
  ///
  /// - Parameters:
  ///   - outputGradient: dz, `[N, O, H, W]`.
  ///   - input: The input of the convolution; its gradient may replace it in memory.
  ///   - kernel: `[O, C, 3, 3]`.
  ///   - hasBias: Whether the gradient of a bias is wanted.
  ///   - addend: Added to the gradient of the input.
  ///   - isRectified: Whether the input is the output of a ReLU through which its gradient goes: it
  ///     becomes 0 where the input is 0.
  /// - Returns: The gradients.
  @specialized(where Element == Float)
  package static func backward<Element: Scalar>(
    _ outputGradient: FeatureMap<Element>, input: consuming FeatureMap<Element>,
    kernel: Tensor<Element>, hasBias: Bool, adding addend: FeatureMap<Element>?,
    isRectified: Bool
  ) -> (input: FeatureMap<Element>, kernel: Tensor<Element>, bias: Tensor<Element>?) {
    let isLastReader = input.isOnlyOwner()
    guard let engine = EngineConvolution(copy input, kernel.shape),
      let x = consume input as? FeatureMap<Float>, let g = outputGradient as? FeatureMap<Float>,
      let w = kernel as? Tensor<Float>
    else { preconditionFailure("Only the engine goes back at once.") }
    let result = engine.backward(
      x, g, w, hasBias: hasBias, adding: addend as? FeatureMap<Float>,
      isRectified: isRectified, isLastReader: isLastReader)
    guard let dx = result.input as? FeatureMap<Element>, let dw = result.kernel as? Tensor<Element>
    else { preconditionFailure("Gradients have the type of the values.") }
    return (dx, dw, result.bias as? Tensor<Element>)
  }
}

extension EngineConvolution {
  /// Whether the join is a sum that the convolution can add before it writes to memory.
  fileprivate func canAdd(_ join: Join<Float>?) -> Bool {
    takesEnding && join.map { $0.rule == .add && $0.value.shape.channels == outputs } ?? true
  }

  /// Computes out = act(z) + addend, act being linear or ReLU, of which bits for the derivative are kept.
  fileprivate func activated(
    _ input: FeatureMap<Float>, _ kernel: Tensor<Float>, _ bias: Tensor<Float>?,
    _ activation: Activation, _ reluNaN: ReLUNaN, adding addend: FeatureMap<Float>?,
    keepsRecord: Bool
  ) -> ActivatedMap<Float> {
    let isReLU = activation == .relu
    let (map, mask) = forward(
      input, kernel, bias,
      .init(
        activation: activation, reluNaN: reluNaN, addend: addend, keepsMask: keepsRecord && isReLU))
    return ActivatedMap(
      activation: addend == nil ? map : nil, output: map,
      record: mask.map { .mask(ActivationMask(bits: $0)) } ?? (keepsRecord ? .linear : nil),
      foundNonFinite: map.foundNonFinite)
  }

  /// Computes out = join(act(z), s) between planar maps, with activation and join while a chunk of
  /// rows is in the cache.
  fileprivate func planarActivated(
    _ input: FeatureMap<Float>, _ kernel: Tensor<Float>, _ bias: Tensor<Float>?,
    _ activation: Activation, _ reluNaN: ReLUNaN, _ join: Join<Float>?, keepsRecord: Bool
  ) -> ActivatedMap<Float> {
    let kernels = InstructionSet.kernels
    let code = activation.kernelCode(reluNaN)
    let whole = images * outputs * height * width
    let keepsPreactivation = keepsRecord && activation.needsPreactivation
    let a = keepsPreactivation ? MapMemory<Float>(whole) { _ in } : nil
    // Without a record, the joined value may replace the activation.
    let joined = join != nil && keepsRecord ? MapMemory<Float>(whole) { _ in } : nil
    let z = forward(
      input, kernel, bias,
      then: { plane, rows, z in
        let place = plane * height * width + rows.lowerBound * width
        let count = rows.count * width
        let values = z + place
        let activations = a.map { $0.start + place } ?? values
        if let code { kernels.activate(code, values, activations, count) }
        guard let join else { return }
        let (image, channel) = plane.quotientAndRemainder(dividingBy: outputs)
        let skipPlane = join.value.shape.channels == 1 ? image : image * outputs + channel
        let skip = join.value.scalars.start + skipPlane * height * width + rows.lowerBound * width
        kernels.join(
          join.code, activations, skip, joined.map { $0.start + place } ?? activations, count,
          whole)
      }
    ).output
    let activated = a.map { FeatureMap(shape: z.shape, scalars: $0) } ?? z
    return ActivatedMap(
      activation: join != nil && !keepsRecord ? nil : activated,
      output: joined.map { FeatureMap(shape: z.shape, scalars: $0) } ?? activated,
      record: keepsRecord ? activation.record(activation: activated, preactivation: z) : nil,
      foundNonFinite: z.foundNonFinite)
  }
}

extension Join {
  fileprivate var code: Int32 {
    switch rule {
    case .add: Int32(ck_add)
    case .multiply: Int32(ck_multiply)
    case .multiplyAdd: Int32(ck_multiply_add)
    }
  }
}

extension Activation {
  /// The record for the derivative, with the values that it is computed from.
  fileprivate func record<Element: Scalar>(
    activation a: FeatureMap<Element>, preactivation z: FeatureMap<Element>
  ) -> ActivationRecord<Element> {
    self == .linear
      ? .linear : .values(activation: a, preactivation: needsPreactivation ? z : nil)
  }

  /// Computes dz = act′(z) · da from the record of the forward pass; da is `gradient`, times
  /// `factor` if there is one.
  package func backward<Element: Scalar>(
    _ gradient: FeatureMap<Element>, times factor: FeatureMap<Element>? = nil,
    _ record: ActivationRecord<Element>
  ) -> FeatureMap<Element> {
    switch record {
    case .values(let activation, let preactivation):
      if let code = kernelCode(),
        let known = (needsPreactivation ? preactivation : activation) as? FeatureMap<Float>,
        let g = gradient as? FeatureMap<Float>,
        let result = g.pulledBack(code, factor as? FeatureMap<Float>, known)
          as? FeatureMap<Element>
      {
        return result
      }
      let da = factor.map { gradient.multiplied(by: $0) } ?? gradient
      return backward(da, activation: activation, preactivation: preactivation)
    case .mask(let mask):
      let da = factor.map { gradient.multiplied(by: $0) } ?? gradient
      var result = da.resolved
      result.mask = mask.bits
      return result
    case .reader:
      return gradient
    case .linear:
      return factor.map { gradient.multiplied(by: $0) } ?? gradient
    }
  }
}

extension FeatureMap<Float> {
  /// Computes act′·gradient·factor, where `factor` has as many channels, or one in planar maps; nil
  /// otherwise.
  fileprivate func pulledBack(
    _ code: Int32, _ factor: FeatureMap?, _ known: FeatureMap
  ) -> FeatureMap? {
    let serves = factor.map { $0.shape != shape } ?? false
    guard !serves || layout == .planar else { return nil }
    let kernels = InstructionSet.kernels
    let gradient = resolved
    let factor = factor?.resolved
    // The parts lie within one plane, so that its factors are consecutive.
    let planes = serves ? shape.batch * shape.channels : 1
    let size = gradient.scalars.count / planes
    let parts = max(1, size / elementsPerChunk)
    let values = MapMemory<Float>(gradient.scalars.count) { output in
      withExtendedLifetime((gradient, factor, known)) {
        parallel(chunks: planes * parts) { chunk, _ in
          let plane = chunk / parts
          let range = range(ofChunk: chunk % parts, of: parts, count: size)
          let place = plane * size + range.lowerBound
          let shared = serves ? plane / shape.channels * size + range.lowerBound : place
          kernels.pull_back(
            code, gradient.scalars.start + place, factor.map { $0.scalars.start + shared },
            known.scalars.start + place, output + place, range.count)
        }
      }
    }
    return FeatureMap(shape: shape, scalars: values)
  }
}

import CKernels

extension Convolution {
  /// Computes the gradients of a convolution without a bias and of its activation, in one pass over
  /// memory.
  ///
  /// The bits are the same as for one after the other:
  ///
  ///     dz = act′(z) · da · factor,  kernelGradient(input, dz),  inputGradient(dz)
  ///
  /// dz is never written to memory.
  ///
  /// - Parameters:
  ///   - da: The gradient of the activation, or of its product with `factor`.
  ///   - factor: The factor of the activation, if any; a single channel is used for all.
  ///   - activation: The activation after the convolution.
  ///   - record: The record of the activation from the forward pass.
  ///   - input: The input of the convolution.
  ///   - kernel: `[O, C, kH, kW]`.
  ///   - geometry: Stride, zeros and groups.
  ///   - needsInput: Whether the gradient of the input is wanted.
  /// - Returns: The gradients; nil where the engine has no such pass, as for interleaved channels
  ///   and in every geometry but the plain one.
  package static func pulledBack<Element: Scalar>(
    _ da: FeatureMap<Element>, times factor: FeatureMap<Element>?, _ activation: Activation,
    _ record: ActivationRecord<Element>, input: FeatureMap<Element>, kernel: Tensor<Element>,
    geometry: ConvolutionGeometry = .plain, needsInput: Bool
  ) -> (input: FeatureMap<Element>?, kernel: Tensor<Element>)? {
    let known: FeatureMap<Element>?
    switch record {
    case .values(let a, let z): known = activation.needsPreactivation ? z : a
    case .linear: known = nil
    case .mask, .reader: return nil
    }
    guard let engine = EngineConvolution(input, kernel.shape, geometry), engine.isPlanar,
      let g = da as? FeatureMap<Float>, let x = input as? FeatureMap<Float>,
      let w = kernel as? Tensor<Float>
    else { return nil }
    let result = engine.pulledBack(
      g, times: factor as? FeatureMap<Float>, activation, known as? FeatureMap<Float>, x, w,
      needsInput: needsInput)
    guard let gradient = result.kernel as? Tensor<Element> else { return nil }
    return (result.input as? FeatureMap<Element>, gradient)
  }
}

extension EngineConvolution {
  fileprivate func pulledBack(
    _ da: FeatureMap<Float>, times factor: FeatureMap<Float>?, _ activation: Activation,
    _ known: FeatureMap<Float>?, _ input: FeatureMap<Float>, _ kernel: Tensor<Float>,
    needsInput: Bool
  ) -> (input: FeatureMap<Float>?, kernel: Tensor<Float>) {
    let kernels = InstructionSet.kernels
    let shape = kernel.shape
    let turned = needsInput ? MapMemory(kernel.turned().scalars) : nil
    let dx = needsInput ? MapMemory<Float>(input.shape.count) { _ in } : nil
    let found = Flag()
    let sums = groupSums(
      input, da, count: shape.count * 16, groups: rowGroups,
      scratch: kernels.planar_backward_scratch(shape[1], shape[0], shape[2], shape[3], width)
    ) { pass, group, sums, scratch in
      var backward = ck_planar_backward(
        pass: pass.pointee, activation: activation.kernelCode() ?? Int32(ck_linear),
        shares_factors: factor.map { $0.shape.channels != outputs } ?? false ? 1 : 0,
        factors: factor?.scalars.start, known: known?.scalars.start,
        turned_kernel: turned?.start, input_gradient: dx?.start)
      for chunk in range(ofChunk: group, of: rowGroups, count: rowChunks)
      where kernels.planar_backward(&backward, chunk, sums, scratch) != 0 {
        found.raise()
      }
    }
    return withExtendedLifetime((factor, known, turned)) {
      (
        dx.map {
          FeatureMap(shape: input.shape, scalars: $0, foundNonFinite: found.isRaised)
        }, laneSums(sums, shape)
      )
    }
  }
}

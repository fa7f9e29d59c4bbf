import CKernels

extension EngineConvolution {
  /// The number of partial sums of gradients of tiles, as ``groups``; twice as many where they are
  /// small.
  static func gradientGroups(inputs: Int, outputs: Int) -> Int {
    MapLayout.storedChannels(inputs) * MapLayout.storedChannels(outputs) > 1024
      ? groups : 2 * groups
  }

  /// Whether the gradient of the input, for a kernel `[O, C, 3, 3]`, is written beside the input.
  ///
  /// With many channels, the gradient replaces the input in memory if that is not shared. This
  /// takes time, which matters with few channels, where little memory would be saved.
  static func writesBeside(inputs: Int) -> Bool { MapLayout.storedChannels(inputs) <= 16 }

  /// Computes the gradients of input and parameters, with the same bits as one after the other; the
  /// gradient of a rectified input is 0 where the input is 0.
  func backward(
    _ input: FeatureMap<Float>, _ gradient: FeatureMap<Float>, _ kernel: Tensor<Float>,
    hasBias: Bool, adding addend: FeatureMap<Float>?, isRectified: Bool,
    isLastReader: Bool
  ) -> (input: FeatureMap<Float>, kernel: Tensor<Float>, bias: Tensor<Float>?) {
    let shape = kernel.shape
    guard usesWinograd,
      let turned = EngineConvolution(gradient, [shape[1], shape[0], shape[2], shape[3]])
    else { preconditionFailure("Only tiles go back at once.") }
    let input = input.resolved
    let prepared = turned.winogradKernel(kernel, isTurned: true)
    let addend = addend?.resolved
    let takesPlace = isLastReader && !Self.writesBeside(inputs: shape[1])
    let dx = takesPlace ? input.scalars : MapMemory<Float>(input.scalars.count) { _ in }
    var convolution = turned.convolution(
      gradient, prepared, nil, Ending(addend: addend), addend, dx.start, nil)
    convolution.gate = isRectified ? UnsafePointer(input.scalars.start) : nil
    let found = Flag()
    let parameters = withExtendedLifetime((prepared, addend)) {
      tileGradients(input, gradient, shape, hasBias: hasBias, &convolution, found)
    }
    let map = FeatureMap(shape: input.shape, scalars: dx, foundNonFinite: found.isRaised)
    return (map, parameters.kernel, parameters.bias)
  }

  /// Computes the gradients of the parameters, and that of the input if `turned` describes it.
  func tileGradients(
    _ input: FeatureMap<Float>, _ gradient: FeatureMap<Float>, _ shape: Shape, hasBias: Bool,
    _ turned: UnsafePointer<ck_convolution>? = nil, _ found: Flag = Flag()
  ) -> (kernel: Tensor<Float>, bias: Tensor<Float>?) {
    let kernels = InstructionSet.kernels
    // A group consists of one or two parts of the bias gradient, so that its sum is the same
    // everywhere.
    let parts = biasGroups
    let groups =
      parts < 2 * Self.groups
      ? parts : Self.gradientGroups(inputs: shape[1], outputs: shape[0])
    var biasSums = [Double](repeating: 0, count: parts * storedOutputs)
    let sums = biasSums.withUnsafeMutableBufferPointer { biasSums in
      groupSums(
        input, gradient, count: Int(CK_WINOGRAD_POINTS) * storedInputs * storedOutputs,
        groups: groups, scratch: winogradScratch
      ) { pass, group, sums, scratch in
        for part in range(ofChunk: group, of: groups, count: parts) {
          let tiles = tiles(ofUnits: part..<part + 1, of: parts)
          let bias = hasBias ? biasSums.baseAddress.map { $0 + part * storedOutputs } : nil
          if kernels.winograd_backward(
            pass, turned, tiles.lowerBound, tiles.upperBound, sums, bias, scratch) != 0
          {
            found.raise()
          }
        }
      }
    }
    let kernel = kernelGradient(sums, shape)
    return (kernel, hasBias ? biasGradient(sums: biasSums, groups: parts) : nil)
  }
}

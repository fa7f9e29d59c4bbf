import CKernels

/// The memory that convolutions need, known before anything is computed.
package enum ConvolutionMemory {
  /// The largest number of bytes that maps and sums took at once since the program began.
  package static var peak: Int { MemoryPool.peak }

  /// The bytes of a map with so many channels, and so many pixels over all images.
  package static func map<Element: Scalar>(
    channels: Int, pixels: Int, _ type: Element.Type
  ) -> Int {
    let stored =
      MapLayout(channels: channels, type) == .interleaved
      ? MapLayout.storedChannels(channels) : channels
    return MemoryPool.size(of: stored * pixels * MemoryLayout<Element>.stride)
  }

  /// Whether a convolution to so many channels applies ReLU and a sum before it writes to memory.
  package static func takesEnding<Element: Scalar>(channels: Int, _ type: Element.Type) -> Bool {
    MapLayout(channels: channels, type) == .interleaved
  }

  /// Whether the input of a convolution with this kernel, `[O, C, kH, kW]`, is kept until its
  /// gradient is computed.
  package static func keepsInput<Element: Scalar>(
    _ kernel: Shape, geometry: ConvolutionGeometry = .plain, _ type: Element.Type
  ) -> Bool {
    Convolution.goesBackAtOnce(kernelShape: kernel, geometry: geometry, type)
      && EngineConvolution.writesBeside(inputs: kernel[1])
  }

  /// The bytes of the bits that such a ReLU keeps for its derivative.
  package static func mask(channels: Int, pixels: Int) -> Int {
    MemoryPool.size(of: MapLayout.storedChannels(channels) * pixels / 8)
  }

  /// The approximate bytes of the partial sums of a kernel gradient and of a prepared kernel `[O,
  /// C, kH, kW]`.
  package static func kernelGradient<Element: Scalar>(
    _ kernel: Shape, geometry: ConvolutionGeometry = .plain, _ type: Element.Type
  ) -> Int {
    guard geometry.isPlain else {
      // It depends on the size of images little; any that is large enough will do.
      let side = 4 * max(geometry.reach(kernel: kernel[2]), geometry.reach(kernel: kernel[3]))
      let images: Shape = [1, geometry.inputs(ofKernel: kernel), side, side]
      let sums = Correlation(input: images, kernel: kernel, geometry)
      if type == Float.self, let fast = FiveConvolution(sums) { return fast.gradientBytes }
      if type == Float.self, let fast = GroupedConvolution(sums) { return fast.gradientBytes }
      if type == Float.self, let fast = RearrangedConvolution(sums) {
        return kernelGradient(fast.kernelShape, type)
      }
      return (EngineConvolution.groups + 1) * kernel.count * MemoryLayout<Element>.stride
    }
    func isInterleaved(_ channels: Int) -> Bool {
      MapLayout(channels: channels, type) == .interleaved
    }
    func stored(_ channels: Int) -> Int {
      isInterleaved(channels) ? MapLayout.storedChannels(channels) : channels
    }
    let taps = kernel[2] * kernel[3]
    let isTransformed = Convolution.goesBackAtOnce(kernelShape: kernel, type)
    let isPlanar = !isInterleaved(kernel[0]) && !isInterleaved(kernel[1])
    let places = isTransformed ? Int(CK_WINOGRAD_POINTS) : isPlanar ? taps * 16 : taps
    let groups =
      isTransformed
      ? EngineConvolution.gradientGroups(inputs: kernel[1], outputs: kernel[0])
      : EngineConvolution.groups
    // The size counts the sums of all groups, and the kernel prepared for multiplication.
    return (groups + 1) * places * stored(kernel[0]) * stored(kernel[1])
      * MemoryLayout<Element>.stride
  }

  /// The approximate bytes that a pass takes beside its operands and its result, for images of shape
  /// `input` and a kernel of shape `kernel`: copies of maps in another order, unless the geometry is
  /// plain.
  package static func scratch<Element: Scalar>(
    input: Shape, kernel: Shape, geometry: ConvolutionGeometry = .plain, _ type: Element.Type
  ) -> Int {
    guard !geometry.isPlain, let output = geometry.outputShape(of: input, kernel: kernel) else {
      return 0
    }
    let sums = Correlation(input: input, kernel: kernel, geometry)
    if type == Float.self, FiveConvolution(sums) != nil || GroupedConvolution(sums) != nil {
      return 0
    }
    if type == Float.self, let fast = RearrangedConvolution(sums) { return fast.mapBytes }
    return [input, output].filter { MapLayout(channels: $0.channels, type) == .interleaved }
      .reduce(0) { $0 + MemoryPool.size(of: $1.count * MemoryLayout<Element>.stride) }
  }
}

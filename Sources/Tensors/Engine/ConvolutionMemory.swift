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
  package static func keepsInput<Element: Scalar>(_ kernel: Shape, _ type: Element.Type) -> Bool {
    Convolution.goesBackAtOnce(kernelShape: kernel, type)
      && EngineConvolution.writesBeside(inputs: kernel[1])
  }

  /// The bytes of the bits that such a ReLU keeps for its derivative.
  package static func mask(channels: Int, pixels: Int) -> Int {
    MemoryPool.size(of: MapLayout.storedChannels(channels) * pixels / 8)
  }

  /// The approximate bytes of the partial sums of a kernel gradient and of a prepared kernel `[O,
  /// C, kH, kW]`.
  package static func kernelGradient<Element: Scalar>(
    _ kernel: Shape, _ type: Element.Type
  ) -> Int {
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
}

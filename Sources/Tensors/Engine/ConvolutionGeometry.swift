/// The steps, zeros and groups of a convolution, apart from its kernel.
///
/// With reach e = d·(k − 1) + 1 of a kernel of side k, and p zeros on each side of the image:
///
///     z[n,o,y,x] = Σ_{c,u,v} x[n,c, s·y + d·u − p, s·x + d·v − p] · w[o,c,u,v]
///     size of z  = ⌊(H + 2p − e) / s⌋ + 1
///
/// The sum runs over the channels c of o's group. A transposed convolution is the same with the parts
/// of x and z exchanged, so that it grows an image: (H − 1)·s + e − 2p rows.
///
/// Sizes and the order of weights are those of PyTorch's `conv2d`, and of its `conv_transpose2d` with
/// output padding 0.
package struct ConvolutionGeometry: Hashable, Sendable {
  /// The rule for the number of zeros around an image.
  package enum Padding: String, Hashable, Sendable, CaseIterable {
    /// As many as keep the size at stride 1, and divide it at larger strides: see
    /// ``ConvolutionGeometry/zeros(kernel:)``.
    case same
    /// None.
    case none
  }

  /// s, the distance between neighboring sums in the image.
  package var stride: Int
  /// d, the distance between the pixels that neighboring weights meet.
  package var dilation: Int
  /// The number of groups of channels; each output is a sum over the inputs of its own group.
  package var groups: Int
  package var padding: Padding
  /// Whether each pixel of the input is spread over the output, as the gradient of a convolution is.
  package var isTransposed: Bool

  /// The geometry in which the output is as large as the input and every input counts.
  package static let plain = ConvolutionGeometry()

  package init(
    stride: Int = 1, dilation: Int = 1, groups: Int = 1, padding: Padding = .same,
    isTransposed: Bool = false
  ) {
    precondition(
      stride > 0 && dilation > 0 && groups > 0, "Stride, dilation and groups are at least 1.")
    (self.stride, self.dilation, self.groups) = (stride, dilation, groups)
    (self.padding, self.isTransposed) = (padding, isTransposed)
  }

  /// Whether it is ``plain``.
  package var isPlain: Bool { self == .plain }

  // MARK: - Kernels

  /// Returns e = d·(k − 1) + 1, the number of rows that a kernel of side `kernel` spans.
  package func reach(kernel: Int) -> Int { dilation * (kernel - 1) + 1 }

  /// Returns p, the number of zeros on each side of the larger image.
  ///
  /// - Returns: 0 without padding. Else (e − 1)/2 for an odd reach, so that H rows become ⌈H/s⌉; for an
  ///   even one ⌈(e − s)/2⌉, at least 0, so that H rows become H/s where s divides H: 0 for k = s = 2,
  ///   1 for k = 4 and s = 2.
  package func zeros(kernel: Int) -> Int {
    let reach = reach(kernel: kernel)
    switch padding {
    case .none: return 0
    case .same: return reach % 2 == 1 ? reach / 2 : max(0, (reach - stride + 1) / 2)
    }
  }

  /// Returns whether a kernel of side `kernel` can have this geometry: to keep the size at stride 1
  /// takes an odd reach.
  package func allows(kernel: Int) -> Bool {
    kernel > 0 && (padding == .none || stride > 1 || reach(kernel: kernel) % 2 == 1)
  }

  /// Returns the shape of a kernel of side `kernel`: `[O, I/groups, k, k]`, or, as PyTorch keeps it,
  /// `[I, O/groups, k, k]` for a transposed convolution; nil if the groups do not divide the channels.
  package func kernelShape(inputs: Int, outputs: Int, kernel: Int) -> Shape? {
    guard inputs % groups == 0, outputs % groups == 0 else { return nil }
    return isTransposed
      ? [inputs, outputs / groups, kernel, kernel] : [outputs, inputs / groups, kernel, kernel]
  }

  /// Returns the number of channels that a convolution with a kernel of this shape reads.
  package func inputs(ofKernel shape: Shape) -> Int {
    isTransposed ? shape[0] : shape[1] * groups
  }

  /// Returns the number of channels that a convolution with a kernel of this shape writes.
  package func outputs(ofKernel shape: Shape) -> Int {
    isTransposed ? shape[1] * groups : shape[0]
  }

  // MARK: - Sizes

  /// Returns the number of rows, or columns, that `extent` of them become; nil if the image is too
  /// small.
  package func outputExtent(of extent: Int, kernel: Int) -> Int? {
    let rest = reach(kernel: kernel) - 2 * zeros(kernel: kernel)
    if isTransposed { return (extent - 1) * stride + rest }
    return extent < rest ? nil : (extent - rest) / stride + 1
  }

  /// Returns the numbers of rows, or columns, that become `extent` of them; nil if none do.
  package func inputExtents(for extent: Int, kernel: Int) -> ClosedRange<Int>? {
    let rest = reach(kernel: kernel) - 2 * zeros(kernel: kernel)
    if isTransposed {
      let (steps, odd) = (extent - rest).quotientAndRemainder(dividingBy: stride)
      return extent >= rest && odd == 0 ? steps + 1...steps + 1 : nil
    }
    let first = (extent - 1) * stride + rest
    let sizes = max(1, first)...first + stride - 1
    return extent > 0 ? sizes : nil
  }

  /// Returns the shape of the output for images `[N, I, H, W]`; nil if they are too small.
  package func outputShape(of images: Shape, kernel: Shape) -> Shape? {
    guard let height = outputExtent(of: images.height, kernel: kernel[2]),
      let width = outputExtent(of: images.width, kernel: kernel[3])
    else { return nil }
    return [images.batch, outputs(ofKernel: kernel), height, width]
  }
}

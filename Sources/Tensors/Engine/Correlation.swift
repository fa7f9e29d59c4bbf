/// The sizes of the sums in a convolution of any geometry, whose passes all relate a large image to a
/// small one.
///
///     small[n,o,y,x] = Σ_{c,u,v} large[n,c, s·y + d·u − p, s·x + d·v − q] · kernel[o,c,u,v]
///
/// A convolution computes the small image, and its input gradient is the adjoint: the large one from
/// the small one. A transposed convolution does it the other way round. Both take the gradient of the
/// kernel from a large and a small image.
struct Correlation {
  let images: Int, groups: Int
  let stride: Int, dilation: Int
  let large: ImageSize, small: ImageSize
  let kernelHeight: Int, kernelWidth: Int
  /// p and q, the numbers of zeros above the large image and left of it.
  let top: Int, left: Int

  /// The channels, rows and columns of an image.
  struct ImageSize {
    let channels: Int, height: Int, width: Int
    /// The number of values in a channel.
    var pixels: Int { height * width }

    init(_ shape: Shape) {
      (channels, height, width) = (shape.channels, shape.height, shape.width)
    }
  }

  /// The sums of a convolution of images of shape `input` with a kernel of shape `kernel`.
  init(input: Shape, kernel: Shape, _ geometry: ConvolutionGeometry) {
    precondition(
      kernel.rank == 4 && geometry.inputs(ofKernel: kernel) == input.channels,
      "conv2d: the kernel \(kernel) reads other channels than the input \(input) has.")
    precondition(
      geometry.allows(kernel: kernel[2]) && geometry.allows(kernel: kernel[3]),
      "conv2d: \(kernel) has an even extent.")
    precondition(kernel[0] % geometry.groups == 0, "conv2d: groups divide the channels.")
    guard let output = geometry.outputShape(of: input, kernel: kernel) else {
      preconditionFailure("conv2d: the input \(input) is too small for the kernel \(kernel).")
    }
    (images, groups) = (input.batch, geometry.groups)
    (stride, dilation) = (geometry.stride, geometry.dilation)
    let sizes = (ImageSize(input), ImageSize(output))
    (large, small) = geometry.isTransposed ? (sizes.1, sizes.0) : sizes
    (kernelHeight, kernelWidth) = (kernel[2], kernel[3])
    (top, left) = (geometry.zeros(kernel: kernel[2]), geometry.zeros(kernel: kernel[3]))
  }

  private init(_ other: Correlation, large: ImageSize, small: ImageSize, top: Int, left: Int) {
    (images, groups) = (other.images, other.groups)
    (stride, dilation) = (other.stride, other.dilation)
    (kernelHeight, kernelWidth) = (other.kernelHeight, other.kernelWidth)
    (self.large, self.small, self.top, self.left) = (large, small, top, left)
  }

  /// The adjoint as a correlation with the turned kernel, at stride 1.
  ///
  ///     large[n,c,y,x] = Σ_{o,u,v} small[n,o, y − d·u + p, x − d·v + q] · kernel[o,c,u,v]
  var turned: Correlation {
    precondition(stride == 1, "Only at stride 1 is the adjoint a correlation.")
    return Correlation(
      self, large: small, small: large, top: dilation * (kernelHeight - 1) - top,
      left: dilation * (kernelWidth - 1) - left)
  }

  /// The numbers of channels of one group.
  var inputs: Int { large.channels / groups }
  var outputs: Int { small.channels / groups }
  /// C·kH·kW, the length of the sum that makes one value.
  var taps: Int { inputs * kernelHeight * kernelWidth }
}

extension Tensor {
  /// The kernel of the adjoint: turned by 180°, with the channel axes of each group exchanged, `[O, C,
  /// kH, kW]` to `[G·C, O/G, kH, kW]`.
  func turned(groups: Int = 1) -> Tensor {
    let (outputs, inputs) = (shape[0] / groups, shape[1])
    let area = shape[2] * shape[3]
    var result: [Element] = []
    result.reserveCapacity(shape.count)
    for group in 0..<groups {
      for c in 0..<inputs {
        for o in group * outputs..<(group + 1) * outputs {
          let start = (o * inputs + c) * area
          result += scalars[start..<start + area].reversed()
        }
      }
    }
    return Tensor(shape: [groups * inputs, outputs, shape[2], shape[3]], scalars: result)
  }
}

/// Two-dimensional convolution, its input gradient and its kernel gradient: the engine's interface.
///
/// "Convolution" means correlation, as in every deep-learning library: the kernel is not turned.
/// Stride, zeros and the like are a ``ConvolutionGeometry``; in the plain one, for which the equations
/// are written here, stride is 1, kernels are odd, and zeros keep height and width.
///
/// Where no fast kernel serves, as in Double, the reference engine computes. It cuts every image into
/// strips of pixels, unfolds a strip into a column matrix `[C·kH·kW, pixels]` that fits the cache, and
/// multiplies it with the kernel through BLAS (Chellapilla, Puri and Simard, "High performance
/// convolutional neural networks for document processing", 2006). No column matrix of a whole image
/// exists at any time.
package enum Convolution {
  /// Correlates each image with each kernel.
  ///
  ///     output[n,o,y,x] = bias[o] + Σ_{c,u,v} input[n,c,y+u−p,x+v−q] · kernel[o,c,u,v]
  ///
  /// - Parameters:
  ///   - input: Images, `[N, C, H, W]`.
  ///   - kernel: Kernels, `[O, C, kH, kW]`.
  ///   - bias: One number for each output, `[O]`.
  ///   - geometry: Stride, zeros and groups.
  /// - Returns: Maps, `[N, O, H, W]`, of the size that the geometry gives.
  @specialized(where Element == Float)
  @specialized(where Element == Double)
  package static func forward<Element: Scalar>(
    _ input: FeatureMap<Element>, kernel: Tensor<Element>, bias: Tensor<Element>? = nil,
    geometry: ConvolutionGeometry = .plain
  ) -> FeatureMap<Element> {
    precondition(
      bias.map { $0.shape.count == geometry.outputs(ofKernel: kernel.shape) } ?? true,
      "A bias has one number an output.")
    if let engine = EngineConvolution(input, kernel.shape, geometry),
      let x = input as? FeatureMap<Float>, let w = kernel as? Tensor<Float>,
      let z = engine.forward(x, w, bias as? Tensor<Float>).output as? FeatureMap<Element>
    {
      return z
    }
    let sums = Correlation(input: input.shape, kernel: kernel.shape, geometry)
    return geometry.isTransposed
      ? largeImage(sums, input, kernel, bias) : smallImage(sums, input, kernel, bias)
  }

  /// Computes the gradient of ``forward(_:kernel:bias:geometry:)`` with respect to its input.
  ///
  ///     inputGradient[n,c,y,x] = Σ_{o,u,v} outputGradient[n,o,y−u+p,x−v+q] · kernel[o,c,u,v]
  ///
  /// This is a correlation with the kernel turned by 180° and its channel axes exchanged.
  ///
  /// - Parameters:
  ///   - outputGradient: The gradient of the output, `[N, O, H, W]`.
  ///   - kernel: Kernels, `[O, C, kH, kW]`.
  ///   - geometry: Stride, zeros and groups.
  ///   - inputShape: The shape of the input; needed in every geometry but the plain one.
  ///   - addend: Added to the gradient.
  /// - Returns: The gradient of the input, `[N, C, H, W]`.
  package static func inputGradient<Element: Scalar>(
    _ outputGradient: FeatureMap<Element>, kernel: Tensor<Element>,
    geometry: ConvolutionGeometry = .plain, inputShape: Shape? = nil,
    adding addend: FeatureMap<Element>? = nil
  ) -> FeatureMap<Element> {
    if geometry.isPlain { return plainInputGradient(outputGradient, kernel, adding: addend) }
    guard let inputShape else {
      preconditionFailure("Only in the plain geometry is the input as large as the output.")
    }
    let sums = Correlation(input: inputShape, kernel: kernel.shape, geometry)
    sums.requireOutput(outputGradient.shape, geometry)
    let gradient =
      geometry.isTransposed
      ? smallImage(sums, outputGradient, kernel, nil)
      : largeImage(sums, outputGradient, kernel, nil)
    return addend.map { gradient.adding($0) } ?? gradient
  }

  private static func plainInputGradient<Element: Scalar>(
    _ outputGradient: FeatureMap<Element>, _ kernel: Tensor<Element>,
    adding addend: FeatureMap<Element>?
  ) -> FeatureMap<Element> {
    let turnedShape: Shape = [kernel.shape[1], kernel.shape[0], kernel.shape[2], kernel.shape[3]]
    if let engine = EngineConvolution(outputGradient, turnedShape),
      engine.takesEnding || addend == nil, let g = outputGradient as? FeatureMap<Float>,
      let w = kernel as? Tensor<Float>,
      let result = engine.forward(
        g, w, nil, isTurned: true, .init(addend: addend as? FeatureMap<Float>)
      ).output as? FeatureMap<Element>
    {
      return result
    }
    let gradient = forward(outputGradient, kernel: kernel.turned())
    return addend.map { gradient.adding($0) } ?? gradient
  }

  /// Computes the gradient of ``forward(_:kernel:bias:geometry:)`` with respect to its kernel.
  ///
  ///     kernelGradient[o,c,u,v] = Σ_{n,y,x} outputGradient[n,o,y,x] · input[n,c,y+u−p,x+v−q]
  ///
  /// - Parameters:
  ///   - input: Images, `[N, C, H, W]`.
  ///   - outputGradient: The gradient of the output, `[N, O, H, W]`.
  ///   - kernelShape: `[O, C, kH, kW]`.
  ///   - geometry: Stride, zeros and groups.
  /// - Returns: The gradient of the kernel, `[O, C, kH, kW]`.
  @specialized(where Element == Float)
  @specialized(where Element == Double)
  package static func kernelGradient<Element: Scalar>(
    _ input: FeatureMap<Element>, _ outputGradient: FeatureMap<Element>, kernelShape: Shape,
    geometry: ConvolutionGeometry = .plain
  ) -> Tensor<Element> {
    let sums = Correlation(input: input.shape, kernel: kernelShape, geometry)
    sums.requireOutput(outputGradient.shape, geometry)
    if let engine = EngineConvolution(input, kernelShape, geometry),
      let x = input.resolved as? FeatureMap<Float>, let g = outputGradient as? FeatureMap<Float>,
      let result = engine.parameterGradients(x, g, kernelShape, hasBias: false).kernel
        as? Tensor<Element>
    {
      return result
    }
    let (large, small) =
      geometry.isTransposed ? (outputGradient, input) : (input, outputGradient)
    if let x = large as? FeatureMap<Float>, let g = small as? FeatureMap<Float>,
      let result =
        (FiveConvolution(sums)?.kernelGradient(large: x, small: g, shape: kernelShape)
        ?? GroupedConvolution(sums)?.backward(large: x, small: g, nil, shape: kernelShape).kernel
        ?? RearrangedConvolution(sums)?.kernelGradient(large: x, small: g, shape: kernelShape))
        as? Tensor<Element>
    {
      return result
    }
    return sums.kernelGradient(large: large.planes(), small: small.planes(), shape: kernelShape)
  }

  /// Computes the gradients of input and kernel together, each with the bits that it has alone, where they
  /// share work; nil where they do not.
  ///
  /// - Parameters:
  ///   - outputGradient: The gradient of the output, `[N, O, H, W]`.
  ///   - input: Images, `[N, C, H, W]`.
  ///   - kernel: Kernels, `[O, C, kH, kW]`.
  ///   - geometry: Stride, zeros and groups.
  /// - Returns: The gradients.
  package static func gradients<Element: Scalar>(
    _ outputGradient: FeatureMap<Element>, _ input: FeatureMap<Element>, kernel: Tensor<Element>,
    geometry: ConvolutionGeometry
  ) -> (input: FeatureMap<Element>, kernel: Tensor<Element>)? {
    guard !geometry.isPlain, let x = input as? FeatureMap<Float>,
      let g = outputGradient as? FeatureMap<Float>, let w = kernel as? Tensor<Float>
    else { return nil }
    let sums = Correlation(input: input.shape, kernel: kernel.shape, geometry)
    guard FiveConvolution(sums) == nil else { return nil }
    let found: (input: FeatureMap<Float>?, kernel: Tensor<Float>)
    if let grouped = GroupedConvolution(sums) {
      guard !geometry.isTransposed else { return nil }
      let both = grouped.backward(large: x, small: g, w, shape: kernel.shape)
      found = (both.large, both.kernel)
    } else {
      guard let rearranged = RearrangedConvolution(sums) else { return nil }
      found = rearranged.gradients(g, x, w, isTransposed: geometry.isTransposed)
    }
    guard let dx = found.input as? FeatureMap<Element>, let dw = found.kernel as? Tensor<Element>
    else { return nil }
    return (dx, dw)
  }

  /// Computes the gradient of the bias: the output gradient summed over images and pixels, in
  /// Double.
  ///
  ///     biasGradient[o] = Σ_{n,y,x} outputGradient[n,o,y,x]
  ///
  /// - Parameter outputGradient: The gradient of the output, `[N, O, H, W]`.
  /// - Returns: `[O]`.
  @specialized(where Element == Float)
  @specialized(where Element == Double)
  package static func biasGradient<Element: Scalar>(
    _ outputGradient: FeatureMap<Element>
  ) -> Tensor<Element> {
    let (images, channels) = (outputGradient.shape.batch, outputGradient.shape.channels)
    let pixels = outputGradient.shape.planeCount
    if outputGradient.layout == .interleaved, let g = outputGradient as? FeatureMap<Float>,
      let result = EngineConvolution(g, [channels, channels, 3, 3])?.biasGradient(g)
        as? Tensor<Element>
    {
      return result
    }
    var sums = [Double](repeating: 0, count: images * channels)
    sums.withUnsafeMutableBufferPointer { sums in
      outputGradient.scalars.withUnsafeBufferPointer { gradient in
        parallel(chunks: images * channels) { plane, _ in
          // Eight running sums avoid that additions wait for each other.
          var lanes = SIMD8<Double>.zero
          var i = plane * pixels
          let end = i + pixels
          while i + 8 <= end {
            for lane in 0..<8 { lanes[lane] += Double(gradient[i + lane]) }
            i += 8
          }
          var sum = lanes.sum()
          while i < end {
            sum += Double(gradient[i])
            i += 1
          }
          sums[plane] = sum
        }
      }
    }
    return Tensor(
      shape: [channels],
      scalars: (0..<channels).map { o in
        Element((0..<images).reduce(0) { $0 + sums[$1 * channels + o] })
      })
  }
}

// MARK: - Images of other geometries

extension Convolution {
  @inline(__always)
  private static func smallImage<Element: Scalar>(
    _ sums: Correlation, _ large: FeatureMap<Element>, _ kernel: Tensor<Element>,
    _ bias: Tensor<Element>?
  ) -> FeatureMap<Element> {
    if let x = large as? FeatureMap<Float>, let w = kernel as? Tensor<Float>,
      let result =
        (FiveConvolution(sums)?.smallImage(from: x, w, bias as? Tensor<Float>)
        ?? GroupedConvolution(sums)?.smallImage(from: x, w, bias as? Tensor<Float>)
        ?? RearrangedConvolution(sums)?.smallImage(from: x, w, bias as? Tensor<Float>))
        as? FeatureMap<Element>
    {
      return result
    }
    return FeatureMap(sums.smallShape, planes: sums.smallImage(from: large.planes(), kernel, bias))
  }

  @inline(__always)
  private static func largeImage<Element: Scalar>(
    _ sums: Correlation, _ small: FeatureMap<Element>, _ kernel: Tensor<Element>,
    _ bias: Tensor<Element>?
  ) -> FeatureMap<Element> {
    if let x = small as? FeatureMap<Float>, let w = kernel as? Tensor<Float>,
      let result =
        (FiveConvolution(sums)?.largeImage(from: x, w, bias as? Tensor<Float>)
        ?? GroupedConvolution(sums)?.largeImage(from: x, w, bias as? Tensor<Float>)
        ?? RearrangedConvolution(sums)?.largeImage(from: x, w, bias as? Tensor<Float>))
        as? FeatureMap<Element>
    {
      return result
    }
    return FeatureMap(sums.largeShape, planes: sums.largeImage(from: small.planes(), kernel, bias))
  }
}

extension Correlation {
  fileprivate var largeShape: Shape { [images, large.channels, large.height, large.width] }
  fileprivate var smallShape: Shape { [images, small.channels, small.height, small.width] }

  fileprivate func requireOutput(_ shape: Shape, _ geometry: ConvolutionGeometry) {
    precondition(
      shape == (geometry.isTransposed ? largeShape : smallShape),
      "The output gradient \(shape) fits the output.")
  }
}

extension FeatureMap {
  fileprivate init(_ shape: Shape, planes image: Correlation.Image<Element>) {
    self.init(shape: shape, planes: image.values, foundNonFinite: image.foundNonFinite)
  }
}

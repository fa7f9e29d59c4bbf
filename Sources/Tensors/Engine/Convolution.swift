/// Two-dimensional convolution, its input gradient and its kernel gradient: the engine's interface.
///
/// "Convolution" means correlation, as in every deep-learning library: the kernel is not turned.
/// Stride 1, zero padding that keeps height and width, odd kernels.
///
/// This is the reference engine. It cuts every image into strips of pixels, unfolds a strip into
/// a column matrix `[C·kH·kW, pixels]` that fits the cache, and multiplies it with the kernel
/// through BLAS (Chellapilla, Puri and Simard, "High performance convolutional neural networks
/// for document processing", 2006). No column matrix of a whole image exists at any time.
package enum Convolution {
  /// The odd extents a kernel may have.
  package static let kernelExtents = stride(from: 1, through: 13, by: 2)

  /// Correlates each image with each kernel.
  ///
  ///     output[n,o,y,x] = bias[o] + Σ_{c,u,v} input[n,c,y+u−p,x+v−q] · kernel[o,c,u,v]
  ///
  /// - Parameters:
  ///   - input: Images, `[N, C, H, W]`.
  ///   - kernel: Kernels, `[O, C, kH, kW]`.
  ///   - bias: One number for each kernel, `[O]`.
  /// - Returns: Maps, `[N, O, H, W]`.
  @specialized(where Element == Float)
  @specialized(where Element == Double)
  package static func forward<Element: Scalar>(
    _ input: FeatureMap<Element>, kernel: Tensor<Element>, bias: Tensor<Element>? = nil
  ) -> FeatureMap<Element> {
    let geometry = Geometry(input: input.shape, kernel: kernel.shape)
    precondition(
      bias.map { $0.shape.count == geometry.outputs } ?? true, "A bias has one number a kernel.")
    if let engine = EngineConvolution(input, kernel.shape),
      let x = input as? FeatureMap<Float>, let w = kernel as? Tensor<Float>,
      let z = engine.forward(x, w, bias as? Tensor<Float>).output as? FeatureMap<Element>
    {
      return z
    }
    let foundNonFinite = Flag()
    let scalars = MapMemory<Element>(geometry.images * geometry.outputs * geometry.pixels) {
      output in
      input.scalars.withUnsafeBufferPointer { images in
        kernel.scalars.withUnsafeBufferPointer { weights in
          guard let images = images.baseAddress, let weights = weights.baseAddress else { return }
          geometry.withColumnScratch { (scratch: Scratch<Element>) in
            parallel(chunks: geometry.strips) { strip, worker in
              let (image, pixels) = geometry.strip(strip)
              let source = images + image * geometry.inputs * geometry.pixels
              let target = output + image * geometry.outputs * geometry.pixels + pixels.lowerBound
              let columns = geometry.unfold(source, pixels, into: scratch[worker])
              MatrixProduct(
                rows: geometry.outputs, columns: pixels.count, inner: geometry.taps,
                a: weights, aStride: geometry.taps, b: columns.start, bStride: columns.stride,
                c: target, cStride: geometry.pixels
              ).compute()
              for o in 0..<geometry.outputs {
                let row = target + o * geometry.pixels
                if let bias {
                  let shift = bias.scalars[o]
                  for i in 0..<pixels.count { row[i] += shift }
                }
                if !allFinite(row, pixels.count) { foundNonFinite.raise() }
              }
            }
          }
        }
      }
    }
    return FeatureMap(
      shape: [geometry.images, geometry.outputs, input.shape.height, input.shape.width],
      scalars: scalars, foundNonFinite: foundNonFinite.isRaised)
  }

  /// Computes the gradient of ``forward(_:kernel:bias:)`` with respect to its input.
  ///
  ///     inputGradient[n,c,y,x] = Σ_{o,u,v} outputGradient[n,o,y−u+p,x−v+q] · kernel[o,c,u,v]
  ///
  /// This is a correlation with the kernel turned by 180° and its channel axes exchanged.
  ///
  /// - Parameters:
  ///   - outputGradient: The gradient of the output, `[N, O, H, W]`.
  ///   - kernel: Kernels, `[O, C, kH, kW]`.
  /// - Returns: The gradient of the input, `[N, C, H, W]`.
  package static func inputGradient<Element: Scalar>(
    _ outputGradient: FeatureMap<Element>, kernel: Tensor<Element>
  ) -> FeatureMap<Element> {
    inputGradient(outputGradient, kernel: kernel, adding: nil)
  }

  /// Computes the gradient of ``forward(_:kernel:bias:)`` with respect to its kernel.
  ///
  ///     kernelGradient[o,c,u,v] = Σ_{n,y,x} outputGradient[n,o,y,x] · input[n,c,y+u−p,x+v−q]
  ///
  /// The sum runs in a fixed number of groups of strips that are added in order, so that it does
  /// not depend on the number of threads.
  ///
  /// - Parameters:
  ///   - input: Images, `[N, C, H, W]`.
  ///   - outputGradient: The gradient of the output, `[N, O, H, W]`.
  ///   - kernelShape: `[O, C, kH, kW]`.
  /// - Returns: The gradient of the kernel, `[O, C, kH, kW]`.
  @specialized(where Element == Float)
  @specialized(where Element == Double)
  package static func kernelGradient<Element: Scalar>(
    _ input: FeatureMap<Element>, _ outputGradient: FeatureMap<Element>, kernelShape: Shape
  ) -> Tensor<Element> {
    let geometry = Geometry(input: input.shape, kernel: kernelShape)
    precondition(
      outputGradient.shape.channels == geometry.outputs
        && outputGradient.shape.planeCount == geometry.pixels,
      "The output gradient \(outputGradient.shape) fits the input \(input.shape).")
    if let engine = EngineConvolution(input, kernelShape),
      let x = input.resolved as? FeatureMap<Float>, let g = outputGradient as? FeatureMap<Float>,
      let result = engine.parameterGradients(x, g, kernelShape, hasBias: false).kernel
        as? Tensor<Element>
    {
      return result
    }
    let groups = min(8, geometry.strips)
    var partials = [Element](repeating: 0, count: groups * kernelShape.count)
    partials.withUnsafeMutableBufferPointer { partials in
      input.scalars.withUnsafeBufferPointer { images in
        outputGradient.scalars.withUnsafeBufferPointer { gradients in
          guard let partials = partials.baseAddress, let images = images.baseAddress,
            let gradients = gradients.baseAddress
          else { return }
          geometry.withColumnScratch { (scratch: Scratch<Element>) in
            parallel(chunks: groups) { group, worker in
              for strip in range(ofChunk: group, of: groups, count: geometry.strips) {
                let (image, pixels) = geometry.strip(strip)
                let source = images + image * geometry.inputs * geometry.pixels
                let gradient =
                  gradients + image * geometry.outputs * geometry.pixels + pixels.lowerBound
                let columns = geometry.unfold(source, pixels, into: scratch[worker])
                MatrixProduct(
                  rows: geometry.outputs, columns: geometry.taps, inner: pixels.count,
                  a: gradient, aStride: geometry.pixels,
                  b: columns.start, bStride: columns.stride, bTransposed: true,
                  c: partials + group * kernelShape.count, cStride: geometry.taps,
                  accumulates: true
                ).compute()
              }
            }
          }
        }
      }
    }
    var sum = Array(partials[0..<kernelShape.count])
    for group in 1..<max(1, groups) {
      for i in 0..<kernelShape.count { sum[i] += partials[group * kernelShape.count + i] }
    }
    return Tensor(shape: kernelShape, scalars: sum)
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

  /// Whether none of `count` values is a NaN or an infinity: x − x is 0 only for finite x.
  private static func allFinite<Element: Scalar>(
    _ values: UnsafePointer<Element>, _ count: Int
  ) -> Bool {
    var (a, b, c, d): (Element, Element, Element, Element) = (0, 0, 0, 0)
    var i = 0
    while i + 4 <= count {
      a += values[i] - values[i]
      b += values[i + 1] - values[i + 1]
      c += values[i + 2] - values[i + 2]
      d += values[i + 3] - values[i + 3]
      i += 4
    }
    while i < count {
      a += values[i] - values[i]
      i += 1
    }
    return a + b + c + d == 0
  }
}

extension Tensor {
  /// The kernel turned by 180° with its channel axes exchanged: `[O, C, kH, kW]` to `[C, O, kH, kW]`.
  var turned: Tensor {
    let (outputs, inputs) = (shape[0], shape[1])
    let area = shape[2] * shape[3]
    var result: [Element] = []
    result.reserveCapacity(shape.count)
    for c in 0..<inputs {
      for o in 0..<outputs {
        let start = (o * inputs + c) * area
        result += scalars[start..<start + area].reversed()
      }
    }
    return Tensor(shape: [inputs, outputs, shape[2], shape[3]], scalars: result)
  }
}

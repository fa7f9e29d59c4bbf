import CKernels

/// The passes of one convolution on the fast kernels: Float maps of which one at least is
/// interleaved.
///
/// | input       | output      | kernel | passes                                       |
/// |-------------|-------------|--------|----------------------------------------------|
/// | interleaved | interleaved | 3×3    | Winograd F(4×4, 3×3)                         |
/// | any         | interleaved | other  | direct, vectors over output channels         |
/// | interleaved | planar      | any    | direct, vectors over input channels          |
///
/// Chunks and groups are cut by the shapes alone, so results do not depend on the threads.
struct EngineConvolution {
  private let images: Int, height: Int, width: Int
  /// Channels read and written, and how many of each are stored.
  private let inputs: Int, outputs: Int, storedInputs: Int, storedOutputs: Int
  private let kernelHeight: Int, kernelWidth: Int
  private let readsPlanar: Bool, writesPlanar: Bool

  /// None if the reference engine is to compute it.
  init?<Element: Scalar>(_ input: FeatureMap<Element>, _ kernel: Shape) {
    guard Element.self == Float.self, input.shape.count > 0 else { return nil }
    (images, height, width) = (input.shape.batch, input.shape.height, input.shape.width)
    (inputs, outputs) = (kernel[1], kernel[0])
    (kernelHeight, kernelWidth) = (kernel[2], kernel[3])
    readsPlanar = input.layout == .planar
    writesPlanar = MapLayout(channels: outputs, Element.self) == .planar
    storedInputs = readsPlanar ? inputs : MapLayout.storedChannels(inputs)
    storedOutputs = writesPlanar ? outputs : MapLayout.storedChannels(outputs)
    if readsPlanar && writesPlanar { return nil }
  }

  private var usesWinograd: Bool {
    !readsPlanar && !writesPlanar && kernelHeight == 3 && kernelWidth == 3
  }

  /// Partial sums of gradients, added up in order; more would cost memory, fewer would idle threads.
  private static let groups = 8

  private var tileChunks: Int {
    let tiles = images * ((height + 3) / 4) * ((width + 3) / 4)
    return (tiles + Int(CK_TILES_PER_CHUNK) - 1) / Int(CK_TILES_PER_CHUNK)
  }
  private var rowChunks: Int {
    images * ((height + Int(CK_ROWS_PER_CHUNK) - 1) / Int(CK_ROWS_PER_CHUNK))
  }

  // MARK: - Forward

  func forward<Element: Scalar>(
    _ input: FeatureMap<Element>, _ kernel: Tensor<Element>, _ bias: Tensor<Element>?
  ) -> FeatureMap<Element>? {
    guard let input = input as? FeatureMap<Float>, let kernel = kernel as? Tensor<Float> else {
      return nil
    }
    return forward(input, kernel, bias as? Tensor<Float>) as? FeatureMap<Element>
  }

  private func forward(
    _ input: FeatureMap<Float>, _ kernel: Tensor<Float>, _ bias: Tensor<Float>?
  ) -> FeatureMap<Float> {
    let kernels = InstructionSet.kernels
    let prepared = usesWinograd ? winogradKernel(kernel) : directKernel(kernel)
    let paddedBias = bias.map { $0.scalars + [Float](repeating: 0, count: storedOutputs - outputs) }
    let found = Flag()
    let scalars = uninitializedScalars(images * height * width * storedOutputs) {
      (output: UnsafeMutablePointer<Float>) in
      withPointers(input.scalars, prepared, paddedBias ?? []) { input, prepared, bias in
        var convolution = ck_convolution(
          images: images, height: height, width: width,
          inputs: storedInputs, outputs: storedOutputs,
          kernel_height: kernelHeight, kernel_width: kernelWidth,
          planar_input: readsPlanar ? 1 : 0, activation: Int32(ck_linear),
          input: input, input_mask: nil, kernel: prepared,
          bias: paddedBias == nil ? nil : bias, addend: nil, output: output, output_mask: nil)
        withUnsafePointer(to: &convolution) { convolution in
          if usesWinograd {
            withScratch(kernels.winograd_scratch(storedInputs, storedOutputs), tileChunks) {
              if kernels.winograd_forward(convolution, $0, $1) != 0 { found.raise() }
            }
          } else if writesPlanar {
            parallel(chunks: rowChunks) { chunk, _ in
              if kernels.reducing_forward(convolution, chunk) != 0 { found.raise() }
            }
          } else {
            let scratch = kernels.direct_scratch(
              storedInputs, storedOutputs, kernelHeight, kernelWidth, width)
            withScratch(scratch, rowChunks) {
              if kernels.direct_forward(convolution, $0, $1) != 0 { found.raise() }
            }
          }
        }
      }
    }
    return FeatureMap(
      shape: [images, outputs, height, width], scalars: scalars, foundNonFinite: found.isRaised)
  }

  /// `[36][C′][O′]`.
  private func winogradKernel(_ kernel: Tensor<Float>) -> [Float] {
    let kernels = InstructionSet.kernels
    return uninitializedScalars(Int(CK_WINOGRAD_POINTS) * storedInputs * storedOutputs) { target in
      kernel.scalars.withUnsafeBufferPointer { weights in
        guard let weights = weights.baseAddress else { return }
        let chunks = max(1, storedInputs * storedOutputs / 1024)
        parallel(chunks: chunks) { chunk, _ in
          let range = range(ofChunk: chunk, of: chunks, count: storedInputs)
          kernels.winograd_kernel(
            weights, outputs, inputs, 0, target, storedInputs, storedOutputs, range.lowerBound,
            range.upperBound)
        }
      }
    }
  }

  /// `[kH][kW][C′][O′]`, or `[O][kH][kW][C′]` where outputs are planar.
  private func directKernel(_ kernel: Tensor<Float>) -> [Float] {
    let area = kernelHeight * kernelWidth
    var result = [Float](repeating: 0, count: area * storedInputs * storedOutputs)
    for o in 0..<outputs {
      for c in 0..<inputs {
        for tap in 0..<area {
          let place =
            writesPlanar
            ? (o * area + tap) * storedInputs + c
            : (tap * storedInputs + c) * storedOutputs + o
          result[place] = kernel.scalars[(o * inputs + c) * area + tap]
        }
      }
    }
    return result
  }

  // MARK: - Kernel gradient

  func kernelGradient<Element: Scalar>(
    _ input: FeatureMap<Element>, _ gradient: FeatureMap<Element>, _ shape: Shape
  ) -> Tensor<Element>? {
    guard let input = input as? FeatureMap<Float>, let gradient = gradient as? FeatureMap<Float>
    else { return nil }
    let result =
      usesWinograd
      ? winogradGradient(input, gradient, shape)
      : writesPlanar
        ? exchangedGradient(input, gradient, shape) : directGradient(input, gradient, shape)
    return result as? Tensor<Element>
  }

  private func winogradGradient(
    _ input: FeatureMap<Float>, _ gradient: FeatureMap<Float>, _ shape: Shape
  ) -> Tensor<Float> {
    let kernels = InstructionSet.kernels
    let sums = groupSums(
      input, gradient, count: Int(CK_WINOGRAD_POINTS) * storedInputs * storedOutputs,
      chunks: tileChunks, scratch: kernels.winograd_scratch(storedInputs, storedOutputs)
    ) { kernels.winograd_gradient($0, $1, $2, nil, $3) }
    return Tensor(shape: shape) { weights in
      sums.withUnsafeBufferPointer { sums in
        guard let sums = sums.baseAddress, let weights = weights.baseAddress else { return }
        let chunks = max(1, storedOutputs / 8)
        parallel(chunks: chunks) { chunk, _ in
          kernels.winograd_kernel_gradient(
            sums, storedInputs, storedOutputs, weights, outputs, inputs, chunk * 8,
            min(outputs, chunk * 8 + 8))
        }
      }
    }
  }

  private func directGradient(
    _ input: FeatureMap<Float>, _ gradient: FeatureMap<Float>, _ shape: Shape
  ) -> Tensor<Float> {
    let kernels = InstructionSet.kernels
    let area = kernelHeight * kernelWidth
    let sums = groupSums(
      input, gradient, count: area * storedInputs * storedOutputs, chunks: rowChunks,
      scratch: kernels.direct_scratch(
        storedInputs, storedOutputs, kernelHeight, kernelWidth, width)
    ) { kernels.direct_gradient($0, $1, $2, $3) }
    var result = Tensor<Float>(shape: shape, repeating: 0)
    for o in 0..<outputs {
      for c in 0..<inputs {
        for tap in 0..<area {
          result.scalars[(o * inputs + c) * area + tap] =
            sums[(tap * storedInputs + c) * storedOutputs + o]
        }
      }
    }
    return result
  }

  /// The kernel gradient where outputs are planar: input and gradient change places, and the
  /// kernel is turned.
  ///
  ///     Σ_p gradient[o,p]·input[c,p+u] = Σ_q input[c,q]·gradient[o,q−u]
  private func exchangedGradient(
    _ input: FeatureMap<Float>, _ gradient: FeatureMap<Float>, _ shape: Shape
  ) -> Tensor<Float> {
    let exchangedShape: Shape = [inputs, outputs, kernelHeight, kernelWidth]
    return EngineConvolution(gradient, exchangedShape)?
      .directGradient(gradient, input, exchangedShape).turned
      ?? Tensor(shape: shape, repeating: 0)
  }

  /// The sums over all chunks, in a fixed number of groups that are added in order.
  private func groupSums(
    _ input: FeatureMap<Float>, _ gradient: FeatureMap<Float>, count: Int, chunks: Int,
    scratch: Int,
    _ add: (
      UnsafePointer<ck_gradient>, Int, UnsafeMutablePointer<Float>, UnsafeMutablePointer<Float>
    )
      -> Void
  ) -> [Float] {
    let groups = min(Self.groups, chunks)
    var sums = [Float](repeating: 0, count: groups * count)
    sums.withUnsafeMutableBufferPointer { sums in
      withPointers(input.scalars, gradient.scalars, []) { input, gradient, _ in
        guard let sums = sums.baseAddress else { return }
        var pass = ck_gradient(
          images: images, height: height, width: width,
          inputs: storedInputs, outputs: storedOutputs,
          kernel_height: kernelHeight, kernel_width: kernelWidth,
          planar_input: readsPlanar ? 1 : 0, input: input, gradient: gradient, gradient_mask: nil)
        withUnsafePointer(to: &pass) { pass in
          withScratch(scratch, groups) { group, scratch in
            for chunk in range(ofChunk: group, of: groups, count: chunks) {
              add(pass, chunk, sums + group * count, scratch)
            }
          }
        }
        parallelRanges(count) { range in
          for group in 1..<max(1, groups) {
            let partial = sums + group * count
            for i in range { sums[i] += partial[i] }
          }
        }
      }
    }
    return sums
  }

  // MARK: - Bias gradient

  /// The sum over images and pixels of an interleaved map, tile by tile; none for planar maps.
  static func biasGradient<Element: Scalar>(_ gradient: FeatureMap<Element>) -> Tensor<Element>? {
    guard gradient.layout == .interleaved, let map = gradient as? FeatureMap<Float>,
      let pass = EngineConvolution(
        map, [map.shape.channels, map.shape.channels, 3, 3])
    else { return nil }
    return pass.biasGradient(map) as? Tensor<Element>
  }

  private func biasGradient(_ gradient: FeatureMap<Float>) -> Tensor<Float> {
    let kernels = InstructionSet.kernels
    let groups = min(Self.groups, tileChunks)
    var sums = [Double](repeating: 0, count: groups * storedOutputs)
    sums.withUnsafeMutableBufferPointer { sums in
      withPointers(gradient.scalars, [], []) { gradient, _, _ in
        guard let sums = sums.baseAddress else { return }
        var pass = ck_gradient(
          images: images, height: height, width: width,
          inputs: storedInputs, outputs: storedOutputs,
          kernel_height: kernelHeight, kernel_width: kernelWidth,
          planar_input: 0, input: gradient, gradient: gradient, gradient_mask: nil)
        withUnsafePointer(to: &pass) { pass in
          withScratch(Int(CK_WINOGRAD_POINTS + 1) * storedOutputs, groups) { group, scratch in
            for chunk in range(ofChunk: group, of: groups, count: tileChunks) {
              kernels.tile_sums(pass, chunk, sums + group * storedOutputs, scratch)
            }
          }
        }
      }
    }
    return Tensor(
      shape: [outputs],
      scalars: (0..<outputs).map { o in
        Float((0..<groups).reduce(0) { $0 + sums[$1 * storedOutputs + o] })
      })
  }

  // MARK: - Memory

  /// Runs chunks on several threads, each with scratch memory of its own.
  private func withScratch(
    _ count: Int, _ chunks: Int, _ body: (_ chunk: Int, UnsafeMutablePointer<Float>) -> Void
  ) {
    // A worker's memory begins a cache line of its own.
    let stride = (count + 63) / 16 * 16
    let workers = min(Parallelism.threads, chunks)
    withUnsafeTemporaryAllocation(
      byteCount: workers * stride * MemoryLayout<Float>.stride, alignment: 64
    ) { memory in
      let start = memory.bindMemory(to: Float.self)
      guard let start = start.baseAddress else { return }
      parallel(chunks: chunks) { chunk, worker in body(chunk, start + worker * stride) }
    }
  }

  private func withPointers(
    _ a: [Float], _ b: [Float], _ c: [Float],
    _ body: (UnsafePointer<Float>, UnsafePointer<Float>, UnsafePointer<Float>) -> Void
  ) {
    a.withUnsafeBufferPointer { a in
      b.withUnsafeBufferPointer { b in
        c.withUnsafeBufferPointer { c in
          guard let first = a.baseAddress else { return }
          body(first, b.baseAddress ?? first, c.baseAddress ?? first)
        }
      }
    }
  }
}

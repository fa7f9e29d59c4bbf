import CKernels

/// A 5×5 convolution of Float maps of many channels at stride 1, with any number of zeros around them, by
/// Winograd's F(4×4, 5×5): 4 products in place of 25.
///
/// The rounding error is four times that of F(4×4, 3×3), which the plain geometry does without; so only
/// others take it, as those of RED-CNN, which pads nothing.
struct FiveConvolution {
  private let sums: Correlation
  private let inputs: Int, outputs: Int

  /// The tiles that go to a thread at once: those that are transformed together.
  private static let tilesPerChunk = 24
  /// The channels from which the transforms cost less than the products that they save.
  private static let fewestChannels = 16

  /// Prepares the convolution; nil if it is another one, or is to be computed by definition.
  init?(_ sums: Correlation) {
    let channels = [sums.large.channels, sums.small.channels]
    guard Precision.current == .fast, sums.stride == 1, sums.dilation == 1, sums.groups == 1,
      sums.kernelHeight == 5, sums.kernelWidth == 5, sums.images > 0,
      channels.allSatisfy({
        $0 >= Self.fewestChannels && MapLayout(channels: $0, Float.self) == .interleaved
      })
    else { return nil }
    self.sums = sums
    inputs = MapLayout.storedChannels(sums.large.channels)
    outputs = MapLayout.storedChannels(sums.small.channels)
  }

  private var tiles: Int {
    sums.images * ((sums.small.height + 3) / 4) * ((sums.small.width + 3) / 4)
  }
  private var chunks: Int { (tiles + Self.tilesPerChunk - 1) / Self.tilesPerChunk }

  private func tiles(ofChunks chunks: Range<Int>) -> Range<Int> {
    let size = Self.tilesPerChunk
    return chunks.lowerBound * size..<min(tiles, chunks.upperBound * size)
  }

  /// The bytes of the partial sums of a kernel gradient, and of a transformed kernel.
  var gradientBytes: Int {
    (EngineConvolution.groups + 1) * Int(CK_FIVE_POINTS) * inputs * outputs
      * MemoryLayout<Float>.stride
  }

  private var scratch: Int { InstructionSet.kernels.five_scratch(inputs, outputs) }

  // MARK: - Passes

  /// Computes the small image, plus `bias`, from the large one; with the turned kernel if `isTurned`.
  func smallImage(
    from map: FeatureMap<Float>, _ kernel: Tensor<Float>, _ bias: Tensor<Float>?,
    isTurned: Bool = false
  ) -> FeatureMap<Float> {
    let kernels = InstructionSet.kernels
    let (input, weights) = (map.resolved, transformed(kernel, isTurned: isTurned))
    let padded = bias.map {
      MapMemory($0.scalars + [Float](repeating: 0, count: outputs - $0.shape.count))
    }
    let found = Flag()
    let scalars = MapMemory<Float>(sums.images * sums.small.pixels * outputs) { output in
      var pass = pass(input, output)
      withExtendedLifetime((input, weights, padded)) {
        (pass.kernel, pass.bias) = (UnsafePointer(weights.start), padded.map { .init($0.start) })
        withUnsafePointer(to: &pass) { pass in
          EngineConvolution.withScratch(scratch, chunks) { chunk, scratch in
            let tiles = tiles(ofChunks: chunk..<chunk + 1)
            if kernels.five_forward(pass, tiles.lowerBound, tiles.upperBound, scratch) != 0 {
              found.raise()
            }
          }
        }
      }
    }
    let shape: Shape = [sums.images, sums.small.channels, sums.small.height, sums.small.width]
    return FeatureMap(shape: shape, scalars: scalars, foundNonFinite: found.isRaised)
  }

  /// Computes the large image, plus `bias`, from the small one: a correlation with the turned kernel.
  func largeImage(
    from map: FeatureMap<Float>, _ kernel: Tensor<Float>, _ bias: Tensor<Float>?
  ) -> FeatureMap<Float>? {
    FiveConvolution(sums.turned)?.smallImage(from: map, kernel, bias, isTurned: true)
  }

  /// Computes the gradient of a kernel of shape `shape` from a large and a small image.
  ///
  /// The sum runs in a fixed number of groups of tiles that are added in order.
  func kernelGradient(
    large image: FeatureMap<Float>, small gradient: FeatureMap<Float>, shape: Shape
  ) -> Tensor<Float> {
    let kernels = InstructionSet.kernels
    let (input, output) = (image.resolved, gradient.resolved)
    let groups = min(EngineConvolution.groups, chunks)
    let count = Int(CK_FIVE_POINTS) * inputs * outputs
    let partials = MapMemory<Float>(groups * count) { partials in
      var pass = pass(input, output.scalars.start)
      withExtendedLifetime((input, output)) {
        withUnsafePointer(to: &pass) { pass in
          EngineConvolution.withScratch(scratch, groups) { group, scratch in
            let partial = partials + group * count
            partial.update(repeating: 0, count: count)
            let tiles = tiles(ofChunks: range(ofChunk: group, of: groups, count: chunks))
            kernels.five_gradient(pass, tiles.lowerBound, tiles.upperBound, partial, scratch)
          }
        }
      }
      EngineConvolution.addPartials(partials, groups: groups, count: count)
    }
    return Tensor(shape: shape) { weights in
      withExtendedLifetime(partials) {
        guard let weights = weights.baseAddress else { return }
        parallel(chunks: outputs / 8) { chunk, _ in
          kernels.five_kernel_gradient(
            partials.start, inputs, outputs, weights, shape[0], shape[1], chunk * 8,
            min(shape[0], chunk * 8 + 8))
        }
      }
    }
  }

  private func pass(_ input: FeatureMap<Float>, _ output: UnsafeMutablePointer<Float>) -> ck_five {
    ck_five(
      images: sums.images, input_height: sums.large.height, input_width: sums.large.width,
      output_height: sums.small.height, output_width: sums.small.width, inputs: inputs,
      outputs: outputs, top: sums.top, left: sums.left, input: input.scalars.start, kernel: nil,
      bias: nil, output: output)
  }

  /// The kernel at the 64 places, in each of which the weights of the outputs that are computed at once stand together.
  private func transformed(_ kernel: Tensor<Float>, isTurned: Bool) -> MapMemory<Float> {
    let kernels = InstructionSet.kernels
    return MapMemory(Int(CK_FIVE_POINTS) * inputs * outputs) { target in
      kernel.scalars.withUnsafeBufferPointer { weights in
        guard let weights = weights.baseAddress else { return }
        parallel(chunks: inputs / 8) { chunk, _ in
          kernels.five_kernel(
            weights, kernel.shape[0], kernel.shape[1], isTurned ? 1 : 0, target, inputs, outputs,
            chunk * 8, chunk * 8 + 8)
        }
      }
    }
  }
}

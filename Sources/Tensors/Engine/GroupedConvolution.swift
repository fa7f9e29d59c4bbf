import CKernels

/// A 3×3 convolution of Float maps whose channels fall into groups of a multiple of 8, by Winograd's
/// F(4×4, 3×3): each group reads and writes its own channels of the whole maps, so none is copied.
struct GroupedConvolution {
  private let sums: Correlation
  /// The zeros that keep height and width.
  private static let margin = 1

  /// Prepares the convolution; nil if it is another one, or is to be computed by definition.
  init?(_ sums: Correlation) {
    guard Precision.current == .fast, sums.groups > 1, sums.stride == 1, sums.dilation == 1,
      sums.kernelHeight == 3, sums.kernelWidth == 3, sums.top == Self.margin,
      sums.left == Self.margin, sums.inputs % 8 == 0, sums.outputs % 8 == 0,
      sums.large.height == sums.small.height, sums.large.width == sums.small.width,
      sums.images * sums.large.pixels > 0
    else { return nil }
    self.sums = sums
  }

  /// The number of weights of a group.
  private var weights: Int { sums.outputs * sums.taps }
  /// The number of sums of a group's kernel gradient.
  private var places: Int { Int(CK_WINOGRAD_POINTS) * sums.inputs * sums.outputs }

  /// The bytes of the partial sums of a kernel gradient, and of the transformed kernels.
  var gradientBytes: Int {
    (EngineConvolution.groups + 1) * sums.groups * places * MemoryLayout<Float>.stride
  }

  /// Returns the convolution of one group of `map`, which has other channels than it where `isTurned`.
  private func engine(_ map: FeatureMap<Float>, isTurned: Bool = false) -> EngineConvolution {
    let kernel: Shape =
      isTurned ? [sums.inputs, sums.outputs, 3, 3] : [sums.outputs, sums.inputs, 3, 3]
    guard let engine = EngineConvolution(map, kernel) else {
      preconditionFailure("Groups of many channels are interleaved.")
    }
    return engine
  }

  /// Returns the kernels of all groups, transformed.
  private func prepared(
    _ kernel: Tensor<Float>, _ engine: EngineConvolution, isTurned: Bool
  ) -> [MapMemory<Float>] {
    (0..<sums.groups).map { group in
      let ofGroup = kernel.scalars[group * weights..<(group + 1) * weights]
      return engine.winogradKernel(
        Tensor(shape: [sums.outputs, sums.inputs, 3, 3], scalars: Array(ofGroup)),
        isTurned: isTurned)
    }
  }

  // MARK: - Passes

  /// Computes the small image, plus `bias`, from the large one.
  func smallImage(
    from map: FeatureMap<Float>, _ kernel: Tensor<Float>, _ bias: Tensor<Float>?
  ) -> FeatureMap<Float> {
    image(from: map, kernel, bias, isTurned: false, channels: sums.small.channels)
  }

  /// Computes the large image, plus `bias`, from the small one.
  func largeImage(
    from map: FeatureMap<Float>, _ kernel: Tensor<Float>, _ bias: Tensor<Float>?
  ) -> FeatureMap<Float> {
    image(from: map, kernel, bias, isTurned: true, channels: sums.large.channels)
  }

  private func image(
    from map: FeatureMap<Float>, _ kernel: Tensor<Float>, _ bias: Tensor<Float>?, isTurned: Bool,
    channels: Int
  ) -> FeatureMap<Float> {
    let kernels = InstructionSet.kernels
    let engine = engine(map, isTurned: isTurned)
    let prepared = prepared(kernel, engine, isTurned: isTurned)
    let padded = bias.map { MapMemory($0.scalars) }
    let found = Flag()
    let shape: Shape = [sums.images, channels, sums.large.height, sums.large.width]
    let scalars = MapMemory<Float>(shape.count) { output in
      withExtendedLifetime((prepared, padded, map)) {
        let passes = (0..<sums.groups).map { group in
          var pass = engine.convolution(
            map, prepared[group], nil, .init(), nil, output, nil)
          pass.bias = padded.map { UnsafePointer($0.start + group * engine.outputs) }
          Self.move(&pass, toGroup: group, of: sums.groups)
          return pass
        }
        let chunks = engine.forwardChunks
        EngineConvolution.withScratch(engine.winogradScratch, chunks.count) { chunk, scratch in
          let tiles = chunks[chunk]
          for var pass in passes
          where kernels.winograd_forward(&pass, tiles.lowerBound, tiles.upperBound, scratch) != 0 {
            found.raise()
          }
        }
      }
    }
    return FeatureMap(shape: shape, scalars: scalars, foundNonFinite: found.isRaised)
  }

  /// Computes the gradients of the large image, if it is wanted, and of a kernel of shape `shape` in one
  /// pass over the gradient of the small one; each has the bits that it has alone.
  func backward(
    large image: FeatureMap<Float>, small gradient: FeatureMap<Float>, _ kernel: Tensor<Float>?,
    shape: Shape
  ) -> (large: FeatureMap<Float>?, kernel: Tensor<Float>) {
    let input = image.resolved
    let engine = engine(input), turned = self.engine(gradient, isTurned: true)
    let prepared = kernel.map { self.prepared($0, turned, isTurned: true) }
    let dx = kernel.map { _ in MapMemory<Float>(input.scalars.count) { _ in } }
    let found = Flag()
    let inputPasses = dx.flatMap { dx in
      prepared?.enumerated().map { group, weights in
        var pass = turned.convolution(gradient, weights, nil, .init(), nil, dx.start, nil)
        Self.move(&pass, toGroup: group, of: sums.groups)
        return pass
      }
    }
    let passes = (0..<sums.groups).map { group in
      var pass = engine.pass(input.scalars, gradient)
      (pass.input_pixel, pass.output_pixel) = (sums.large.channels, sums.small.channels)
      pass.input += group * sums.inputs
      pass.gradient += group * sums.outputs
      pass.gradient_mask = pass.gradient_mask.map { $0 + group * sums.outputs / 8 }
      return pass
    }
    let partials = withExtendedLifetime((input, gradient, prepared, dx)) {
      gradientSums(engine, passes, inputPasses, found)
    }
    let dw = Tensor<Float>(shape: shape) { weights in
      withExtendedLifetime(partials) {
        guard let weights = weights.baseAddress else { return }
        for group in 0..<sums.groups {
          engine.writeKernelGradient(
            partials.start + group * places, weights + group * self.weights)
        }
      }
    }
    let map = dx.map {
      FeatureMap(shape: input.shape, scalars: $0, foundNonFinite: found.isRaised)
    }
    return (map, dw)
  }

  /// The sums of the kernel gradients of all groups, in a fixed number of parts that are added in order.
  private func gradientSums(
    _ engine: EngineConvolution, _ passes: [ck_gradient], _ turned: [ck_convolution]?,
    _ found: Flag
  ) -> MapMemory<Float> {
    let kernels = InstructionSet.kernels
    let parts = min(EngineConvolution.groups, engine.tileGroups)
    let count = sums.groups * places
    return MapMemory(parts * count) { partials in
      EngineConvolution.withScratch(engine.winogradScratch, parts) { part, scratch in
        let partial = partials + part * count
        partial.update(repeating: 0, count: count)
        // Few tiles at a time, so that the pixels stay in the cache until all groups have read them.
        let size = Int(CK_TILES_PER_CHUNK)
        let tiles = engine.tiles(ofUnits: part..<part + 1, of: parts)
        for first in stride(from: tiles.lowerBound, to: tiles.upperBound, by: size) {
          let last = min(first + size, tiles.upperBound)
          for (group, var pass) in passes.enumerated() {
            let strange = withUnsafePointers(turned?[group]) {
              kernels.winograd_backward(
                &pass, $0, first, last, partial + group * places, nil, scratch)
            }
            if strange != 0 { found.raise() }
          }
        }
      }
      EngineConvolution.addPartials(partials, groups: parts, count: count)
    }
  }

  /// Makes a pass one of a group among the channels of the whole maps.
  private static func move(_ pass: inout ck_convolution, toGroup group: Int, of groups: Int) {
    pass.input += group * pass.inputs
    pass.input_mask = pass.input_mask.map { $0 + group * pass.inputs / 8 }
    pass.output += group * pass.outputs
    (pass.input_pixel, pass.output_pixel) = (groups * pass.inputs, groups * pass.outputs)
  }
}

/// Calls `body` with the address of a value; with nil where there is none.
private func withUnsafePointers<Value, Result>(
  _ value: Value?, _ body: (UnsafePointer<Value>?) -> Result
) -> Result {
  guard let value else { return body(nil) }
  return withUnsafePointer(to: value) { body($0) }
}

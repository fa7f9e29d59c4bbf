import CKernels

/// The passes of one convolution of Float maps on the fast kernels.
///
/// | input       | output      | kernel | passes                                       |
/// |-------------|-------------|--------|----------------------------------------------|
/// | interleaved | interleaved | 3×3    | Winograd F(4×4, 3×3), unless strict          |
/// | any         | interleaved | other  | direct, vectors over output channels         |
/// | interleaved | planar      | any    | direct, vectors over input channels          |
/// | planar      | planar      | any    | direct, vectors along rows                   |
///
/// Chunks and groups depend on the shapes alone, so results do not depend on the threads.
struct EngineConvolution {
  let images: Int, height: Int, width: Int
  /// The number of channels read and written, and how many of each are stored.
  let inputs: Int, outputs: Int
  let storedInputs: Int, storedOutputs: Int
  let kernelHeight: Int, kernelWidth: Int
  let readsPlanar: Bool, writesPlanar: Bool
  private let precision = Precision.current

  /// Prepares a convolution; nil if the reference engine is to compute it.
  init?<Element: Scalar>(
    _ input: FeatureMap<Element>, _ kernel: Shape, _ geometry: ConvolutionGeometry = .plain
  ) {
    guard Element.self == Float.self, input.shape.count > 0, geometry.isPlain else { return nil }
    (images, height, width) = (input.shape.batch, input.shape.height, input.shape.width)
    (inputs, outputs) = (kernel[1], kernel[0])
    (kernelHeight, kernelWidth) = (kernel[2], kernel[3])
    readsPlanar = input.layout == .planar
    writesPlanar = MapLayout(channels: outputs, Element.self) == .planar
    storedInputs = readsPlanar ? inputs : MapLayout.storedChannels(inputs)
    storedOutputs = writesPlanar ? outputs : MapLayout.storedChannels(outputs)
  }

  var usesWinograd: Bool {
    Self.usesWinograd(
      height: kernelHeight, width: kernelWidth, isPlanar: readsPlanar || writesPlanar, precision)
  }

  /// Whether a kernel of that extent is computed in tiles; `isPlanar` if input or output is planar.
  static func usesWinograd(height: Int, width: Int, isPlanar: Bool, _ precision: Precision) -> Bool
  {
    precision == .fast && !isPlanar && height == 3 && width == 3
  }

  var isPlanar: Bool { readsPlanar && writesPlanar }

  /// The number of partial sums of gradients, added in order; more would cost memory, fewer would
  /// idle threads.
  static let groups = 8

  /// The numbers of chunks of tiles in a forward pass: long ones, in which a worker can fetch
  /// ahead, then short ones, so that threads end together.
  private static let (longChunks, shortChunks, shortInLong) = (28, 16, 4)

  /// The tiles of each chunk, without chunks that have none.
  var forwardChunks: [Range<Int>] {
    let (long, short) = (Self.longChunks, Self.shortChunks)
    let units = long * Self.shortInLong + short
    return (0..<long + short).map { chunk in
      let isLong = chunk < long
      let first = isLong ? chunk * Self.shortInLong : chunk + long * (Self.shortInLong - 1)
      return tiles(ofUnits: first..<first + (isLong ? Self.shortInLong : 1), of: units)
    }.filter { !$0.isEmpty }
  }

  private var tiles: Int { images * ((height + 3) / 4) * ((width + 3) / 4) }
  /// The number of groups of ``CK_TILES_PER_CHUNK`` tiles, in which tiles are given to threads.
  var tileGroups: Int {
    (tiles + Int(CK_TILES_PER_CHUNK) - 1) / Int(CK_TILES_PER_CHUNK)
  }

  func tiles(ofUnits part: Range<Int>, of units: Int) -> Range<Int> {
    let size = Int(CK_TILES_PER_CHUNK)
    let first = tileGroups * part.lowerBound / units
    let last = tileGroups * part.upperBound / units
    return first * size..<min(tiles, last * size)
  }
  var rowChunks: Int {
    images * ((height + Int(CK_ROWS_PER_CHUNK) - 1) / Int(CK_ROWS_PER_CHUNK))
  }

  // MARK: - Forward

  /// Operations on a result before it is written to memory; only interleaved outputs allow them.
  struct Ending {
    var activation = Activation.linear
    var reluNaN = ReLUNaN.keep
    /// A map that is added to the activation.
    var addend: FeatureMap<Float>?
    /// Whether the bits of act′ are kept.
    var keepsMask = false

    fileprivate var code: Int32 {
      guard activation == .relu else { return Int32(ck_linear) }
      return Int32(reluNaN == .zero ? ck_hiding_relu : ck_relu)
    }
  }

  /// A function for rows of a plane as soon as they are computed: it gets the plane's number among
  /// all planes, the rows, and the beginning of the output.
  typealias PlanarFollow = (_ plane: Int, _ rows: Range<Int>, UnsafeMutablePointer<Float>) -> Void

  private func forEachPlane(ofChunk chunk: Int, _ body: (_ plane: Int, Range<Int>) -> Void) {
    let size = Int(CK_ROWS_PER_CHUNK)
    let (image, part) = chunk.quotientAndRemainder(dividingBy: rowChunks / images)
    let rows = part * size..<min(height, (part + 1) * size)
    for channel in 0..<outputs { body(image * outputs + channel, rows) }
  }

  /// Whether the output allows an ``Ending``.
  var takesEnding: Bool { !writesPlanar }

  func forward(
    _ input: FeatureMap<Float>, _ kernel: Tensor<Float>, _ bias: Tensor<Float>?,
    isTurned: Bool = false, _ ending: Ending = Ending(),
    then follow: PlanarFollow? = nil
  ) -> (output: FeatureMap<Float>, mask: MapMemory<UInt8>?) {
    let kernels = InstructionSet.kernels
    let prepared =
      usesWinograd
      ? winogradKernel(kernel, isTurned: isTurned)
      : isPlanar
        ? MapMemory(isTurned ? kernel.turned().scalars : kernel.scalars)
        : directKernel(isTurned ? kernel.turned() : kernel)
    let paddedBias = bias.map {
      MapMemory($0.scalars + [Float](repeating: 0, count: storedOutputs - outputs))
    }
    let addend = ending.addend?.resolved
    let count = images * height * width * storedOutputs
    let mask = ending.keepsMask ? MapMemory<UInt8>(count / 8) { _ in } : nil
    let found = Flag()
    let scalars = MapMemory<Float>(count) { output in
      var convolution = convolution(
        input, prepared, paddedBias, ending, addend, output, mask)
      withExtendedLifetime((prepared, paddedBias, addend, input)) {
        withUnsafePointer(to: &convolution) { convolution in
          if usesWinograd {
            let chunks = forwardChunks
            Self.withScratch(winogradScratch, chunks.count) {
              let tiles = chunks[$0]
              if kernels.winograd_forward(convolution, tiles.lowerBound, tiles.upperBound, $1) != 0
              {
                found.raise()
              }
            }
          } else if isPlanar {
            Self.withScratch(planarScratch, rowChunks) { chunk, scratch in
              if kernels.planar_forward(convolution, chunk, scratch) != 0 { found.raise() }
              if let follow { forEachPlane(ofChunk: chunk) { follow($0, $1, output) } }
            }
          } else if writesPlanar {
            parallel(chunks: rowChunks) { chunk, _ in
              if kernels.reducing_forward(convolution, chunk) != 0 { found.raise() }
            }
          } else {
            let scratch = kernels.direct_scratch(
              storedInputs, storedOutputs, kernelHeight, kernelWidth, width)
            Self.withScratch(scratch, rowChunks) {
              if kernels.direct_forward(convolution, $0, $1) != 0 { found.raise() }
            }
          }
        }
      }
    }
    let output = FeatureMap(
      shape: [images, outputs, height, width], scalars: scalars, foundNonFinite: found.isRaised)
    return (output, mask)
  }

  func convolution(
    _ input: FeatureMap<Float>, _ kernel: MapMemory<Float>, _ bias: MapMemory<Float>?,
    _ ending: Ending, _ addend: FeatureMap<Float>?, _ output: UnsafeMutablePointer<Float>,
    _ mask: MapMemory<UInt8>?
  ) -> ck_convolution {
    ck_convolution(
      images: images, height: height, width: width,
      inputs: storedInputs, outputs: storedOutputs, input_pixel: storedInputs,
      output_pixel: storedOutputs, kernel_height: kernelHeight, kernel_width: kernelWidth,
      planar_input: readsPlanar ? 1 : 0, activation: ending.code,
      input: input.scalars.start, input_mask: input.mask?.start, kernel: kernel.start,
      bias: bias?.start, addend: addend?.scalars.start, output: output, output_mask: mask?.start,
      gate: nil)
  }

  // MARK: - Kernel gradient

  /// The gradients of the kernel and, if `hasBias`, of the bias.
  func parameterGradients(
    _ input: FeatureMap<Float>, _ gradient: FeatureMap<Float>, _ shape: Shape, hasBias: Bool
  ) -> (kernel: Tensor<Float>, bias: Tensor<Float>?) {
    if usesWinograd { return tileGradients(input, gradient, shape, hasBias: hasBias) }
    guard writesPlanar else { return directGradients(input, gradient, shape, hasBias: hasBias) }
    let kernel =
      isPlanar
      ? planarGradient(input, gradient, shape) : exchangedGradient(input, gradient, shape)
    return (kernel, hasBias ? Convolution.biasGradient(gradient) : nil)
  }

  /// The kernel gradient from the sums of a Winograd gradient, transformed back.
  func kernelGradient(_ sums: MapMemory<Float>, _ shape: Shape) -> Tensor<Float> {
    Tensor(shape: shape) { weights in
      withExtendedLifetime(sums) {
        guard let weights = weights.baseAddress else { return }
        writeKernelGradient(sums.start, weights)
      }
    }
  }

  /// Transforms the sums of a Winograd gradient back to weights.
  func writeKernelGradient(
    _ sums: UnsafePointer<Float>, _ weights: UnsafeMutablePointer<Float>
  ) {
    let kernels = InstructionSet.kernels
    parallel(chunks: max(1, storedOutputs / 8)) { chunk, _ in
      kernels.winograd_kernel_gradient(
        sums, storedInputs, storedOutputs, weights, outputs, inputs, chunk * 8,
        min(outputs, chunk * 8 + 8))
    }
  }

  private func directGradients(
    _ input: FeatureMap<Float>, _ gradient: FeatureMap<Float>, _ shape: Shape, hasBias: Bool
  ) -> (kernel: Tensor<Float>, bias: Tensor<Float>?) {
    let kernels = InstructionSet.kernels
    let area = kernelHeight * kernelWidth
    let parts = biasGroups
    var biasSums = [Double](repeating: 0, count: parts * storedOutputs)
    let sums = biasSums.withUnsafeMutableBufferPointer { biasSums in
      groupSums(
        input, gradient, count: area * storedInputs * storedOutputs, groups: rowGroups,
        scratch: max(
          kernels.direct_scratch(storedInputs, storedOutputs, kernelHeight, kernelWidth, width),
          tileSumsScratch)
      ) { pass, group, sums, scratch in
        for chunk in range(ofChunk: group, of: rowGroups, count: rowChunks) {
          kernels.direct_gradient(pass, chunk, sums, scratch)
        }
        guard hasBias, let biasSums = biasSums.baseAddress else { return }
        // The bias sums follow for about the same part of the gradient, while it is in the cache.
        for part in range(ofChunk: group, of: rowGroups, count: parts) {
          addTiles(ofPart: part, to: biasSums, pass, scratch)
        }
      }
    }
    var result = Tensor<Float>(shape: shape, repeating: 0)
    for o in 0..<outputs {
      for c in 0..<inputs {
        for tap in 0..<area {
          result.scalars[(o * inputs + c) * area + tap] =
            sums.start[(tap * storedInputs + c) * storedOutputs + o]
        }
      }
    }
    return (result, hasBias ? biasGradient(sums: biasSums, groups: parts) : nil)
  }

  private func planarGradient(
    _ input: FeatureMap<Float>, _ gradient: FeatureMap<Float>, _ shape: Shape
  ) -> Tensor<Float> {
    let kernels = InstructionSet.kernels
    // Each weight has 16 sums along the rows.
    let sums = groupSums(
      input, gradient, count: shape.count * 16, groups: rowGroups, scratch: planarScratch
    ) { pass, group, sums, scratch in
      for chunk in range(ofChunk: group, of: rowGroups, count: rowChunks) {
        kernels.planar_gradient(pass, chunk, sums, scratch)
      }
    }
    return laneSums(sums, shape)
  }

  /// The kernel gradient from 16 sums along the rows for each weight.
  func laneSums(_ sums: MapMemory<Float>, _ shape: Shape) -> Tensor<Float> {
    Tensor(shape: shape) { weights in
      withExtendedLifetime(sums) {
        if let weights = weights.baseAddress {
          InstructionSet.kernels.sum_lanes(sums.start, weights, shape.count)
        }
      }
    }
  }

  /// The number of floats of scratch memory for tiles, the same with inputs and outputs exchanged.
  var winogradScratch: Int {
    InstructionSet.kernels.winograd_scratch(storedInputs, storedOutputs)
  }

  private var planarScratch: Int {
    InstructionSet.kernels.planar_scratch(inputs, outputs, kernelHeight, kernelWidth, width)
  }

  /// The kernel gradient where outputs are planar and inputs are not, with input and gradient
  /// exchanged and the kernel turned.
  ///
  ///     Σ_p gradient[o,p]·input[c,p+u] = Σ_q input[c,q]·gradient[o,q−u]
  private func exchangedGradient(
    _ input: FeatureMap<Float>, _ gradient: FeatureMap<Float>, _ shape: Shape
  ) -> Tensor<Float> {
    let exchangedShape: Shape = [inputs, outputs, kernelHeight, kernelWidth]
    return EngineConvolution(gradient, exchangedShape)?
      .directGradients(gradient, input, exchangedShape, hasBias: false).kernel.turned()
      ?? Tensor(shape: shape, repeating: 0)
  }

  var rowGroups: Int { min(Self.groups, rowChunks) }

  /// The sums of a fixed number of groups, added in order.
  ///
  /// `add` gets the pass, a group, the group's sums, which are 0 at first, and scratch memory.
  func groupSums(
    _ input: FeatureMap<Float>, _ gradient: FeatureMap<Float>, count: Int, groups: Int,
    scratch: Int,
    _ add: (
      UnsafePointer<ck_gradient>, _ group: Int, UnsafeMutablePointer<Float>,
      UnsafeMutablePointer<Float>
    ) -> Void
  ) -> MapMemory<Float> {
    MapMemory(groups * count) { sums in
      var pass = self.pass(input.scalars, gradient)
      withExtendedLifetime((input, gradient)) {
        withUnsafePointer(to: &pass) { pass in
          Self.withScratch(scratch, groups) { group, scratch in
            let sums = sums + group * count
            sums.update(repeating: 0, count: count)
            add(pass, group, sums, scratch)
          }
        }
      }
      Self.addPartials(sums, groups: groups, count: count)
    }
  }

  /// Adds the partial sums of all groups to those of the first, in order.
  static func addPartials(_ sums: UnsafeMutablePointer<Float>, groups: Int, count: Int) {
    let parts = max(1, groups * count / elementsPerChunk)
    parallel(chunks: parts) { part, _ in
      let range = range(ofChunk: part, of: parts, count: count)
      for group in 1..<max(1, groups) {
        let partial = sums + group * count
        for i in range { sums[i] += partial[i] }
      }
    }
  }

  func pass(_ input: MapMemory<Float>, _ gradient: FeatureMap<Float>) -> ck_gradient {
    ck_gradient(
      images: images, height: height, width: width,
      inputs: storedInputs, outputs: storedOutputs, input_pixel: storedInputs,
      output_pixel: storedOutputs, kernel_height: kernelHeight, kernel_width: kernelWidth,
      planar_input: readsPlanar ? 1 : 0, input: input.start, gradient: gradient.scalars.start,
      gradient_mask: gradient.mask?.start)
  }

  // MARK: - Bias gradient

  /// The number of parts of a bias gradient, which are added in order.
  var biasGroups: Int { min(2 * Self.groups, tileGroups) }

  /// The sum of an interleaved map over images and pixels, tile by tile.
  func biasGradient(_ gradient: FeatureMap<Float>) -> Tensor<Float> {
    let groups = biasGroups
    var sums = [Double](repeating: 0, count: groups * storedOutputs)
    sums.withUnsafeMutableBufferPointer { sums in
      guard let sums = sums.baseAddress else { return }
      var pass = self.pass(gradient.scalars, gradient)
      withExtendedLifetime(gradient) {
        withUnsafePointer(to: &pass) { pass in
          Self.withScratch(tileSumsScratch, groups) { addTiles(ofPart: $0, to: sums, pass, $1) }
        }
      }
    }
    return biasGradient(sums: sums, groups: groups)
  }

  /// The number of floats of scratch memory for the sums of tiles.
  private var tileSumsScratch: Int { Int(CK_WINOGRAD_POINTS + 1) * storedOutputs }

  /// Adds the gradients in one part of the tiles to the sums of this part.
  private func addTiles(
    ofPart part: Int, to sums: UnsafeMutablePointer<Double>, _ pass: UnsafePointer<ck_gradient>,
    _ scratch: UnsafeMutablePointer<Float>
  ) {
    let range = tiles(ofUnits: part..<part + 1, of: biasGroups)
    InstructionSet.kernels.tile_sums(
      pass, range.lowerBound, range.upperBound, sums + part * storedOutputs, scratch)
  }

  func biasGradient(sums: [Double], groups: Int) -> Tensor<Float> {
    Tensor(
      shape: [outputs],
      scalars: (0..<outputs).map { o in
        Float((0..<groups).reduce(0) { $0 + sums[$1 * storedOutputs + o] })
      })
  }

  // MARK: - Memory

  /// Runs chunks on several threads, each with scratch memory of its own.
  static func withScratch(
    _ count: Int, _ chunks: Int, _ body: (_ chunk: Int, UnsafeMutablePointer<Float>) -> Void
  ) {
    // Each worker's memory begins at a cache line of its own.
    let stride = (count + 63) / 16 * 16
    let workers = min(Parallelism.threads, chunks)
    let memory = MemoryPool.take(bytes: workers * stride * MemoryLayout<Float>.stride)
    defer { MemoryPool.giveBack(memory) }
    let start = memory.start.bindMemory(to: Float.self, capacity: workers * stride)
    parallel(chunks: chunks, workers: workers) { chunk, worker in
      body(chunk, start + worker * stride)
    }
  }
}

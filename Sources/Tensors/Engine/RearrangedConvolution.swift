/// A convolution of Float maps of any geometry as plain ones of rearranged maps, which fast kernels
/// compute.
///
/// - Zeros beside the image, or none, move and crop maps.
/// - At stride s, pixel s·y + r of the large image becomes pixel y of phase r, a block of channels; the
///   kernel becomes one of ⌈k/s⌉ taps over s² blocks (Shi et al., "Is the deconvolution layer the same as
///   a convolutional layer?", 2016).
/// - At dilation d, the d² phases of both images are images of their own.
/// - Groups are convolved one after the other.
///
/// Stride and dilation at once remain for the reference engine.
struct RearrangedConvolution {
  private let sums: Correlation
  private let large: Rearrangement, small: Rearrangement
  private let rows: [Tap], columns: [Tap]
  /// The sides of the plain kernel.
  private let height: Int, width: Int

  /// The place of a weight in the plain kernel, along one axis.
  private struct Tap {
    let phase: Int, place: Int
  }

  /// Prepares the convolution; nil if the reference engine is to compute it.
  init?(_ sums: Correlation) {
    let count = sums.images * sums.large.channels * sums.small.pixels
    guard count > 0,
      let rows = Line(sums, sums.large.height, sums.small.height, sums.kernelHeight, sums.top),
      let columns = Line(sums, sums.large.width, sums.small.width, sums.kernelWidth, sums.left)
    else { return nil }
    // Steps of more than one pixel come from the dilation then.
    let splitsImages = sums.stride == 1
    self.sums = sums
    large = Rearrangement(rows: rows.large, columns: columns.large, splitsImages: splitsImages)
    small = Rearrangement(rows: rows.small, columns: columns.small, splitsImages: splitsImages)
    (self.rows, self.columns) = (rows.taps, columns.taps)
    (height, width) = (rows.side, columns.side)
  }

  /// One axis of the rearrangement.
  private struct Line {
    let large: Rearrangement.Axis, small: Rearrangement.Axis
    let taps: [Tap]
    let side: Int

    /// With y the place of a sum, weight u reads pixel s·y + d·u − p; this is pixel y + q of a phase, or
    /// d·q pixels further in y's own phase.
    init?(_ sums: Correlation, _ large: Int, _ small: Int, _ kernel: Int, _ zeros: Int) {
      let dilation = kernel == 1 ? 1 : sums.dilation
      guard sums.stride == 1 || dilation == 1, zeros % dilation == 0 else { return nil }
      let read = (0..<kernel).map { ($0 - zeros / dilation).flooredQuotient(sums.stride) }
      guard let lowest = read.first?.quotient, let highest = read.last?.quotient else { return nil }
      let radius = (highest - lowest + 1) / 2
      // Weight q has place q + radius − shift, from 0 to 2·radius; the sums begin at `margin`.
      let shift = min(max(0, highest - radius), lowest + radius)
      let (begin, margin) = (min(shift, 0), max(shift, 0))
      let sumCount = (small + dilation - 1) / dilation
      let step = sums.stride * dilation
      let places = max(
        margin + sumCount, min(sumCount + highest, (large + step - 1) / step) - begin)
      self.large = Rearrangement.Axis(extent: large, places: places, step: step, shift: begin)
      self.small = Rearrangement.Axis(
        extent: small, places: places, step: dilation, shift: -margin)
      taps = read.map { Tap(phase: $1, place: $0 + radius - shift) }
      side = 2 * radius + 1
    }
  }

  // MARK: - Kernels

  /// The shape of a group's plain kernel.
  var kernelShape: Shape { [sums.outputs, large.blocks * sums.inputs, height, width] }

  /// Calls `body` with the offset of each weight of a group's kernel, and with its offset in the plain one.
  private func forEachWeight(ofGroup group: Int, _ body: (_ offset: Int, _ plain: Int) -> Void) {
    let (outputs, inputs, blocks) = (sums.outputs, sums.inputs, large.blocks)
    var offset = group * outputs * sums.taps
    for o in 0..<outputs {
      for c in 0..<inputs {
        for row in rows {
          for column in columns {
            let block = large.block(row.phase, column.phase)
            let channel = o * blocks * inputs + block * inputs + c
            body(offset, (channel * height + row.place) * width + column.place)
            offset += 1
          }
        }
      }
    }
  }

  private func plainKernel(_ kernel: Tensor<Float>, group: Int) -> Tensor<Float> {
    var plain = Tensor<Float>(shape: kernelShape, repeating: 0)
    forEachWeight(ofGroup: group) { plain.scalars[$1] = kernel.scalars[$0] }
    return plain
  }

  // MARK: - Memory

  /// The bytes of the rearranged maps of one group, and of images in planes that groups are taken from.
  var mapBytes: Int {
    [(sums.large, large), (sums.small, small)].reduce(0) { sum, each in
      let (size, rearrangement) = each
      if rearrangement.isIdentity, sums.groups == 1 { return sum }
      let whole: Shape = [sums.images, size.channels, size.height, size.width]
      let part = rearrangement.shape(images: sums.images, channels: size.channels / sums.groups)
      let own = MapLayout(channels: size.channels, Float.self)
      let layout = Gathered.layout(whole, rearrangement, groups: sums.groups)
      return sum
        + Self.bytes(part, MapLayout(channels: part.channels, Float.self))
        + (layout == own ? 0 : Self.bytes(whole, layout))
    }
  }

  private static func bytes(_ shape: Shape, _ layout: MapLayout) -> Int {
    MemoryPool.size(of: PixelView.count(shape, layout) * MemoryLayout<Float>.stride)
  }

  // MARK: - Passes

  /// Computes the small image, plus `bias`, from the large one.
  func smallImage(
    from map: FeatureMap<Float>, _ kernel: Tensor<Float>, _ bias: Tensor<Float>?
  ) -> FeatureMap<Float> {
    let image = Gathered(map, large, groups: sums.groups)
    return collected(sums.small, small) { group in
      let shift = bias.map { bias in
        Tensor(
          shape: [sums.outputs],
          scalars: Array(bias.scalars[group * sums.outputs..<(group + 1) * sums.outputs]))
      }
      return Convolution.forward(
        image.group(group), kernel: plainKernel(kernel, group: group), bias: shift)
    }
  }

  /// Computes the large image, plus `bias`, from the small one.
  func largeImage(
    from map: FeatureMap<Float>, _ kernel: Tensor<Float>, _ bias: Tensor<Float>?
  ) -> FeatureMap<Float> {
    let image = Gathered(map, small, groups: sums.groups)
    return collected(sums.large, large) { group in
      let plain = plainKernel(kernel, group: group)
      guard let bias else { return Convolution.inputGradient(image.group(group), kernel: plain) }
      // As many times as there are blocks: every pixel of a transposed convolution's result is in one.
      let ofGroup = bias.scalars[group * sums.inputs..<(group + 1) * sums.inputs]
      let ofBlocks = (0..<large.blocks).flatMap { _ in ofGroup }
      return Convolution.forward(
        image.group(group), kernel: plain.turned(),
        bias: Tensor(shape: [ofBlocks.count], scalars: ofBlocks))
    }
  }

  /// Computes the gradient of a kernel of shape `shape` from a large and a small image.
  func kernelGradient(
    large image: FeatureMap<Float>, small gradient: FeatureMap<Float>, shape: Shape
  ) -> Tensor<Float> {
    let (image, gradient) = (
      Gathered(image, large, groups: sums.groups), Gathered(gradient, small, groups: sums.groups)
    )
    var result = Tensor<Float>(shape: shape, repeating: 0)
    for group in 0..<sums.groups {
      let plain = Convolution.kernelGradient(
        image.group(group), gradient.group(group), kernelShape: kernelShape)
      forEachWeight(ofGroup: group) { result.scalars[$0] = plain.scalars[$1] }
    }
    return result
  }

  /// Computes the gradients of input and kernel, each with the bits that it has alone, from one
  /// rearranged copy of the gradient of the result.
  func gradients(
    _ gradient: FeatureMap<Float>, _ input: FeatureMap<Float>, _ kernel: Tensor<Float>,
    isTransposed: Bool
  ) -> (input: FeatureMap<Float>, kernel: Tensor<Float>) {
    let (outer, inner) = isTransposed ? (large, small) : (small, large)
    let gradients = Gathered(gradient, outer, groups: sums.groups)
    let images = Gathered(input, inner, groups: sums.groups)
    var result = Tensor<Float>(shape: kernel.shape, repeating: 0)
    let inputGradient = collected(isTransposed ? sums.small : sums.large, inner) { group in
      let gradient = gradients.group(group)
      let found =
        isTransposed
        ? Convolution.kernelGradient(gradient, images.group(group), kernelShape: kernelShape)
        : Convolution.kernelGradient(images.group(group), gradient, kernelShape: kernelShape)
      forEachWeight(ofGroup: group) { result.scalars[$0] = found.scalars[$1] }
      let plain = plainKernel(kernel, group: group)
      return isTransposed
        ? Convolution.forward(gradient, kernel: plain)
        : Convolution.inputGradient(gradient, kernel: plain)
    }
    return (inputGradient, result)
  }

  /// The image of the results of all groups, which `pass` computes as rearranged maps.
  private func collected(
    _ size: Correlation.ImageSize, _ rearrangement: Rearrangement,
    _ pass: (_ group: Int) -> FeatureMap<Float>
  ) -> FeatureMap<Float> {
    if rearrangement.isIdentity, sums.groups == 1 { return pass(0) }
    let shape: Shape = [sums.images, size.channels, size.height, size.width]
    let channels = size.channels / sums.groups
    let layout = Gathered.layout(shape, rearrangement, groups: sums.groups)
    var foundNonFinite = false
    let scalars = MapMemory<Float>(PixelView.count(shape, layout)) { output in
      let view = PixelView(output, shape, layout)
      for group in 0..<sums.groups {
        let range = group * channels..<(group + 1) * channels
        let map = pass(group)
        foundNonFinite = foundNonFinite || map.foundNonFinite
        rearrangement.collect(
          map, into: view, images: sums.images, channels: range)
      }
    }
    // A NaN or infinity that was found may lie where the result is cropped.
    let isBad = foundNonFinite && scalars.withUnsafeBufferPointer { !$0.allSatisfy(\.isFinite) }
    guard layout == .planar else {
      return FeatureMap(shape: shape, scalars: scalars, foundNonFinite: isBad)
    }
    return FeatureMap(shape: shape, planes: scalars, foundNonFinite: isBad)
  }

  /// The rearranged maps of an image, group by group.
  private struct Gathered {
    private let map: FeatureMap<Float>
    /// The values in ``layout``.
    private let scalars: MapMemory<Float>
    private let layout: MapLayout
    private let rearrangement: Rearrangement
    private let groups: Int

    init(_ map: FeatureMap<Float>, _ rearrangement: Rearrangement, groups: Int) {
      self.map = map.resolved
      layout = Self.layout(map.shape, rearrangement, groups: groups)
      scalars = layout == map.layout ? self.map.scalars : self.map.planes()
      (self.rearrangement, self.groups) = (rearrangement, groups)
    }

    /// The layout in which groups are taken from an image: planes where the groups are planes, too, so
    /// that they are copied in whole rows.
    static func layout(_ shape: Shape, _ rearrangement: Rearrangement, groups: Int) -> MapLayout {
      let perGroup = rearrangement.blocks * shape.channels / groups
      let isPlanar = groups > 1 && MapLayout(channels: perGroup, Float.self) == .planar
      return isPlanar ? .planar : MapLayout(channels: shape.channels, Float.self)
    }

    func group(_ group: Int) -> FeatureMap<Float> {
      if rearrangement.isIdentity, groups == 1 { return map }
      let channels = map.shape.channels / groups
      return withExtendedLifetime(scalars) {
        rearrangement.gathered(
          PixelView(scalars.start, map.shape, layout), images: map.shape.batch,
          channels: group * channels..<(group + 1) * channels)
      }
    }
  }
}

extension Int {
  /// The quotient that is rounded down, and the rest that is not negative.
  fileprivate func flooredQuotient(_ divisor: Int) -> (quotient: Int, remainder: Int) {
    let rest = (self % divisor + divisor) % divisor
    return ((self - rest) / divisor, rest)
  }
}

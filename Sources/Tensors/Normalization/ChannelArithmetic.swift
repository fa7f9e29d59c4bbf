import CKernels

/// Arithmetic with numbers that each channel has of its own, in one pass over memory.
extension FeatureMap {
  /// Computes act((x − shift)·factor + offset) for each value x, rounded after each operation.
  ///
  /// - Parameters:
  ///   - shifts: Subtracted first.
  ///   - factors: Multiplied with.
  ///   - offsets: Added last.
  ///   - rectifies: Whether ReLU follows, and how it treats NaN; nil for the sum itself.
  ///   - keepsMask: Whether an interleaved result comes with the bits of ReLU's derivative.
  /// - Returns: The map, and the bits.
  func scaled(
    shifts: ChannelTable<Element>, factors: ChannelTable<Element>, offsets: ChannelTable<Element>,
    rectifies: ReLUNaN? = nil, keepsMask: Bool = false
  ) -> (map: FeatureMap, mask: MapMemory<UInt8>?) {
    let x = resolved
    if layout == .interleaved, let x = x as? FeatureMap<Float>,
      let shifts = shifts as? ChannelTable<Float>, let factors = factors as? ChannelTable<Float>,
      let offsets = offsets as? ChannelTable<Float>
    {
      let (map, mask) = x.scaledInterleaved(
        shifts.numbers, factors.numbers, offsets.numbers, rectifies, keepsMask: keepsMask)
      if let map = map as? FeatureMap { return (map, mask) }
    }
    let map = x.scaledPlanar(shifts.numbers, factors.numbers, offsets.numbers)
    return (rectifies.map { Activation.relu.forward(map, reluNaN: $0) } ?? map, nil)
  }

  /// Computes gradient·a + (x − shift)·b + offset for each value x, rounded after each operation, where the
  /// gradient is this map.
  ///
  /// - Parameters:
  ///   - factors: a.
  ///   - x: The values that are added.
  ///   - shifts: Subtracted from x.
  ///   - valueFactors: b.
  ///   - offsets: Added last.
  /// - Returns: The map.
  func combined(
    factors: ChannelTable<Element>, with x: FeatureMap, shifts: ChannelTable<Element>,
    valueFactors: ChannelTable<Element>, offsets: ChannelTable<Element>
  ) -> FeatureMap {
    precondition(x.shape == shape, "\(shape) is the gradient of \(x.shape).")
    let x = x.resolved
    if layout == .interleaved, let g = self as? FeatureMap<Float>, let x = x as? FeatureMap<Float>,
      let factors = factors as? ChannelTable<Float>, let shifts = shifts as? ChannelTable<Float>,
      let valueFactors = valueFactors as? ChannelTable<Float>,
      let offsets = offsets as? ChannelTable<Float>,
      let result = g.combinedInterleaved(
        factors.numbers, x, shifts.numbers, valueFactors.numbers, offsets.numbers) as? FeatureMap
    {
      return result
    }
    return combinedPlanar(
      factors.numbers, x, shifts.numbers, valueFactors.numbers, offsets.numbers)
  }

  @specialized(where Element == Float)
  @specialized(where Element == Double)
  private func scaledPlanar(
    _ shifts: [Element], _ factors: [Element], _ offsets: [Element]
  ) -> FeatureMap {
    let width = shape.width
    return withExtendedLifetime(self) {
      FeatureMap.writing(shape) { plane, row, target in
        let values = scalars.start + (plane * shape.height + row) * width
        let (shift, factor, offset) = (shifts[plane], factors[plane], offsets[plane])
        for i in 0..<width { target[i] = (values[i] - shift) * factor + offset }
      }
    }
  }

  @specialized(where Element == Float)
  @specialized(where Element == Double)
  private func combinedPlanar(
    _ factors: [Element], _ x: FeatureMap, _ shifts: [Element], _ valueFactors: [Element],
    _ offsets: [Element]
  ) -> FeatureMap {
    let width = shape.width
    return withExtendedLifetime((self, x)) {
      FeatureMap.writing(shape) { plane, row, target in
        let place = (plane * shape.height + row) * width
        let (gradients, values) = (scalars.start + place, x.scalars.start + place)
        let (a, shift, b, offset) = (
          factors[plane], shifts[plane], valueFactors[plane], offsets[plane]
        )
        for i in 0..<width {
          target[i] = gradients[i] * a + (values[i] - shift) * b + offset
        }
      }
    }
  }
}

extension FeatureMap<Float> {
  fileprivate func scaledInterleaved(
    _ shifts: [Float], _ factors: [Float], _ offsets: [Float], _ rectifies: ReLUNaN?,
    keepsMask: Bool
  ) -> (FeatureMap, MapMemory<UInt8>?) {
    let stored = MapLayout.storedChannels(shape.channels)
    let chunks = ChannelChunks(shape)
    let kernels = InstructionSet.kernels
    let code = rectifies.flatMap { Activation.relu.kernelCode($0) } ?? Int32(ck_linear)
    let mask = keepsMask && rectifies != nil ? MapMemory<UInt8>(scalars.count / 8) { _ in } : nil
    let values = MapMemory<Float>(scalars.count) { output in
      withExtendedLifetime((self, mask)) {
        withPointers(to: [shifts, factors, offsets]) { numbers in
          parallel(chunks: chunks.count) { chunk, _ in
            let (image, pixels) = chunks[chunk]
            let place = (image * shape.planeCount + pixels.lowerBound) * stored
            let row = image * stored
            var scale = ck_channel_scale(
              pixels: pixels.count, channels: stored, whole: scalars.count, activation: code,
              values: scalars.start + place, shifts: numbers[0] + row, factors: numbers[1] + row,
              offsets: numbers[2] + row, results: output + place,
              mask: mask.map { $0.start + place / 8 })
            kernels.channel_scale(&scale)
          }
        }
      }
    }
    return (FeatureMap(shape: shape, scalars: values), mask)
  }

  fileprivate func combinedInterleaved(
    _ factors: [Float], _ x: FeatureMap, _ shifts: [Float], _ valueFactors: [Float],
    _ offsets: [Float]
  ) -> FeatureMap {
    let stored = MapLayout.storedChannels(shape.channels)
    let chunks = ChannelChunks(shape)
    let kernels = InstructionSet.kernels
    let values = MapMemory<Float>(scalars.count) { output in
      withExtendedLifetime((self, x)) {
        withPointers(to: [factors, shifts, valueFactors, offsets]) { numbers in
          parallel(chunks: chunks.count) { chunk, _ in
            let (image, pixels) = chunks[chunk]
            let place = (image * shape.planeCount + pixels.lowerBound) * stored
            let row = image * stored
            var combination = ck_channel_combination(
              pixels: pixels.count, channels: stored, whole: scalars.count,
              gradients: scalars.start + place,
              mask: mask.map { UnsafePointer($0.start + place / 8) },
              values: x.scalars.start + place, gradient_factors: numbers[0] + row,
              shifts: numbers[1] + row, value_factors: numbers[2] + row,
              offsets: numbers[3] + row, results: output + place)
            kernels.channel_combine(&combination)
          }
        }
      }
    }
    return FeatureMap(shape: shape, scalars: values)
  }
}

/// Calls `body` with the address of a copy of each of some arrays of one size.
private func withPointers(
  to arrays: [[Float]], _ body: ([UnsafePointer<Float>]) -> Void
) {
  let size = arrays[0].count
  Array(arrays.joined()).withUnsafeBufferPointer { all in
    guard let start = all.baseAddress else { return }
    body(arrays.indices.map { start + $0 * size })
  }
}

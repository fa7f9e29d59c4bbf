import CKernels

/// Windows of s×s pixels that do not overlap, each of which becomes one pixel.
package enum PoolRule: String, Sendable, CaseIterable {
  /// The largest number of the window.
  ///
  /// A NaN is larger than every number. Of several largest numbers the first in row-major order counts,
  /// of several NaN the last, as in PyTorch.
  case max
  /// The mean of the window.
  case mean
}

extension FeatureMap {
  /// Returns the map of which each pixel is the largest number, or the mean, of s×s pixels of this one.
  ///
  /// - Parameters:
  ///   - size: s, which divides both sides.
  ///   - rule: What becomes of a window.
  /// - Returns: `[N, C, H/s, W/s]`.
  @specialized(where Element == Float)
  @specialized(where Element == Double)
  package func pooled(_ size: Int, _ rule: PoolRule) -> FeatureMap {
    precondition(
      shape.height % size == 0 && shape.width % size == 0, "A pool of \(size) divides \(shape).")
    let source = resolved
    let grid = source.rows
    let divisor = Element(size * size)
    return withExtendedLifetime(source) {
      FeatureMap.writing(shape(height: shape.height / size, width: shape.width / size)) {
        plane, row, target in
        let start = source.scalars.start + plane * grid.plane + row * size * grid.row
        for column in 0..<grid.width / size {
          let window = start + column * size * grid.lanes
          let result = target + column * grid.lanes
          result.update(from: window, count: grid.lanes)
          for place in 1..<max(1, size * size) {
            let values = window + place / size * grid.row + place % size * grid.lanes
            switch rule {
            case .max:
              for lane in 0..<grid.lanes {
                let (value, best) = (values[lane], result[lane])
                result[lane] = value > best || value != value ? value : best
              }
            case .mean: for lane in 0..<grid.lanes { result[lane] += values[lane] }
            }
          }
          if rule == .mean { for lane in 0..<grid.lanes { result[lane] /= divisor } }
        }
      }
    }
  }

  /// Returns the gradient of x for this gradient of its means over s×s pixels: each pixel of a window
  /// gets 1/s² of that of the mean.
  @specialized(where Element == Float)
  @specialized(where Element == Double)
  package func unpooledMean(_ size: Int) -> FeatureMap {
    let gradient = resolved
    let grid = gradient.rows
    let divisor = Element(size * size)
    return withExtendedLifetime(gradient) {
      FeatureMap.writing(shape(height: shape.height * size, width: shape.width * size)) {
        plane, row, target in
        let start = gradient.scalars.start + plane * grid.plane + row / size * grid.row
        for column in 0..<grid.width * size {
          let (values, result) = (start + column / size * grid.lanes, target + column * grid.lanes)
          for lane in 0..<grid.lanes { result[lane] = values[lane] / divisor }
        }
      }
    }
  }

  /// Returns the gradient of `x` for this gradient of its largest numbers in s×s pixels: the pixel that
  /// was the largest gets it, the others get 0.
  @specialized(where Element == Float)
  @specialized(where Element == Double)
  package func unpooledMax(_ size: Int, of x: FeatureMap) -> FeatureMap {
    let (gradient, x) = (resolved, x.resolved)
    if layout == .interleaved, let g = gradient as? FeatureMap<Float>,
      let x = x as? FeatureMap<Float>,
      let result = g.unpooledMaxInterleaved(size, of: x) as? FeatureMap
    {
      return result
    }
    let (pooled, grid) = (gradient.rows, x.rows)
    return withExtendedLifetime((gradient, x)) {
      FeatureMap.writing(x.shape, rows: size) { plane, row, target in
        let start = x.scalars.start + plane * grid.plane + row * size * grid.row
        let gradients = gradient.scalars.start + plane * pooled.plane + row * pooled.row
        for column in 0..<pooled.width {
          let window = column * size
          var largest = 0
          for place in 0..<size * size {
            let offset = window + place / size * grid.row + place % size
            let (value, best) = (start[offset], start[window + largest])
            if value > best || value != value {
              largest = place / size * grid.row + place % size
            }
            target[offset] = 0
          }
          target[window + largest] = gradients[column]
        }
      }
    }
  }
}

extension FeatureMap<Float> {
  fileprivate func unpooledMaxInterleaved(_ size: Int, of x: FeatureMap) -> FeatureMap {
    let (pooled, grid) = (rows, x.rows)
    let kernels = InstructionSet.kernels
    return withExtendedLifetime((self, x)) {
      FeatureMap.writing(x.shape, rows: size) { plane, row, target in
        let start = x.scalars.start + plane * grid.plane + row * size * grid.row
        let gradients = scalars.start + plane * pooled.plane + row * pooled.row
        var unpooling = ck_unpooling(
          windows: pooled.width, size: size, channels: grid.lanes, row: grid.row, values: start,
          gradients: gradients, results: target)
        kernels.unpool_max(&unpooling)
      }
    }
  }
}

// The passes of the reference engine, for every geometry, on planes `[N, C, H, W]`.
//
// A small image, and the gradient of a kernel, come from the columns of strips of the large one. A
// large image comes from a small one in the same way at stride 1, with the turned kernel; else the
// product of weights and a strip of the small image is added to the large one column by column.

extension Correlation {
  /// The values of a pass, and whether there is a NaN or an infinity among them.
  typealias Image<Element: Scalar> = (values: MapMemory<Element>, foundNonFinite: Bool)

  /// Computes the small image, plus `bias`, from the values of the large one.
  @specialized(where Element == Float)
  @specialized(where Element == Double)
  func smallImage<Element: Scalar>(
    from source: MapMemory<Element>, _ kernel: Tensor<Element>, _ bias: Tensor<Element>?
  ) -> Image<Element> {
    let strips = ColumnStrips(self)
    let foundNonFinite = Flag()
    let (outputs, pixels) = (outputs, small.pixels)
    let values = MapMemory<Element>(images * small.channels * pixels) { output in
      source.withUnsafeBufferPointer { images in
        kernel.scalars.withUnsafeBufferPointer { weights in
          guard let images = images.baseAddress, let weights = weights.baseAddress else { return }
          strips.withScratch(chunks: strips.count * groups) { (scratch: Scratch<Element>) in
            parallel(chunks: strips.count * groups, workers: scratch.workers) { chunk, worker in
              let (index, group) = chunk.quotientAndRemainder(dividingBy: groups)
              let (image, strip) = strips.strip(index)
              let first = image * small.channels + group * outputs
              let target = output + first * pixels + strip.lowerBound
              let columns = strips.unfold(
                images + (image * large.channels + group * inputs) * large.pixels, strip,
                into: scratch[worker])
              MatrixProduct(
                rows: outputs, columns: strip.count, inner: taps,
                a: weights + group * outputs * taps, aStride: taps,
                b: columns.start, bStride: columns.stride, c: target, cStride: pixels
              ).compute()
              for o in 0..<outputs {
                let shift = bias?.scalars[group * outputs + o]
                if !Self.finish(target + o * pixels, strip.count, adding: shift) {
                  foundNonFinite.raise()
                }
              }
            }
          }
        }
      }
    }
    return (values, foundNonFinite.isRaised)
  }

  /// Computes the large image, plus `bias`, from the values of the small one.
  @specialized(where Element == Float)
  @specialized(where Element == Double)
  func largeImage<Element: Scalar>(
    from source: MapMemory<Element>, _ kernel: Tensor<Element>, _ bias: Tensor<Element>? = nil
  ) -> Image<Element> {
    if stride == 1 {
      return turned.smallImage(from: source, kernel.turned(groups: groups), bias)
    }
    let strips = ColumnStrips(self)
    let foundNonFinite = Flag()
    let (inputs, outputs) = (inputs, outputs)
    let bands = max(1, large.height / bandHeight)
    let chunks = images * groups * bands
    let values = MapMemory<Element>(images * large.channels * large.pixels) { output in
      source.withUnsafeBufferPointer { images in
        kernel.scalars.withUnsafeBufferPointer { weights in
          guard let images = images.baseAddress, let weights = weights.baseAddress else { return }
          strips.withScratch(chunks: chunks) { (scratch: Scratch<Element>) in
            parallel(chunks: chunks, workers: scratch.workers) { chunk, worker in
              guard let columns = scratch[worker] else { return }
              let (plane, part) = chunk.quotientAndRemainder(dividingBy: bands)
              let band = range(ofChunk: part, of: bands, count: large.height)
              let group = plane % groups
              let target = output + plane * inputs * large.pixels
              let gradient = images + plane * outputs * small.pixels
              func rows(_ c: Int) -> UnsafeMutablePointer<Element> {
                target + c * large.pixels + band.lowerBound * large.width
              }
              for c in 0..<inputs { rows(c).update(repeating: 0, count: band.count * large.width) }
              for strip in strips.strips(of: smallPixels(reaching: band)) {
                MatrixProduct(
                  rows: taps, columns: strip.count, inner: outputs,
                  a: weights + group * outputs * taps, aStride: taps, aTransposed: true,
                  b: gradient + strip.lowerBound, bStride: small.pixels,
                  c: columns, cStride: strip.count
                ).compute()
                strips.fold(columns, strip, into: target, band: band)
              }
              for c in 0..<inputs {
                let shift = bias?.scalars[group * inputs + c]
                if !Self.finish(rows(c), band.count * large.width, adding: shift) {
                  foundNonFinite.raise()
                }
              }
            }
          }
        }
      }
    }
    return (values, foundNonFinite.isRaised)
  }

  /// The least number of rows of a large image that are computed together: the columns of strips that
  /// reach two bands are computed twice.
  private var bandHeight: Int { max(32, 4 * (dilation * (kernelHeight - 1) + 1)) }

  /// The pixels of the small image, in whole rows, whose sums read the rows `band` of the large one.
  private func smallPixels(reaching band: Range<Int>) -> Range<Int> {
    let lowest = band.lowerBound + top - dilation * (kernelHeight - 1)
    let first = max(0, (lowest + stride - 1) / stride)
    let last = min(small.height, (band.upperBound - 1 + top) / stride + 1)
    return first * small.width..<max(first, last) * small.width
  }

  /// Computes the gradient of a kernel of shape `shape` from a large and a small image.
  ///
  /// The sum runs in a fixed number of groups of strips that are added in order, so that it does not
  /// depend on the number of threads.
  @specialized(where Element == Float)
  @specialized(where Element == Double)
  func kernelGradient<Element: Scalar>(
    large source: MapMemory<Element>, small gradient: MapMemory<Element>, shape: Shape
  ) -> Tensor<Element> {
    let strips = ColumnStrips(self)
    let parts = min(8, strips.count)
    let (outputs, taps) = (outputs, taps)
    var partials = [Element](repeating: 0, count: parts * shape.count)
    partials.withUnsafeMutableBufferPointer { partials in
      source.withUnsafeBufferPointer { images in
        gradient.withUnsafeBufferPointer { gradients in
          guard let partials = partials.baseAddress, let images = images.baseAddress,
            let gradients = gradients.baseAddress
          else { return }
          strips.withScratch(chunks: parts) { (scratch: Scratch<Element>) in
            parallel(chunks: parts, workers: scratch.workers) { part, worker in
              for index in range(ofChunk: part, of: parts, count: strips.count) {
                let (image, strip) = strips.strip(index)
                for group in 0..<groups {
                  let first = image * small.channels + group * outputs
                  let columns = strips.unfold(
                    images + (image * large.channels + group * inputs) * large.pixels, strip,
                    into: scratch[worker])
                  MatrixProduct(
                    rows: outputs, columns: taps, inner: strip.count,
                    a: gradients + first * small.pixels + strip.lowerBound, aStride: small.pixels,
                    b: columns.start, bStride: columns.stride, bTransposed: true,
                    c: partials + part * shape.count + group * outputs * taps, cStride: taps,
                    accumulates: true
                  ).compute()
                }
              }
            }
          }
        }
      }
    }
    var sum = Array(partials[0..<min(partials.count, shape.count)])
    for part in 1..<max(1, parts) {
      for i in 0..<shape.count { sum[i] += partials[part * shape.count + i] }
    }
    return Tensor(shape: shape, scalars: sum)
  }

  /// Adds `shift` to `count` values.
  ///
  /// - Returns: Whether none of them is a NaN or an infinity: x − x is 0 only for finite x.
  @inline(__always)
  private static func finish<Element: Scalar>(
    _ values: UnsafeMutablePointer<Element>, _ count: Int, adding shift: Element?
  ) -> Bool {
    if let shift {
      for i in 0..<count { values[i] += shift }
    }
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

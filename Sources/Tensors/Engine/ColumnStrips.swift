import Synchronization

/// The division of a small image into strips of pixels, and the columns of each strip.
struct ColumnStrips {
  private let sizes: Correlation
  private let pixels: Int
  /// The largest number of pixels in a strip; strips depend on the shapes alone.
  private let pixelsPerStrip: Int

  /// The approximate size of a strip's column matrix in Float, in bytes, so that it stays in the
  /// cache.
  private static let columnBytes = 640 << 10

  init(_ sizes: Correlation) {
    (self.sizes, pixels) = (sizes, sizes.small.pixels)
    pixelsPerStrip = max(64, Self.columnBytes / 4 / max(1, sizes.taps) / 16 * 16)
  }

  private var stripsPerImage: Int { (pixels + pixelsPerStrip - 1) / pixelsPerStrip }
  /// The number of strips of all images.
  var count: Int { sizes.images * stripsPerImage }

  /// The image and the range of pixels of strip `index`.
  func strip(_ index: Int) -> (image: Int, pixels: Range<Int>) {
    let start = index % stripsPerImage * pixelsPerStrip
    return (index / stripsPerImage, start..<min(pixels, start + pixelsPerStrip))
  }

  /// The strips of consecutive pixels of one image.
  func strips(of range: Range<Int>) -> [Range<Int>] {
    stride(from: range.lowerBound, to: range.upperBound, by: pixelsPerStrip).map {
      $0..<min(range.upperBound, $0 + pixelsPerStrip)
    }
  }

  /// Provides memory for one column matrix for each worker of `chunks` chunks.
  func withScratch<Element: Scalar>(chunks: Int, _ body: (Scratch<Element>) -> Void) {
    let size = sizes.taps * min(pixelsPerStrip, pixels)
    let workers = min(Parallelism.threads, chunks)
    withUnsafeTemporaryAllocation(of: Element.self, capacity: isPointwise ? 0 : size * workers) {
      body(Scratch(start: $0.baseAddress, size: size, workers: workers))
    }
  }

  /// Whether the kernel is 1×1 without steps, so that the large image is its own column matrix.
  private var isPointwise: Bool {
    sizes.kernelHeight == 1 && sizes.kernelWidth == 1 && sizes.stride == 1
  }

  /// The column matrix `[taps, pixels]` of a strip: row (c,u,v) holds large[c, s·y+d·u−p, s·x+d·v−q],
  /// where c counts from the first of `planes`.
  @inline(__always)
  func unfold<Element: Scalar>(
    _ planes: UnsafePointer<Element>, _ strip: Range<Int>,
    into scratch: UnsafeMutablePointer<Element>?
  ) -> (start: UnsafePointer<Element>, stride: Int) {
    guard !isPointwise, let scratch else { return (planes + strip.lowerBound, pixels) }
    var row = scratch
    for c in 0..<sizes.inputs {
      let plane = planes + c * sizes.large.pixels
      for u in 0..<sizes.kernelHeight {
        for v in 0..<sizes.kernelWidth {
          unfoldTap(
            plane, rowShift: sizes.dilation * u - sizes.top,
            columnShift: sizes.dilation * v - sizes.left, strip, row)
          row += strip.count
        }
      }
    }
    return (UnsafePointer(scratch), strip.count)
  }

  /// Writes `plane`, moved by the shifts and zero beyond its borders, for the pixels of `strip`.
  @inline(__always)
  private func unfoldTap<Element: Scalar>(
    _ plane: UnsafePointer<Element>, rowShift: Int, columnShift: Int, _ strip: Range<Int>,
    _ output: UnsafeMutablePointer<Element>
  ) {
    var target = output
    forEachRun(of: strip, columnShift: columnShift) { y, x, count, inside in
      let sourceRow = y * sizes.stride + rowShift
      if sourceRow < 0 || sourceRow >= sizes.large.height {
        target.update(repeating: 0, count: count)
      } else {
        let source = plane + sourceRow * sizes.large.width
        let first = (x + inside.lowerBound) * sizes.stride + columnShift
        target.update(repeating: 0, count: inside.lowerBound)
        if sizes.stride == 1 {
          (target + inside.lowerBound).update(from: source + first, count: inside.count)
        } else {
          for i in 0..<inside.count {
            target[inside.lowerBound + i] = source[first + i * sizes.stride]
          }
        }
        (target + inside.upperBound).update(repeating: 0, count: count - inside.upperBound)
      }
      target += count
    }
  }

  /// Adds the column matrix `[taps, pixels]` of a strip to the rows `band` of the planes that
  /// ``unfold(_:_:into:)`` would read.
  @inline(__always)
  func fold<Element: Scalar>(
    _ columns: UnsafePointer<Element>, _ strip: Range<Int>,
    into planes: UnsafeMutablePointer<Element>, band: Range<Int>
  ) {
    var row = columns
    for c in 0..<sizes.inputs {
      let plane = planes + c * sizes.large.pixels
      for u in 0..<sizes.kernelHeight {
        for v in 0..<sizes.kernelWidth {
          let columnShift = sizes.dilation * v - sizes.left
          var source = row
          forEachRun(of: strip, columnShift: columnShift) { y, x, count, inside in
            let targetRow = y * sizes.stride + sizes.dilation * u - sizes.top
            if band.contains(targetRow) {
              let target = plane + targetRow * sizes.large.width
              for i in inside { target[(x + i) * sizes.stride + columnShift] += source[i] }
            }
            source += count
          }
          row += strip.count
        }
      }
    }
  }

  /// Calls `body` for the parts of `strip` that lie within a row, each with its row, its first column,
  /// its count, and the places whose column s·x+shift lies inside the large image.
  @inline(__always)
  private func forEachRun(
    of strip: Range<Int>, columnShift: Int,
    _ body: (_ y: Int, _ x: Int, _ count: Int, _ inside: Range<Int>) -> Void
  ) {
    let (width, step) = (sizes.small.width, sizes.stride)
    var pixel = strip.lowerBound
    while pixel < strip.upperBound {
      let (y, x) = (pixel / width, pixel % width)
      let count = min(width - x, strip.upperBound - pixel)
      let start = x * step + columnShift
      // With start + i·s ≥ 0 from the first on, and < the width up to the last.
      let first = min(count, start < 0 ? (step - 1 - start) / step : 0)
      let room = sizes.large.width - start
      let last = max(first, min(count, room > 0 ? (room + step - 1) / step : 0))
      body(y, x, count, first..<last)
      pixel += count
    }
  }
}

/// Memory for column matrices, one for each worker.
struct Scratch<Element: Scalar> {
  let start: UnsafeMutablePointer<Element>?
  let size: Int
  /// The number of workers that have memory of their own.
  let workers: Int

  subscript(worker: Int) -> UnsafeMutablePointer<Element>? { start.map { $0 + worker * size } }
}

/// A flag that any chunk of a parallel loop can raise.
final class Flag: Sendable {
  private let raised = Atomic<Bool>(false)

  func raise() { raised.store(true, ordering: .relaxed) }
  var isRaised: Bool { raised.load(ordering: .relaxed) }
}

import Synchronization

/// The division of a convolution into strips of pixels, and the columns of each strip.
struct Geometry {
  /// N, C and O: the number of images, of channels read and of channels written.
  let images: Int, inputs: Int, outputs: Int
  let height: Int, width: Int
  let kernelHeight: Int, kernelWidth: Int
  /// The largest number of pixels in a strip; strips depend on the shapes alone.
  private let pixelsPerStrip: Int

  /// The approximate size of a strip's column matrix in Float, in bytes, so that it stays in the
  /// cache.
  private static let columnBytes = 640 << 10

  init(input: Shape, kernel: Shape) {
    precondition(
      kernel.rank == 4 && kernel[1] == input.channels,
      "conv2d: the kernel \(kernel) reads \(kernel[1]) channels, the input is \(input).")
    precondition(
      kernel[2] % 2 == 1 && kernel[3] % 2 == 1, "conv2d: \(kernel) has an even extent.")
    (images, inputs, outputs) = (input.batch, input.channels, kernel[0])
    (height, width) = (input.height, input.width)
    (kernelHeight, kernelWidth) = (kernel[2], kernel[3])
    let fitting = Self.columnBytes / 4 / (inputs * kernelHeight * kernelWidth)
    pixelsPerStrip = max(64, fitting / 16 * 16)
  }

  /// H·W.
  var pixels: Int { height * width }
  /// C·kH·kW, the length of the sum that makes one output.
  var taps: Int { inputs * kernelHeight * kernelWidth }
  private var stripsPerImage: Int { (pixels + pixelsPerStrip - 1) / pixelsPerStrip }
  /// The number of strips of all images.
  var strips: Int { images * stripsPerImage }

  /// The image and the range of pixels of strip `index`.
  func strip(_ index: Int) -> (image: Int, pixels: Range<Int>) {
    let start = index % stripsPerImage * pixelsPerStrip
    return (index / stripsPerImage, start..<min(pixels, start + pixelsPerStrip))
  }

  /// Provides memory for one column matrix for each worker.
  func withColumnScratch<Element: Scalar>(_ body: (Scratch<Element>) -> Void) {
    let size = taps * min(pixelsPerStrip, pixels)
    let workers = min(Parallelism.threads, strips)
    withUnsafeTemporaryAllocation(of: Element.self, capacity: isPointwise ? 0 : size * workers) {
      body(Scratch(start: $0.baseAddress, size: size))
    }
  }

  /// Whether the kernel is 1×1, so that the image is its own column matrix.
  private var isPointwise: Bool { kernelHeight == 1 && kernelWidth == 1 }

  /// The column matrix `[taps, pixels]` of a strip: row (c,u,v) holds input[c, y+u−p, x+v−q].
  @inline(__always)
  func unfold<Element: Scalar>(
    _ image: UnsafePointer<Element>, _ strip: Range<Int>,
    into scratch: UnsafeMutablePointer<Element>?
  ) -> (start: UnsafePointer<Element>, stride: Int) {
    guard !isPointwise, let scratch else { return (image + strip.lowerBound, pixels) }
    var row = scratch
    for c in 0..<inputs {
      let plane = image + c * pixels
      for u in 0..<kernelHeight {
        for v in 0..<kernelWidth {
          unfoldTap(
            plane, rowShift: u - kernelHeight / 2, columnShift: v - kernelWidth / 2, strip, row)
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
    var pixel = strip.lowerBound
    var target = output
    while pixel < strip.upperBound {
      let (y, x) = (pixel / width, pixel % width)
      let count = min(width - x, strip.upperBound - pixel)
      let sourceRow = y + rowShift
      if sourceRow < 0 || sourceRow >= height {
        target.update(repeating: 0, count: count)
      } else {
        // The columns x+shift… that lie inside the image are first..<last of this run.
        let first = min(count, max(0, -(x + columnShift)))
        let last = max(first, min(count, width - (x + columnShift)))
        target.update(repeating: 0, count: first)
        (target + first).update(
          from: plane + sourceRow * width + x + columnShift + first, count: last - first)
        (target + last).update(repeating: 0, count: count - last)
      }
      pixel += count
      target += count
    }
  }
}

/// Memory for column matrices, one for each worker.
struct Scratch<Element: Scalar> {
  let start: UnsafeMutablePointer<Element>?
  let size: Int

  subscript(worker: Int) -> UnsafeMutablePointer<Element>? { start.map { $0 + worker * size } }
}

/// A flag that any chunk of a parallel loop can raise.
final class Flag: Sendable {
  private let raised = Atomic<Bool>(false)

  func raise() { raised.store(true, ordering: .relaxed) }
  var isRaised: Bool { raised.load(ordering: .relaxed) }
}

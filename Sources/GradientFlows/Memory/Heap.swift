import Networks
import Tensors

/// Memory that is only counted: what is taken, and the most at once.
final class Heap {
  /// Memory that is free as soon as nothing refers to it.
  final class Block {
    private let heap: Heap
    let bytes: Int

    fileprivate init(_ heap: Heap, _ bytes: Int) {
      (self.heap, self.bytes) = (heap, bytes)
      heap.used += bytes
      heap.peak = max(heap.peak, heap.used)
    }

    deinit { heap.used -= bytes }
  }

  private(set) var used = 0
  private(set) var peak = 0

  func take(_ bytes: Int) -> Block { Block(self, bytes) }
}

/// The number of images of a batch, and their size.
package struct BatchSize: Hashable, Sendable {
  package let batch: Int, height: Int, width: Int

  package init(batch: Int, height: Int, width: Int) {
    (self.batch, self.height, self.width) = (batch, height, width)
  }
}

extension Program {
  /// Returns the shape of every value for a batch; images that do not fit count as the next larger ones
  /// that do, to which they are padded.
  func shapes(_ size: BatchSize) -> [Shape] {
    paddedShapes(batch: size.batch, height: size.height, width: size.width, upTo: 256)
      ?? nodes.indices.map { _ in [size.batch, 1, size.height, size.width] }
  }
}

extension Shape {
  /// Returns the bytes of a map of this shape; 0 for what is no map.
  func mapBytes<Element: Scalar>(_ type: Element.Type) -> Int {
    guard rank == 4 else { return 0 }
    return ConvolutionMemory.map(channels: channels, pixels: batch * planeCount, type)
  }
}

/// The numbers of a map, aligned to cache lines; memory comes from a pool and goes back to it.
///
/// A training step asks for the same sizes again and again. Large ones lie on huge pages, where the
/// system has them, so that kernels which walk many rows at once do not miss in the page table.
final class MapMemory<Value: BitwiseCopyable & Sendable>: @unchecked Sendable {
  // The memory block, written by the operation that makes the map before it is shared, then only
  // read. An operation that is its last reader may write there again.
  private let block: MemoryPool.Block
  let start: UnsafeMutablePointer<Value>
  let count: Int

  /// Takes memory for `count` values, which `body` writes completely.
  @inline(__always)
  init(_ count: Int, writing body: (UnsafeMutablePointer<Value>) -> Void) {
    block = MemoryPool.take(bytes: count * MemoryLayout<Value>.stride)
    start = block.start.bindMemory(to: Value.self, capacity: count)
    self.count = count
    body(start)
  }

  /// A copy of `values`.
  convenience init(_ values: [Value]) {
    self.init(values.count) { target in
      values.withUnsafeBufferPointer {
        guard let source = $0.baseAddress else { return }
        parallelRanges($0.count) { range in
          (target + range.lowerBound).update(from: source + range.lowerBound, count: range.count)
        }
      }
    }
  }

  deinit { MemoryPool.giveBack(block) }

  @inline(__always)
  func withUnsafeBufferPointer<Result>(
    _ body: (UnsafeBufferPointer<Value>) throws -> Result
  ) rethrows -> Result {
    try withExtendedLifetime(self) { try body(UnsafeBufferPointer(start: start, count: count)) }
  }
}

import Synchronization

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Numbers of a map, aligned to cache lines; memory comes from a pool and goes back to it.
///
/// A training step asks for the same sizes again and again. Large ones lie on huge pages, where the
/// system has them, so that kernels which walk many rows at once do not miss in the page table.
final class MapMemory<Value: BitwiseCopyable & Sendable>: @unchecked Sendable {
  // Written by the operation that makes the map, before anybody else has it; read from then on.
  private let block: MemoryPool.Block
  let start: UnsafeMutablePointer<Value>
  let count: Int

  /// Memory for `count` values, which `body` writes completely.
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
        if let source = $0.baseAddress { target.update(from: source, count: $0.count) }
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

/// Blocks of memory that were used and will be used again.
enum MemoryPool {
  struct Block: @unchecked Sendable {
    let start: UnsafeMutableRawPointer
    let bytes: Int
  }

  /// Blocks of at least this size are mapped for themselves, on huge pages; smaller ones come from
  /// the C library.
  private static let hugePage = 2 << 20
  /// Free blocks together hold at most this much when another size is asked for.
  private static let mostFree = 64 << 20

  private struct Free {
    var blocks: [Int: [Block]] = [:]
    var bytes = 0
  }
  private static let free = Mutex(Free())

  static func take(bytes: Int) -> Block {
    guard bytes >= hugePage else {
      let size = max(64, (bytes + 63) / 64 * 64)
      guard let start = aligned_alloc(64, size) else { fatalError("out of memory: \(size) bytes") }
      return Block(start: start, bytes: size)
    }
    let size = (bytes + hugePage - 1) / hugePage * hugePage
    let known = free.withLock { free -> Block? in
      if let block = free.blocks[size]?.popLast() {
        free.bytes -= size
        return block
      }
      // Another size than before: what is kept of other sizes may never be asked for again.
      if free.bytes > mostFree {
        for block in free.blocks.values.joined() { munmap(block.start, block.bytes) }
        free = Free()
      }
      return nil
    }
    return known ?? map(size)
  }

  static func giveBack(_ block: Block) {
    guard block.bytes >= hugePage else { return Glibc.free(block.start) }
    free.withLock {
      $0.blocks[block.bytes, default: []].append(block)
      $0.bytes += block.bytes
    }
  }

  /// Fresh pages at a multiple of the huge page's size.
  private static func map(_ size: Int) -> Block {
    let reserved = size + hugePage
    let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE
    guard let start = mmap(nil, reserved, PROT_READ | PROT_WRITE, flags, -1, 0),
      start != MAP_FAILED
    else { fatalError("out of memory: \(size) bytes") }
    let before = (hugePage - Int(bitPattern: start) % hugePage) % hugePage
    if before > 0 { munmap(start, before) }
    munmap(start + before + size, hugePage - before)
    #if os(Linux)
      _ = madvise(start + before, size, MADV_HUGEPAGE)
    #endif
    return Block(start: start + before, bytes: size)
  }
}

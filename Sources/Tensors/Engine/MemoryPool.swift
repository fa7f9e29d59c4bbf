import Foundation
import Synchronization

/// A pool of memory for maps, which keeps freed memory: fresh pages cost more than the writing to
/// them.
///
/// Larger blocks are cut from ranges of addresses, always at the lowest place that fits, and are
/// merged again when they are given back; so maps of many sizes share the same pages.
enum MemoryPool {
  struct Block: @unchecked Sendable {
    let start: UnsafeMutableRawPointer
    let bytes: Int
  }

  /// The smallest size of blocks from a range of addresses, in whole pages; smaller ones come from
  /// the C library.
  private static let leastBlock = 64 << 10
  private static let page = 4 << 10
  /// The smallest size of blocks from a range of their own, in whole huge pages.
  private static let hugePage = 2 << 20

  private static let blocks = Mutex(Arena(isHuge: false))
  private static let hugeBlocks = Mutex(Arena(isHuge: true))

  /// The number of bytes that a block of `bytes` really takes.
  static func size(of bytes: Int) -> Int {
    let step = bytes >= hugePage ? hugePage : bytes >= leastBlock ? page : 64
    return max(step, (bytes + step - 1) / step * step)
  }

  /// The number of bytes of all blocks in use, and the largest number so far.
  private static let used = Atomic<Int>(0)
  private static let most = Atomic<Int>(0)

  /// The largest number of bytes that maps, masks and the engine's sums took at once since the
  /// program began.
  static var peak: Int { most.load(ordering: .relaxed) }

  static func take(bytes: Int) -> Block {
    let size = size(of: bytes)
    most.max(used.add(size, ordering: .relaxed).newValue, ordering: .relaxed)
    let start =
      size >= hugePage
      ? hugeBlocks.withLock { $0.take(size) }
      : size >= leastBlock ? blocks.withLock { $0.take(size) } : aligned_alloc(64, size)
    guard let start else { fatalError("out of memory: \(size) bytes") }
    return Block(start: start, bytes: size)
  }

  static func giveBack(_ block: Block) {
    used.subtract(block.bytes, ordering: .relaxed)
    if block.bytes >= hugePage {
      hugeBlocks.withLock { $0.giveBack(block) }
    } else if block.bytes >= leastBlock {
      blocks.withLock { $0.giveBack(block) }
    } else {
      free(block.start)
    }
  }

  /// A range of addresses with its unused parts.
  private struct Arena: @unchecked Sendable {
    private struct Gap {
      var start: UnsafeMutableRawPointer
      var bytes: Int

      var end: UnsafeMutableRawPointer { start + bytes }
    }

    /// Whether pages are huge, where the system has huge ones.
    let isHuge: Bool
    /// The unused parts in the order of addresses; no two are adjacent.
    private var gaps: [Gap] = []
    /// The end of the highest block so far, beyond which there are no pages yet.
    private var reached: UnsafeMutableRawPointer?
    /// The largest number of bytes in unused pages; beyond it, they go back to the system.
    private let mostKept = Int(ProcessInfo.processInfo.physicalMemory / 4)

    init(isHuge: Bool) { self.isHuge = isHuge }

    mutating func take(_ bytes: Int) -> UnsafeMutableRawPointer? {
      if reached == nil { reserve() }
      guard let index = gaps.firstIndex(where: { $0.bytes >= bytes }) else { return nil }
      let start = gaps[index].start
      gaps[index].start += bytes
      gaps[index].bytes -= bytes
      if let known = reached { reached = max(known, gaps[index].start) }
      if gaps[index].bytes == 0 { gaps.remove(at: index) }
      return start
    }

    mutating func giveBack(_ block: Block) {
      let index = gaps.firstIndex { $0.start > block.start } ?? gaps.count
      gaps.insert(Gap(start: block.start, bytes: block.bytes), at: index)
      join(at: index)
      if index > 0 { join(at: index - 1) }
      if kept > mostKept { release() }
    }

    /// Makes the gap at `index` and the next one a single gap if they touch.
    private mutating func join(at index: Int) {
      guard index + 1 < gaps.count, gaps[index].end == gaps[index + 1].start else { return }
      gaps[index].bytes += gaps.remove(at: index + 1).bytes
    }

    /// The bytes of the gaps that have pages, since they were part of a block before.
    private var kept: Int {
      guard let reached else { return 0 }
      return gaps.reduce(0) { $0 + max(0, min($1.end, reached) - $1.start) }
    }

    /// Returns the pages of all gaps to the system; the addresses stay.
    private mutating func release() {
      for gap in gaps { madvise(gap.start, gap.bytes, MADV_DONTNEED) }
      if let last = gaps.last, let known = reached { reached = min(known, last.start) }
    }

    /// Reserves addresses, which cost nothing: more than the machine has memory, or as many as
    /// allowed.
    private mutating func reserve() {
      var size = Int(ProcessInfo.processInfo.physicalMemory) * 4 / hugePage * hugePage
      let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE
      while size >= 2 * hugePage {
        if let start = mmap(nil, size, PROT_READ | PROT_WRITE, flags, -1, 0), start != MAP_FAILED {
          let before = (hugePage - Int(bitPattern: start) % hugePage) % hugePage
          #if os(Linux)
            if isHuge { madvise(start, size, MADV_HUGEPAGE) }
          #endif
          gaps = [Gap(start: start + before, bytes: size - hugePage)]
          reached = start + before
          return
        }
        size /= 2
      }
    }
  }
}

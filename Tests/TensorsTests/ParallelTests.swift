import Dispatch
import Foundation
import Synchronization
import Tensors
import Testing

/// Chunks on several threads, also where several ask at once and where a chunk asks itself.
struct ParallelTests {
  private static let (chunks, workers) = (200, 3)

  /// Counts the calls for each chunk, and those in which a worker's number was in use already.
  private final class Calls: Sendable {
    let ofChunks = Mutex([Int](repeating: 0, count: chunks))
    let busy = Mutex(Set<Int>())
    let clashes = Atomic<Int>(0)

    func run(_ inner: Calls?) {
      parallel(chunks: chunks, workers: workers) { chunk, worker in
        let isAlone = busy.withLock { $0.insert(worker).inserted }
        if !isAlone || !(0..<workers).contains(worker) { clashes.add(1, ordering: .relaxed) }
        ofChunks.withLock { $0[chunk] += 1 }
        if chunk % 50 == 0 { inner?.run(nil) }
        busy.withLock { _ = $0.remove(worker) }
      }
    }
  }

  @Test func `each chunk is called once, and no worker's number is in use twice`() {
    let all = (0..<8).map { _ in (outer: Calls(), inner: Calls()) }
    DispatchQueue.concurrentPerform(iterations: all.count) { index in
      for _ in 0..<20 { all[index].outer.run(index % 2 == 0 ? nil : all[index].inner) }
    }
    for (index, calls) in all.enumerated() {
      #expect(calls.outer.ofChunks.withLock { $0.allSatisfy { $0 == 20 } })
      #expect(calls.outer.clashes.load(ordering: .relaxed) == 0)
      let inner = index % 2 == 0 ? 0 : 20 * Self.chunks / 50
      #expect(calls.inner.ofChunks.withLock { $0.allSatisfy { $0 == inner } })
    }
  }

  /// The threads of the crew sleep in between.
  @Test func `work that comes after a pause is done`() {
    let calls = Calls()
    for _ in 0..<20 {
      calls.run(nil)
      usleep(2000)
    }
    #expect(calls.ofChunks.withLock { $0.allSatisfy { $0 == 20 } })
    #expect(calls.clashes.load(ordering: .relaxed) == 0)
  }
}

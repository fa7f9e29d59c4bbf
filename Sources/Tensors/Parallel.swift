import Dispatch
import Synchronization

/// How many threads work at once.
package enum Parallelism {
  private static let count = Atomic<Int>(0)

  /// The number of worker threads, at least 1; at first the number of cores.
  ///
  /// Results never depend on it: work is cut into chunks by the size of the problem alone.
  package static var threads: Int {
    get {
      let set = count.load(ordering: .relaxed)
      return set > 0 ? set : availableCores
    }
    set { count.store(max(1, newValue), ordering: .relaxed) }
  }
}

extension Parallelism {
  /// Whether chunks that have not begun are left out, asked before each of them, from several threads;
  /// nil if all are done.
  ///
  /// What is computed with chunks left out means nothing, so whoever sets this asks afterwards
  /// whether to throw the result away.
  @TaskLocal package static var shouldStop: (@Sendable () -> Bool)?
}

/// Calls `body(chunk, worker)` once for each chunk, on up to `Parallelism.threads` threads.
///
/// Workers take chunks from a shared counter, so a slow thread holds nobody up. `worker` numbers
/// the thread, for scratch memory. Chunks must be cut by the size of the problem, never by the
/// number of threads, and write to separate places; then the result is the same bits for any
/// number of threads. With ``Parallelism/shouldStop`` set, the rest of the chunks may be left out.
package func parallel(chunks: Int, _ body: (_ chunk: Int, _ worker: Int) -> Void) {
  let workers = min(Parallelism.threads, chunks)
  let shouldStop = Parallelism.shouldStop
  guard workers > 1 else {
    for chunk in 0..<chunks {
      if let shouldStop, shouldStop() { return }
      body(chunk, 0)
    }
    return
  }
  let next = Atomic<Int>(0)
  withoutActuallyEscaping(body) { body in
    // Chunks write to separate places (see above), which the compiler cannot see.
    nonisolated(unsafe) let body = body
    DispatchQueue.concurrentPerform(iterations: workers) { worker in
      while true {
        let chunk = next.add(1, ordering: .relaxed).oldValue
        guard chunk < chunks else { return }
        if let shouldStop, shouldStop() { return }
        body(chunk, worker)
      }
    }
  }
}

/// The part of `0..<count` that belongs to `chunk` of `chunks` nearly equal parts.
package func range(ofChunk chunk: Int, of chunks: Int, count: Int) -> Range<Int> {
  count * chunk / chunks..<count * (chunk + 1) / chunks
}

import CKernels
import Dispatch
import Synchronization

/// Settings for the number of threads that work at once.
package enum Parallelism {
  private static let count = Atomic<Int>(0)

  /// The number of worker threads, at least 1; at first the number of cores.
  ///
  /// Results never depend on it: chunks depend on the size of the problem alone.
  package static var threads: Int {
    get {
      let set = count.load(ordering: .relaxed)
      return set > 0 ? set : availableCores
    }
    set { count.store(max(1, newValue), ordering: .relaxed) }
  }

  /// Called before each chunk of ``parallel(chunks:_:)`` on this task, if set; once it returns
  /// true, chunks are left out.
  @TaskLocal fileprivate static var isAbandoned: (@Sendable () -> Bool)?

  /// Whether the work of this task is left out from now on; for long work on one thread.
  package static var isOver: Bool { isAbandoned?() ?? false }
}

/// Runs `body`, and leaves out its remaining parallel work once it is abandoned.
///
/// Numbers are meaningless after that, so neither a result nor an error of `body` is passed on.
///
/// - Parameters:
///   - isAbandoned: Called often and from several threads; once it returns true, it must do so for
///     good.
///   - body: Computes without changing anything that outlives it.
/// - Returns: The result of `body`, or nil when it was abandoned.
/// - Throws: The error of `body`, unless it was abandoned.
package func abandonable<Result, Failure: Error>(
  when isAbandoned: @escaping @Sendable () -> Bool, _ body: () throws(Failure) -> Result
) throws(Failure) -> Result? {
  let made = Parallelism.$isAbandoned.withValue(isAbandoned) {
    () -> Swift.Result<Result, Failure> in
    do throws(Failure) { return .success(try body()) } catch { return .failure(error) }
  }
  return isAbandoned() ? nil : try made.get()
}

/// Calls `body(chunk, worker)` once for each chunk, on up to `workers` threads, and no more than there are
/// cores.
///
/// Workers take chunks from a shared counter, so a slow thread does not delay others. `worker`
/// numbers the thread, for scratch memory. Chunks must be cut by the size of the problem, never by
/// the number of threads, and write to separate places; then the result is the same bits for any
/// number of threads. Scratch memory for each worker is for a number of them that is given here, too: the
/// setting may change in between.
package func parallel(
  chunks: Int, workers: Int = Parallelism.threads, _ body: (_ chunk: Int, _ worker: Int) -> Void
) {
  // Chunks of a chunk share the cores that are left.
  let crowd = Int(ck_crowd())
  let workers = min(workers, chunks, max(1, availableCores / crowd))
  let isAbandoned = Parallelism.isAbandoned
  guard workers > 1 else {
    for chunk in 0..<chunks {
      if let isAbandoned, isAbandoned() { return }
      body(chunk, 0)
    }
    return
  }
  let next = Atomic<Int>(0)
  withoutActuallyEscaping(body) { body in
    // Chunks write to separate memory (see above), which the compiler cannot see.
    nonisolated(unsafe) let body = body
    nonisolated(unsafe) let work = { (worker: Int) in
      let outside = ck_crowd()
      ck_set_crowd(Int32(clamping: crowd * workers))
      defer { ck_set_crowd(outside) }
      while true {
        let chunk = next.add(1, ordering: .relaxed).oldValue
        guard chunk < chunks else { return }
        if let isAbandoned, isAbandoned() { return }
        body(chunk, worker)
      }
    }
    if !Crew.shared.run(workers: workers, work) {
      DispatchQueue.concurrentPerform(iterations: workers) { work($0) }
    }
  }
}

/// The range of `0..<count` for one of `chunks` nearly equal parts.
package func range(ofChunk chunk: Int, of chunks: Int, count: Int) -> Range<Int> {
  count * chunk / chunks..<count * (chunk + 1) / chunks
}

/// Returns what `body` gives for each index, in order, computed on several threads.
///
/// Of work that is abandoned, this thread computes what the others left out: there is a result for each
/// index.
package func parallelMap<Result>(_ count: Int, _ body: (_ index: Int) -> Result) -> [Result] {
  var results = [Result?](repeating: nil, count: count)
  results.withUnsafeMutableBufferPointer { results in
    nonisolated(unsafe) let places = results
    parallel(chunks: count) { index, _ in places[index] = body(index) }
  }
  return results.enumerated().map { index, result in result ?? body(index) }
}

/// Limits that end the reading of files early: memory, and a request to stop.
package struct ReadingLimits: Sendable {
  /// The memory in bytes for the values of all slices and the decompression of one file.
  package var memory: Int
  /// Returns whether to stop; called often, from several threads.
  package var shouldStop: @Sendable () -> Bool

  package init(
    memory: Int = 2 << 30, shouldStop: @escaping @Sendable () -> Bool = { false }
  ) {
    (self.memory, self.shouldStop) = (memory, shouldStop)
  }

  /// - Throws: `CTError` when `bytes` are more than the memory allowed.
  func require(_ bytes: Int, for what: String, hint: String) throws(CTError) {
    guard bytes > memory else { return }
    throw CTError(
      "too-large",
      "\(what) take \((bytes - 1) >> 20 + 1) MiB; the limit is \(memory >> 20) MiB.", hint: hint)
  }
}

import CMalloc

/// Settings for the memory of arrays that are no longer used.
package enum Memory {
  /// Keeps freed memory for the next step instead of returning it to the system.
  ///
  /// A training step allocates the same large arrays every time, and fresh pages from the system
  /// cost more than the arithmetic that fills them. Call it once, before work begins.
  package static func keepFreedPages() {
    #if os(Linux)
      _ = mallopt(M_MMAP_MAX, 0)
      _ = mallopt(M_TRIM_THRESHOLD, .max)
      _ = mallopt(M_TOP_PAD, 64 << 20)
    #endif
  }
}

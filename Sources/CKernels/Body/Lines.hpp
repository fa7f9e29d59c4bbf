// Lines of the cache that are asked for before they are read.

/// Rows of memory, as many bytes apart, of which some lines at a time are fetched into the second-level
/// cache.
///
/// What the processor is asked for while it waits for many lines already, it drops; so a few lines are
/// fetched at a time, as many each time: branches that nobody foresees would cost more than the lines.
struct Lines {
  const char *next = nullptr;
  /// In all rows, and in the one that is begun.
  ptrdiff_t left = 0, leftInRow = 0;
  ptrdiff_t linesOfRow = 0, bytesToNextRow = 0;

  inline __attribute__((always_inline)) Lines() {}
  inline __attribute__((always_inline)) Lines(
      const void *start, ptrdiff_t bytesOfRow, ptrdiff_t distance, ptrdiff_t rows)
      : next((const char *)start), linesOfRow(roundedUp(bytesOfRow, 64) / 64) {
    left = linesOfRow * rows;
    leftInRow = linesOfRow;
    bytesToNextRow = distance - (linesOfRow - 1) * 64;
  }

  inline __attribute__((always_inline)) void fetch(ptrdiff_t count) {
    if (left <= 0) return;
    left -= count;
    // In registers; a fetch keeps the compiler from holding members there.
    const char *line = next;
    ptrdiff_t here = leftInRow;
    ROLLED for (const ptrdiff_t row = linesOfRow, jump = bytesToNextRow; count > 0; count--) {
      __builtin_prefetch(line, 0, 2);
      const bool ends = --here == 0;
      line += ends ? jump : 64;
      here = ends ? row : here;
    }
    next = line;
    leftInRow = here;
  }
};

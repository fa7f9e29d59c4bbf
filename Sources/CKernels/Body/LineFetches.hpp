// Lines of the cache that are fetched ahead: into the second-level cache, while the processor multiplies.

/// Lines that follow one another in memory, spread over the steps of a computation.
struct LineFetch {
  const char *next;
  /// The lines of a step.
  ptrdiff_t lines;

  /// No lines where `values` is null.
  inline __attribute__((always_inline)) LineFetch(
      const float *values, ptrdiff_t count, ptrdiff_t steps)
      : next((const char *)values),
        lines(values && steps > 0 ? (count + 16 * steps - 1) / (16 * steps) : 0) {}

  /// Returns the lines of a step, and goes on to those of the next.
  inline __attribute__((always_inline)) LineFetch step() {
    const LineFetch these = *this;
    next += lines * 64;
    return these;
  }
  /// Fetches line k of a step, if it has as many.
  inline __attribute__((always_inline)) void fetch(ptrdiff_t k) const {
    if (k < lines) __builtin_prefetch(next + k * 64, 0, 2);
  }
};

/// Lines of two maps, in the same steps.
struct RowFetch {
  LineFetch first = {nullptr, 0, 0}, second = {nullptr, 0, 0};

  inline __attribute__((always_inline)) RowFetch() {}
  inline __attribute__((always_inline)) RowFetch(
      const float *one, ptrdiff_t count, const float *other, ptrdiff_t otherCount, ptrdiff_t steps)
      : first(one, count, steps), second(other, otherCount, steps) {}

  inline __attribute__((always_inline)) RowFetch step() {
    RowFetch these;
    these.first = first.step();
    these.second = second.step();
    return these;
  }
  inline __attribute__((always_inline)) void fetch(ptrdiff_t k) const {
    first.fetch(k);
    second.fetch(k);
  }
};

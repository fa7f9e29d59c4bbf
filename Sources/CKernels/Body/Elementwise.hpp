// Operations that treat every value alone.

static KERNEL void applyMask(
    const float *values, const uint8_t *mask, float *result, ptrdiff_t count) {
  for (ptrdiff_t i = 0; i < count; i += 8)
    store<8>(result + i, masked<8>(load<8>(values + i), mask + (i >> 3)));
}

template <int rule>
static KERNEL void joinAll(
    const float *values, const float *others, float *results, ptrdiff_t count, bool streams) {
  for (ptrdiff_t i = 0; i < count; i += LANES) {
    const Floats<LANES> a = loadUpTo(values + i, count - i), s = loadUpTo(others + i, count - i);
    const Floats<LANES> joined = rule == ck_add ? a + s : rule == ck_multiply ? a * s : a * s + s;
    if (count - i >= LANES)
      store<LANES>(results + i, joined, streams);
    else
      storeUpTo(results + i, joined, count - i);
  }
  if (streams) __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static KERNEL void join(
    int32_t rule, const float *values, const float *others, float *results, ptrdiff_t count,
    ptrdiff_t whole) {
  const bool isAligned = (uintptr_t)results % (LANES * sizeof(float)) == 0;
  const bool streams = results != values && isAligned && isStreamed(whole);
  switch (rule) {
    case ck_add: return joinAll<ck_add>(values, others, results, count, streams);
    case ck_multiply: return joinAll<ck_multiply>(values, others, results, count, streams);
    case ck_multiply_add: return joinAll<ck_multiply_add>(values, others, results, count, streams);
  }
}

static KERNEL void overRoots(
    const float *values, const float *squares, float factor, float correction,
    float squareCorrection, float epsilon, float *results, ptrdiff_t count) {
  for (ptrdiff_t i = 0; i < count; i += LANES) {
    const Floats<LANES> x = loadUpTo(values + i, count - i) / correction;
    const Floats<LANES> y = loadUpTo(squares + i, count - i) / squareCorrection;
    storeUpTo(
        results + i, factor * x / (__builtin_elementwise_sqrt(y) + epsilon), count - i);
  }
}

// Operations that treat every value alone.

static KERNEL void applyMask(
    const float *values, const uint8_t *mask, float *result, ptrdiff_t count) {
  for (ptrdiff_t i = 0; i < count; i += 8)
    store<8>(result + i, masked<8>(load<8>(values + i), mask + (i >> 3)));
}

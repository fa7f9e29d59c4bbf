// Forward pass and input gradient.

/// Tiles that do not exist take part in the products, as zeros.
INLINE void clearTiles(
    float *transformed, ptrdiff_t stride, ptrdiff_t channels, int first, int last) {
  for (int e = 0; e < CK_WINOGRAD_POINTS && last > first; e++)
    memset(
        transformed + e * stride + first * channels, 0,
        (size_t)((last - first) * channels) * sizeof(float));
}

/// Whether the products of a place take the place before, whose values have all been read, so that a block
/// needs half as much of the cache.
INLINE bool goesInPlace(ptrdiff_t inputs, ptrdiff_t outputs) { return inputs == outputs; }

/// Tiles of a block that are worked off together: with wide vectors and few channels, so few that they
/// stay in the first-level cache from the first transform to the last; with narrow ones and some more
/// channels, so few that they stay in the second-level one beside the kernels; in place, twice as many.
INLINE int tilesAtOnce(ptrdiff_t inputs, ptrdiff_t outputs) {
  const ptrdiff_t channels = most(inputs, outputs);
  if (LANES == 16 && channels <= 16) return (int)(192 / channels);
  if (LANES < 16 && channels > 16 && channels <= 32) return goesInPlace(inputs, outputs) ? 24 : 12;
  return tilesPerBlock(channels);
}

/// The outputs of `count` tiles from `tile` on, a block at most; returns whether a NaN or an infinity was
/// among them.
static KERNEL int32_t forwardBlock(
    const ck_convolution *a, ptrdiff_t tile, int count, float *scratch, FetchPlan &plan) {
  const int few = tilesAtOnce(a->inputs, a->outputs);
  const ptrdiff_t stride = placeStride(few, a->inputs);
  const ptrdiff_t productStride = placeStride(few, a->outputs);
  float *patch = scratch;
  float *blocks = patch + patchSize(most(a->inputs, a->outputs));
  const bool isInPlace = goesInPlace(a->inputs, a->outputs);
  float *transformed = blocks + (isInPlace ? stride : 0);
  float *products = blocks + (isInPlace ? 0 : CK_WINOGRAD_POINTS * stride);
  int32_t strange = 0;
  TileCursor cursor(a->height, a->width, tile);
  const Map input = {a->input, a->input_mask, a->height, a->width, a->inputs, a->input_pixel};
  for (int done = 0; done < count; done += few) {
    const int some = (int)least(few, count - done);
    if (a->input_mask)
      transformPieces<true, false>(input, cursor, some, transformed, stride, nullptr);
    else
      transformPieces<false, false>(input, cursor, some, transformed, stride, nullptr);
    const int whole = (int)roundedUp(some, TILES_OF_ONE);
    clearTiles(transformed, stride, a->inputs, some, whole);
    multiplyPlaces(
        transformed, a->kernel, products, whole, few, a->inputs, a->outputs, plan);
    strange |= transformTiles(a, products, productStride, cursor, some, patch);
    for (int t = 0; t < some;) t += cursor.takeColumn(some - t);
  }
  return strange;
}

static KERNEL int32_t winogradForward(
    const ck_convolution *a, ptrdiff_t first, ptrdiff_t last, float *scratch) {
  const int block = tilesPerBlock(most(a->inputs, a->outputs));
  const char **const list = fetchList(scratch, a->inputs, a->outputs);
  int32_t strange = 0;
  for (ptrdiff_t tile = first; tile < last; tile += block) {
    const int count = (int)least(block, last - tile);
    const ptrdiff_t next = tile + block, steps = forwardSteps(a, count);
    const ptrdiff_t end = least(last, next + block);
    FetchPlan plan(list, a->inputs, a->outputs);
    if (a->output_pixel == a->outputs)
      addLines(plan, {a->addend, a->outputs * 4, a->height, a->width, tile, tile + count});
    if (a->input_pixel == a->inputs) {
      addLines(plan, {a->input, a->inputs * 4, a->height, a->width, next, end});
      addLines(plan, {a->input_mask, a->inputs / 8, a->height, a->width, next, end});
    }
    plan.share(steps);
    strange |= forwardBlock(a, tile, count, scratch, plan);
  }
  // What went past the caches is there for other threads, too.
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  return strange;
}

// Kernel gradient.

/// One 4×4 tile of the output's gradient, transformed; returns the sum of its values, column by
/// column: the order in which bias gradients add up.
template <bool transforms, class Source>
INLINE Floats<Source::lanes> transformGradientTile(
    const Source &pixels, float *transformed, ptrdiff_t stride) {
  constexpr int L = Source::lanes;
  Floats<L> half[6][4], sum = {};
  UNROLL for (int j = 0; j < 4; j++) {
    Floats<L> y[4], z[6];
    UNROLL for (int i = 0; i < 4; i++) {
      y[i] = pixels.at(i, j);
      sum = sum + y[i];
    }
    if constexpr (transforms) {
      transformGradient(y, z);
      UNROLL for (int i = 0; i < 6; i++) half[i][j] = z[i];
    }
  }
  if constexpr (transforms)
    UNROLL for (int i = 0; i < 6; i++) {
      Floats<L> z[6];
      transformGradient(half[i], z);
      UNROLL for (int j = 0; j < 6; j++) store<L>(transformed + (i * 6 + j) * stride, z[j]);
    }
  return sum;
}

/// Transforms `count` tiles of the gradient and adds their values to `sums`, one a channel.
template <bool isMasked, bool transforms>
static KERNEL void transformGradientTiles(
    const ck_gradient *a, TileCursor cursor, int count, float *transformed, ptrdiff_t stride,
    float *sums, float *patch) {
  const ptrdiff_t channels = a->outputs;
  const Spacing spacing = {a->width * channels, channels};
  for (int t = 0; t < count; t++, cursor.advance()) {
    const Tile tile(cursor, a->height, a->width, channels);
    float *target = transformed + t * channels;
    if (goesInPairs(channels) && tile.isInside && t + 1 < count) {
      TileCursor next = cursor;
      next.advance();
      const Tile second(next, a->height, a->width, channels);
      if (second.isInside) {
        const Wide sum = transformGradientTile<transforms>(
            PixelPairs<isMasked>{
                {a->gradient, a->gradient_mask, tile.start, spacing},
                {a->gradient, a->gradient_mask, second.start, spacing}},
            target, stride);
        store<8>(sums, load<8>(sums) + lower(sum) + upper(sum));
        t++;
        cursor = next;
        continue;
      }
    }
    if (tile.isInside) {
      EACH_LANES(
          c, channels,
          store<L>(
              sums + c,
              load<L>(sums + c)
                  + transformGradientTile<transforms>(
                      Pixels<L, isMasked>(a->gradient, a->gradient_mask, tile.start + c, spacing),
                      target + c, stride)));
    } else {
      copyPatch<isMasked>(
          a->gradient + tile.image, isMasked ? a->gradient_mask + (tile.image >> 3) : nullptr,
          a->height, a->width, channels, tile.y, tile.x, 4, patch);
      EACH_LANES(
          c, channels,
          store<L>(
              sums + c,
              load<L>(sums + c)
                  + transformGradientTile<transforms>(
                      Pixels<L, false>(patch, nullptr, c, {4 * channels, channels}), target + c,
                      stride)));
    }
  }
}

/// At the end of a chunk of 48 tiles, adds its sums to `biasSums` in Double and begins anew.
INLINE void addSumsOfChunk(
    ptrdiff_t tile, ptrdiff_t last, float *sums, double *biasSums, ptrdiff_t channels) {
  if (!biasSums || (tile % CK_TILES_PER_CHUNK != 0 && tile != last)) return;
  for (ptrdiff_t c = 0; c < channels; c++) biasSums[c] += (double)sums[c];
  memset(sums, 0, (size_t)channels * sizeof(float));
}

/// sums[input][output] += Σ over tiles of transformed[tile][input] · gradient[tile][output].
template <int rows, int columns, int L>
INLINE void multiplyTiles(
    const float *transformed, const float *gradient, float *sums, int tiles, ptrdiff_t inputs,
    ptrdiff_t outputs) {
  Floats<L> products[rows][columns] = {};
  for (int t = 0; t < tiles; t++) {
    Floats<L> values[columns];
    UNROLL for (int j = 0; j < columns; j++) values[j] = load<L>(gradient + t * outputs + j * L);
    UNROLL for (int i = 0; i < rows; i++) {
      const Floats<L> x = splat<L>(transformed[t * inputs + i]);
      UNROLL for (int j = 0; j < columns; j++) products[i][j] = fma(x, values[j], products[i][j]);
    }
  }
  UNROLL for (int i = 0; i < rows; i++)
    UNROLL for (int j = 0; j < columns; j++) {
      float *target = sums + i * outputs + j * L;
      store<L>(target, load<L>(target) + products[i][j]);
    }
}

template <int known>
static KERNEL void multiplyTilesAtPlace(
    const float *transformed, const float *gradient, float *sums, int tiles, ptrdiff_t inputs,
    ptrdiff_t outputs, FetchPlan &plan) {
  if constexpr (known > 0) inputs = outputs = known;
  for (ptrdiff_t i = 0; i < inputs; i += 8) {
    plan.advance();
    ptrdiff_t o = 0;
    for (; o + 2 * LANES <= outputs; o += 2 * LANES)
      UNROLL for (int part = 0; part < 8; part += INPUTS_OF_TWO)
        multiplyTiles<INPUTS_OF_TWO, 2, LANES>(
            transformed + i + part, gradient + o, sums + (i + part) * outputs + o, tiles, inputs,
            outputs);
    for (; o + LANES <= outputs; o += LANES)
      multiplyTiles<8, 1, LANES>(
          transformed + i, gradient + o, sums + i * outputs + o, tiles, inputs, outputs);
    if constexpr (LANES == 16)
      if (o < outputs)
        multiplyTiles<8, 1, 8>(
            transformed + i, gradient + o, sums + i * outputs + o, tiles, inputs, outputs);
  }
}

/// Adds the products of lane k of each half of the values with the gradient to sum k, k = 0…7.
INLINE void addSpread(Wide values, Wide gradient, Wide products[8]) {
  UNROLL for (int half = 0; half < 2; half++) {
    const Wide four = half ? upperFours(values) : lowerFours(values);
    UNROLL for (int k = 0; k < 4; k++)
      products[half * 4 + k] = fma(spreadInFours(four, k), gradient, products[half * 4 + k]);
  }
}

/// The sums at one place from 8 to 8 channels: those of tiles with even and with odd numbers, in the
/// halves of a vector; `tiles` is even.
static KERNEL void multiplyTilePairs(
    const float *transformed, const float *gradient, float *sums, int tiles, FetchPlan &plan) {
  Wide products[8] = {};
  plan.advance();
  for (int t = 0; t < tiles; t += 2)
    addSpread(load<16>(transformed + t * 8), load<16>(gradient + t * 8), products);
  UNROLL for (int i = 0; i < 8; i++)
    store<8>(sums + i * 8, load<8>(sums + i * 8) + (lower(products[i]) + upper(products[i])));
}

/// How often the products of a block advance their plan.
INLINE ptrdiff_t gradientSteps(const ck_gradient *a) {
  return CK_WINOGRAD_POINTS * (a->inputs / 8);
}

/// Adds `count` tiles from `tile` on, a block at most, to `sums`, and their values to `valueSums`.
static KERNEL void gradientBlock(
    const ck_gradient *a, ptrdiff_t tile, int count, float *sums, float *valueSums, float *scratch,
    FetchPlan &plan) {
  const int block = tilesPerBlock(most(a->inputs, a->outputs));
  const ptrdiff_t inputStride = placeStride(block, a->inputs);
  const ptrdiff_t gradientStride = placeStride(block, a->outputs);
  float *transformed = scratch;
  float *gradient = transformed + CK_WINOGRAD_POINTS * inputStride;
  float *patch = gradient + CK_WINOGRAD_POINTS * gradientStride;
  const TileCursor cursor(a->height, a->width, tile);
  transformPieces<false>(
      a->input, nullptr, a->height, a->width, a->inputs, cursor, count, transformed, inputStride,
      patch);
  if (a->gradient_mask)
    transformGradientTiles<true, true>(
        a, cursor, count, gradient, gradientStride, valueSums, patch);
  else
    transformGradientTiles<false, true>(
        a, cursor, count, gradient, gradientStride, valueSums, patch);
  const bool isEight = a->inputs == 8 && a->outputs == 8;
  // A tile that does not exist adds nothing.
  const int whole = isEight ? (int)roundedUp(count, 2) : count;
  for (int e = 0; e < CK_WINOGRAD_POINTS && whole > count; e++) {
    memset(transformed + e * inputStride + count * 8, 0, 8 * sizeof(float));
    memset(gradient + e * gradientStride + count * 8, 0, 8 * sizeof(float));
  }
  for (int e = 0; e < CK_WINOGRAD_POINTS; e++) {
    const float *v = transformed + e * inputStride, *z = gradient + e * gradientStride;
    float *target = sums + e * a->inputs * a->outputs;
    if (isEight)
      multiplyTilePairs(v, z, target, whole, plan);
    else if (a->inputs == 32 && a->outputs == 32)
      multiplyTilesAtPlace<32>(v, z, target, count, a->inputs, a->outputs, plan);
    else if (a->inputs == 16 && a->outputs == 16)
      multiplyTilesAtPlace<16>(v, z, target, count, a->inputs, a->outputs, plan);
    else if (a->inputs == 64 && a->outputs == 64)
      multiplyTilesAtPlace<64>(v, z, target, count, a->inputs, a->outputs, plan);
    else
      multiplyTilesAtPlace<0>(v, z, target, count, a->inputs, a->outputs, plan);
  }
}

static KERNEL void winogradGradient(
    const ck_gradient *a, ptrdiff_t first, ptrdiff_t last, float *sums, double *biasSums,
    float *scratch) {
  const int block = tilesPerBlock(most(a->inputs, a->outputs));
  float *valueSums = scratch + winogradScratch(a->inputs, a->outputs) - a->outputs;
  memset(valueSums, 0, (size_t)a->outputs * sizeof(float));
  for (ptrdiff_t tile = first; tile < last; tile += block) {
    const int count = (int)least(block, last - tile);
    const ptrdiff_t next = tile + block, end = least(last, next + block), steps = gradientSteps(a);
    FetchPlan plan = {
        Fetch(a->input, nullptr, a->height, a->width, a->inputs, next, end, steps),
        Fetch(a->gradient, a->gradient_mask, a->height, a->width, a->outputs, next, end, steps)};
    gradientBlock(a, tile, count, sums, valueSums, scratch, plan);
    addSumsOfChunk(tile + count, last, valueSums, biasSums, a->outputs);
  }
}

static KERNEL void tileSums(
    const ck_gradient *a, ptrdiff_t first, ptrdiff_t last, double *biasSums, float *scratch) {
  float *patch = scratch;
  float *valueSums = patch + CK_WINOGRAD_POINTS * a->outputs;
  memset(valueSums, 0, (size_t)a->outputs * sizeof(float));
  for (ptrdiff_t tile = first; tile < last; tile += CK_TILES_PER_CHUNK) {
    const int count = (int)least(CK_TILES_PER_CHUNK, last - tile);
    const TileCursor cursor(a->height, a->width, tile);
    if (a->gradient_mask)
      transformGradientTiles<true, false>(a, cursor, count, scratch, 0, valueSums, patch);
    else
      transformGradientTiles<false, false>(a, cursor, count, scratch, 0, valueSums, patch);
    addSumsOfChunk(tile + count, last, valueSums, biasSums, a->outputs);
  }
}

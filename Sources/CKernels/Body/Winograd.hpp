// The three passes of a 3×3 convolution over interleaved maps, by Winograd's F(4×4, 3×3).
//
// A chunk of 48 tiles is worked off in blocks that fit the cache: transform the tiles to [36][tile][C],
// multiply with the kernel at each of the 36 places, transform back. The 16 floats between places keep
// 36 rows that lie a power of two apart from meeting in the same lines of the cache.

/// How a chunk is cut into blocks, so that both transformed blocks fit the second-level cache.
INLINE int tilesPerBlock(ptrdiff_t channels) {
  return channels <= 32 ? 48 : channels <= 64 ? 24 : 12;
}
INLINE ptrdiff_t placeStride(int tiles, ptrdiff_t channels) { return tiles * channels + 16; }

/// Tiles one below the other that are worked off together: neighbors share two rows of pixels, which
/// are still in the cache then.
constexpr ptrdiff_t bandHeight = 6;

/// Places in a map of tiles, walked in bands: down the columns of a band, then on to the right.
struct TileCursor {
  ptrdiff_t across, down, bandTop, bandEnd, x, y, image;

  inline __attribute__((always_inline)) TileCursor(
      ptrdiff_t height, ptrdiff_t width, ptrdiff_t tile) {
    across = (width + 3) / 4;
    down = (height + 3) / 4;
    image = tile / (across * down);
    const ptrdiff_t rest = tile % (across * down);
    bandTop = rest / (across * bandHeight) * bandHeight;
    bandEnd = least(down, bandTop + bandHeight);
    const ptrdiff_t inBand = rest - bandTop * across;
    x = inBand / (bandEnd - bandTop);
    y = bandTop + inBand % (bandEnd - bandTop);
  }
  inline __attribute__((always_inline)) void advance() {
    if (++y < bandEnd) return;
    if (++x == across) {
      x = 0;
      bandTop = bandEnd < down ? bandEnd : 0;
      bandEnd = least(down, bandTop + bandHeight);
      if (bandTop == 0) image++;
    }
    y = bandTop;
  }
};
INLINE ptrdiff_t tileCount(ptrdiff_t images, ptrdiff_t height, ptrdiff_t width) {
  return images * ((height + 3) / 4) * ((width + 3) / 4);
}

/// Fetches the values of tiles into the second-level cache while the processor multiplies.
///
/// The memory is read piece by piece from many rows, which the processor does not foresee.
struct Fetch {
  const float *map;
  ptrdiff_t height, width, channels;
  TileCursor cursor;
  int count, done = 0;

  inline __attribute__((always_inline)) Fetch(
      const float *map, ptrdiff_t height, ptrdiff_t width, ptrdiff_t channels, ptrdiff_t tile,
      ptrdiff_t last)
      : map(map), height(height), width(width), channels(channels), cursor(height, width, tile),
        count((int)most(0, last - tile)) {}

  /// Does its part of the work in step `step` of the 36.
  void advance(int step) {
    if (!map) return;
    const int end = count * (step + 1) / CK_WINOGRAD_POINTS;
    for (; done < end; done++, cursor.advance()) {
      const ptrdiff_t last = least(height, cursor.y * 4 + 4);
      const ptrdiff_t columns = least(4, width - cursor.x * 4);
      for (ptrdiff_t y = cursor.y * 4; y < last; y++) {
        const float *row = map + ((cursor.image * height + y) * width + cursor.x * 4) * channels;
        for (ptrdiff_t i = 0; i < columns * channels; i += 16) __builtin_prefetch(row + i, 0, 2);
      }
    }
  }
};

/// Copies the `rows`×`rows` pixels from (y, x) to `patch`; those outside the image are 0.
template <bool isMasked>
static KERNEL void copyPatch(
    const float *image, const uint8_t *mask, ptrdiff_t height, ptrdiff_t width, ptrdiff_t channels,
    ptrdiff_t y, ptrdiff_t x, int rows, float *patch) {
  for (int i = 0; i < rows; i++)
    for (int j = 0; j < rows; j++) {
      float *target = patch + (i * rows + j) * channels;
      const bool isInside = y + i >= 0 && y + i < height && x + j >= 0 && x + j < width;
      const ptrdiff_t offset = ((y + i) * width + x + j) * channels;
      for (ptrdiff_t c = 0; c < channels; c += 8) {
        Floats<8> v = {};
        if (isInside) {
          v = load<8>(image + offset + c);
          if constexpr (isMasked) v = masked<8>(v, mask + ((offset + c) >> 3));
        }
        store<8>(target + c, v);
      }
    }
}

/// The transform of one 6×6 piece, for L channels.
template <int L, bool isMasked>
INLINE void transformPiece(
    const float *p, const uint8_t *mask, ptrdiff_t offset, ptrdiff_t row, ptrdiff_t pixel,
    float *transformed, ptrdiff_t stride) {
  Floats<L> half[6][6];
  UNROLL for (int j = 0; j < 6; j++) {
    Floats<L> x[6], r[6];
    UNROLL for (int i = 0; i < 6; i++) {
      const ptrdiff_t place = offset + i * row + j * pixel;
      x[i] = load<L>(p + place);
      if constexpr (isMasked) x[i] = masked<L>(x[i], mask + (place >> 3));
    }
    transformInput(x, r);
    UNROLL for (int i = 0; i < 6; i++) half[i][j] = r[i];
  }
  UNROLL for (int i = 0; i < 6; i++) {
    Floats<L> r[6];
    transformInput(half[i], r);
    UNROLL for (int j = 0; j < 6; j++) store<L>(transformed + (i * 6 + j) * stride, r[j]);
  }
}

/// Transforms `count` pieces of the input from `cursor` to [36][tile][channels].
template <bool isMasked>
static KERNEL void transformPieces(
    const float *input, const uint8_t *mask, ptrdiff_t height, ptrdiff_t width, ptrdiff_t channels,
    TileCursor cursor, int count, float *transformed, ptrdiff_t stride, float *patch) {
  for (int t = 0; t < count; t++, cursor.advance()) {
    const ptrdiff_t y = cursor.y * 4 - 1, x = cursor.x * 4 - 1;
    const ptrdiff_t image = cursor.image * height * width * channels;
    float *target = transformed + t * channels;
    if (y >= 0 && x >= 0 && y + 6 <= height && x + 6 <= width) {
      const ptrdiff_t start = image + (y * width + x) * channels;
      EACH_LANES(
          c, channels,
          transformPiece<L, isMasked>(
              input, mask, start + c, width * channels, channels, target + c, stride));
    } else {
      copyPatch<isMasked>(
          input + image, isMasked ? mask + (image >> 3) : nullptr, height, width, channels, y, x, 6,
          patch);
      EACH_LANES(
          c, channels,
          transformPiece<L, false>(patch, nullptr, c, 6 * channels, channels, target + c, stride));
    }
  }
}

// MARK: - Forward and input gradient

/// products[tile][output] = Σ over inputs of transformed[tile][input] · kernel[input][output].
template <int rows, int columns, int L>
INLINE void multiplyRows(
    const float *transformed, const float *kernel, float *products, ptrdiff_t inputs,
    ptrdiff_t outputs) {
  Floats<L> sums[rows][columns] = {};
  for (ptrdiff_t k = 0; k < inputs; k++) {
    Floats<L> weights[columns];
    UNROLL for (int j = 0; j < columns; j++) weights[j] = load<L>(kernel + k * outputs + j * L);
    UNROLL for (int i = 0; i < rows; i++) {
      const Floats<L> value = splat<L>(transformed[i * inputs + k]);
      UNROLL for (int j = 0; j < columns; j++) sums[i][j] = fma(value, weights[j], sums[i][j]);
    }
  }
  UNROLL for (int i = 0; i < rows; i++)
    UNROLL for (int j = 0; j < columns; j++)
      store<L>(products + i * outputs + j * L, sums[i][j]);
}

/// The matrix product at one of the 36 places; `known` is the number of channels where it is a
/// constant of the compiled code, else 0.
template <int known>
static KERNEL void multiplyPlace(
    const float *transformed, const float *kernel, float *products, int tiles, ptrdiff_t inputs,
    ptrdiff_t outputs) {
  if constexpr (known > 0) inputs = outputs = known;
  ptrdiff_t o = 0;
  for (; o + 2 * LANES <= outputs; o += 2 * LANES)
    for (int t = 0; t < tiles; t += ROWS_OF_TWO)
      multiplyRows<ROWS_OF_TWO, 2, LANES>(
          transformed + t * inputs, kernel + o, products + t * outputs + o, inputs, outputs);
  for (; o + LANES <= outputs; o += LANES)
    for (int t = 0; t < tiles; t += ROWS_OF_ONE)
      multiplyRows<ROWS_OF_ONE, 1, LANES>(
          transformed + t * inputs, kernel + o, products + t * outputs + o, inputs, outputs);
  if constexpr (LANES == 16)
    if (o < outputs)
      for (int t = 0; t < tiles; t += ROWS_OF_ONE)
        multiplyRows<ROWS_OF_ONE, 1, 8>(
            transformed + t * inputs, kernel + o, products + t * outputs + o, inputs, outputs);
}

static KERNEL void multiplyPlaces(
    const float *transformed, const float *kernel, float *products, int tiles, int block,
    ptrdiff_t inputs, ptrdiff_t outputs, Fetch fetch, Fetch fetchAddend) {
  for (int e = 0; e < CK_WINOGRAD_POINTS; e++) {
    fetch.advance(e);
    fetchAddend.advance(e);
    const float *v = transformed + e * placeStride(block, inputs);
    const float *u = kernel + e * inputs * outputs;
    float *m = products + e * placeStride(block, outputs);
    if (inputs == 32 && outputs == 32)
      multiplyPlace<32>(v, u, m, tiles, inputs, outputs);
    else if (inputs == 16 && outputs == 16)
      multiplyPlace<16>(v, u, m, tiles, inputs, outputs);
    else if (inputs == 64 && outputs == 64)
      multiplyPlace<64>(v, u, m, tiles, inputs, outputs);
    else
      multiplyPlace<0>(v, u, m, tiles, inputs, outputs);
  }
}

/// The 4×4 outputs of one tile, for L channels; `rows` and `columns` of them lie in the image.
template <int L, int activation, bool adds>
INLINE void transformTile(
    const float *products, ptrdiff_t stride, Floats<L> bias, const Destination &destination,
    ptrdiff_t offset, ptrdiff_t row, ptrdiff_t pixel, ptrdiff_t rows, ptrdiff_t columns,
    Strangeness &strange) {
  Floats<L> half[4][6];
  UNROLL for (int j = 0; j < 6; j++) {
    Floats<L> m[6], r[4];
    UNROLL for (int i = 0; i < 6; i++) m[i] = load<L>(products + (i * 6 + j) * stride);
    transformOutput(m, r);
    UNROLL for (int i = 0; i < 4; i++) half[i][j] = r[i];
  }
  UNROLL for (int i = 0; i < 4; i++) {
    Floats<L> y[4];
    transformOutput(half[i], y);
    UNROLL for (int j = 0; j < 4; j++)
      if (i < rows && j < columns) {
        const Floats<L> z = y[j] + bias;
        strange.note<L>(z);
        destination.write<L, activation, adds>(offset + i * row + j * pixel, z);
      }
  }
}

/// Maps from this size on find no place in the caches until they are read again.
constexpr ptrdiff_t streamedBytes = 6 << 20;

template <int activation, bool adds>
static KERNEL int32_t transformTiles(
    const ck_convolution *a, const float *products, ptrdiff_t stride, TileCursor cursor, int count) {
  const ptrdiff_t pixel = a->outputs, row = a->width * pixel;
  // Vectors of a streamed map lie at multiples of their size.
  const bool streams = a->images * a->height * row * (ptrdiff_t)sizeof(float) >= streamedBytes
      && pixel % least(16, pixel) == 0;
  const Destination destination = {a->output, a->addend, a->output_mask, streams};
  Strangeness strange;
  for (int t = 0; t < count; t++, cursor.advance()) {
    const ptrdiff_t y = cursor.y * 4, x = cursor.x * 4;
    const ptrdiff_t offset = ((cursor.image * a->height + y) * a->width + x) * pixel;
    const ptrdiff_t rows = a->height - y, columns = a->width - x;
    const bool isWhole = rows >= 4 && columns >= 4;
    EACH_LANES(c, pixel, {
      const Floats<L> bias = a->bias ? load<L>(a->bias + c) : Floats<L>{};
      const float *source = products + t * pixel + c;
      if (isWhole)
        transformTile<L, activation, adds>(
            source, stride, bias, destination, offset + c, row, pixel, 4, 4, strange);
      else
        transformTile<L, activation, adds>(
            source, stride, bias, destination, offset + c, row, pixel, rows, columns, strange);
    });
  }
  return strange.found();
}

static KERNEL int32_t transformTiles(
    const ck_convolution *a, const float *products, ptrdiff_t stride, TileCursor cursor, int count) {
  if (a->addend) switch (a->activation) {
      case ck_relu: return transformTiles<ck_relu, true>(a, products, stride, cursor, count);
      case ck_hiding_relu:
        return transformTiles<ck_hiding_relu, true>(a, products, stride, cursor, count);
      default: return transformTiles<ck_linear, true>(a, products, stride, cursor, count);
    }
  switch (a->activation) {
    case ck_relu: return transformTiles<ck_relu, false>(a, products, stride, cursor, count);
    case ck_hiding_relu:
      return transformTiles<ck_hiding_relu, false>(a, products, stride, cursor, count);
    default: return transformTiles<ck_linear, false>(a, products, stride, cursor, count);
  }
}

static KERNEL ptrdiff_t winogradScratch(ptrdiff_t inputs, ptrdiff_t outputs) {
  const ptrdiff_t channels = most(inputs, outputs);
  const int block = tilesPerBlock(channels);
  return CK_WINOGRAD_POINTS * (placeStride(block, inputs) + placeStride(block, outputs))
      + (CK_WINOGRAD_POINTS + 1) * channels;
}

static KERNEL int32_t winogradForward(
    const ck_convolution *a, ptrdiff_t first, ptrdiff_t last, float *scratch) {
  const int block = tilesPerBlock(most(a->inputs, a->outputs));
  const ptrdiff_t stride = placeStride(block, a->inputs);
  float *transformed = scratch;
  float *products = transformed + CK_WINOGRAD_POINTS * stride;
  float *patch = products + CK_WINOGRAD_POINTS * placeStride(block, a->outputs);
  int32_t strange = 0;
  for (ptrdiff_t tile = first; tile < last; tile += block) {
    const int count = (int)least(block, last - tile);
    const TileCursor cursor(a->height, a->width, tile);
    if (a->input_mask)
      transformPieces<true>(
          a->input, a->input_mask, a->height, a->width, a->inputs, cursor, count, transformed,
          stride, patch);
    else
      transformPieces<false>(
          a->input, nullptr, a->height, a->width, a->inputs, cursor, count, transformed, stride,
          patch);
    // Rows of tiles that do not exist take part in the products and are dropped.
    const int whole = (int)roundedUp(count, ROWS_OF_ONE > block ? block : ROWS_OF_ONE);
    for (int e = 0; e < CK_WINOGRAD_POINTS && whole > count; e++)
      memset(
          transformed + e * stride + count * a->inputs, 0,
          (size_t)((whole - count) * a->inputs) * sizeof(float));
    const ptrdiff_t next = tile + block;
    multiplyPlaces(
        transformed, a->kernel, products, whole, block, a->inputs, a->outputs,
        Fetch(a->input, a->height, a->width, a->inputs, next, least(last, next + block)),
        Fetch(a->addend, a->height, a->width, a->outputs, tile, tile + count));
    strange |= transformTiles(a, products, placeStride(block, a->outputs), cursor, count);
  }
  // What went past the caches is there for other threads, too.
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  return strange;
}

// MARK: - Kernel gradient

/// One 4×4 tile of the output's gradient, transformed; returns the sum of its values, column by
/// column: the order in which bias gradients add up.
template <int L, bool isMasked, bool transforms>
INLINE Floats<L> transformGradientTile(
    const float *p, const uint8_t *mask, ptrdiff_t offset, ptrdiff_t row, ptrdiff_t pixel,
    float *transformed, ptrdiff_t stride) {
  Floats<L> half[6][4], sum = {};
  UNROLL for (int j = 0; j < 4; j++) {
    Floats<L> y[4], z[6];
    UNROLL for (int i = 0; i < 4; i++) {
      const ptrdiff_t place = offset + i * row + j * pixel;
      y[i] = load<L>(p + place);
      if constexpr (isMasked) y[i] = masked<L>(y[i], mask + (place >> 3));
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
  for (int t = 0; t < count; t++, cursor.advance()) {
    const ptrdiff_t y = cursor.y * 4, x = cursor.x * 4;
    const ptrdiff_t image = cursor.image * a->height * a->width * channels;
    const ptrdiff_t start = image + (y * a->width + x) * channels;
    float *target = transformed + t * channels;
    if (y + 4 <= a->height && x + 4 <= a->width) {
      EACH_LANES(
          c, channels,
          store<L>(
              sums + c,
              load<L>(sums + c)
                  + transformGradientTile<L, isMasked, transforms>(
                      a->gradient, a->gradient_mask, start + c, a->width * channels, channels,
                      target + c, stride)));
    } else {
      copyPatch<isMasked>(
          a->gradient + image, isMasked ? a->gradient_mask + (image >> 3) : nullptr, a->height,
          a->width, channels, y, x, 4, patch);
      EACH_LANES(
          c, channels,
          store<L>(
              sums + c,
              load<L>(sums + c)
                  + transformGradientTile<L, false, transforms>(
                      patch, nullptr, c, 4 * channels, channels, target + c, stride)));
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
    ptrdiff_t outputs) {
  if constexpr (known > 0) inputs = outputs = known;
  for (ptrdiff_t i = 0; i < inputs; i += 8) {
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

static KERNEL void winogradGradient(
    const ck_gradient *a, ptrdiff_t first, ptrdiff_t last, float *sums, double *biasSums,
    float *scratch) {
  const ptrdiff_t channels = most(a->inputs, a->outputs);
  const int block = tilesPerBlock(channels);
  const ptrdiff_t inputStride = placeStride(block, a->inputs);
  const ptrdiff_t gradientStride = placeStride(block, a->outputs);
  float *transformed = scratch;
  float *gradient = transformed + CK_WINOGRAD_POINTS * inputStride;
  float *patch = gradient + CK_WINOGRAD_POINTS * gradientStride;
  float *valueSums = patch + CK_WINOGRAD_POINTS * channels;
  memset(valueSums, 0, (size_t)a->outputs * sizeof(float));
  for (ptrdiff_t tile = first; tile < last; tile += block) {
    const int count = (int)least(block, last - tile);
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
    const ptrdiff_t next = tile + block, end = least(last, next + block);
    Fetch fetch(a->input, a->height, a->width, a->inputs, next, end);
    Fetch fetchGradient(a->gradient, a->height, a->width, a->outputs, next, end);
    for (int e = 0; e < CK_WINOGRAD_POINTS; e++) {
      fetch.advance(e);
      fetchGradient.advance(e);
      const float *v = transformed + e * inputStride, *z = gradient + e * gradientStride;
      float *target = sums + e * a->inputs * a->outputs;
      if (a->inputs == 32 && a->outputs == 32)
        multiplyTilesAtPlace<32>(v, z, target, count, a->inputs, a->outputs);
      else if (a->inputs == 16 && a->outputs == 16)
        multiplyTilesAtPlace<16>(v, z, target, count, a->inputs, a->outputs);
      else if (a->inputs == 64 && a->outputs == 64)
        multiplyTilesAtPlace<64>(v, z, target, count, a->inputs, a->outputs);
      else
        multiplyTilesAtPlace<0>(v, z, target, count, a->inputs, a->outputs);
    }
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

// MARK: - Kernels

/// The nine weights that lead from channel `input` to outputs first..<first+L; `turned` as in the
/// header.
template <int L>
INLINE void gatherWeights(
    const float *weights, ptrdiff_t kernels, ptrdiff_t channels, bool turned, ptrdiff_t input,
    ptrdiff_t first, Floats<L> w[3][3]) {
  UNROLL for (int k = 0; k < 9; k++)
    UNROLL for (int lane = 0; lane < L; lane++) {
      const ptrdiff_t output = first + lane;
      // Turned, kernels are read and channels written.
      const ptrdiff_t o = turned ? input : output, i = turned ? output : input;
      const bool isStored = o < kernels && i < channels;
      w[k / 3][k % 3][lane] =
          isStored ? weights[(o * channels + i) * 9 + (turned ? 8 - k : k)] : 0.0f;
    }
}

static KERNEL void winogradKernel(
    const float *weights, ptrdiff_t kernels, ptrdiff_t channels, int32_t turned, float *transformed,
    ptrdiff_t inputs, ptrdiff_t outputs, ptrdiff_t first, ptrdiff_t last) {
  for (ptrdiff_t input = first; input < last; input++)
    for (ptrdiff_t o = 0; o < outputs; o += 8) {
      Floats<8> w[3][3], half[6][3];
      gatherWeights<8>(weights, kernels, channels, turned, input, o, w);
      UNROLL for (int i = 0; i < 6; i++)
        UNROLL for (int j = 0; j < 3; j++) {
          const float *g = kernelTransform[i];
          half[i][j] = fma(g[2], w[2][j], fma(g[1], w[1][j], g[0] * w[0][j]));
        }
      UNROLL for (int i = 0; i < 6; i++)
        UNROLL for (int j = 0; j < 6; j++) {
          const float *g = kernelTransform[j];
          store<8>(
              transformed + ((i * 6 + j) * inputs + input) * outputs + o,
              fma(g[2], half[i][2], fma(g[1], half[i][1], g[0] * half[i][0])));
        }
    }
}

static KERNEL void winogradKernelGradient(
    const float *sums, ptrdiff_t inputs, ptrdiff_t outputs, float *weights, ptrdiff_t kernels,
    ptrdiff_t channels, ptrdiff_t first, ptrdiff_t last) {
  for (ptrdiff_t input = 0; input < channels; input++)
    for (ptrdiff_t o = first / 8 * 8; o < last; o += 8) {
      Floats<8> half[3][6] = {}, w[3][3] = {};
      UNROLL for (int i = 0; i < 6; i++)
        UNROLL for (int j = 0; j < 6; j++) {
          const Floats<8> sum = load<8>(sums + ((i * 6 + j) * inputs + input) * outputs + o);
          UNROLL for (int a = 0; a < 3; a++)
            half[a][j] = fma(kernelTransform[i][a], sum, half[a][j]);
        }
      UNROLL for (int a = 0; a < 3; a++)
        UNROLL for (int j = 0; j < 6; j++)
          UNROLL for (int b = 0; b < 3; b++)
            w[a][b] = fma(kernelTransform[j][b], half[a][j], w[a][b]);
      for (int lane = 0; lane < 8; lane++)
        if (o + lane >= first && o + lane < last)
          UNROLL for (int k = 0; k < 9; k++)
            weights[((o + lane) * channels + input) * 9 + k] = w[k / 3][k % 3][lane];
    }
}

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

/// Fetches the values of tiles, and their mask, into the second-level cache while the processor
/// multiplies.
///
/// The memory is read piece by piece from many rows, which the processor does not foresee. What it is
/// asked for while it waits for many lines already, it drops; so a few lines are fetched at a time.
struct Fetch {
  const float *map;
  const uint8_t *mask;
  ptrdiff_t height, width, channels;
  TileCursor cursor;
  /// The rows of pixels of all tiles, and the steps of the work, each with a like share of them.
  ptrdiff_t rows, steps, credit = 0, row = 0;

  inline __attribute__((always_inline)) Fetch(
      const float *map, const uint8_t *mask, ptrdiff_t height, ptrdiff_t width, ptrdiff_t channels,
      ptrdiff_t tile, ptrdiff_t last, ptrdiff_t steps)
      : map(map), mask(mask), height(height), width(width), channels(channels),
        cursor(height, width, tile), rows(map ? most(0, last - tile) * 4 : 0), steps(steps) {}

  /// Does the share of one step.
  inline __attribute__((always_inline)) void advance() {
    for (credit += rows; credit >= steps; credit -= steps) {
      const ptrdiff_t y = cursor.y * 4 + row;
      if (y < height) {
        const ptrdiff_t start = ((cursor.image * height + y) * width + cursor.x * 4) * channels;
        const ptrdiff_t count = least(4, width - cursor.x * 4) * channels;
        if (mask) __builtin_prefetch(mask + (start >> 3), 0, 2);
        for (ptrdiff_t i = 0; i < count; i += 16) __builtin_prefetch(map + start + i, 0, 2);
      }
      if (++row < 4) continue;
      row = 0;
      cursor.advance();
    }
  }
};

/// What is fetched during the products of one block.
struct FetchPlan {
  Fetch first, second;

  inline __attribute__((always_inline)) void advance() {
    first.advance();
    second.advance();
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

/// The L channels of a pixel, through the mask where there is one; places count from the first pixel.
template <int L, bool isMasked> struct Pixels {
  static constexpr int lanes = L;
  const float *map;
  const uint8_t *mask;
  ptrdiff_t first;

  inline __attribute__((always_inline)) Floats<L> at(ptrdiff_t place) const {
    const Floats<L> v = load<L>(map + first + place);
    if constexpr (isMasked) return masked<L>(v, mask + ((first + place) >> 3));
    return v;
  }
};

/// The eight channels of two pixels, which fill a vector of 16.
template <bool isMasked> struct PixelPairs {
  static constexpr int lanes = 16;
  const float *map;
  const uint8_t *mask;
  ptrdiff_t first, second;

  inline __attribute__((always_inline)) Wide at(ptrdiff_t place) const {
    const Wide v = besides(load<8>(map + first + place), load<8>(map + second + place));
    if constexpr (isMasked) {
      const uint8_t bits[2] = {mask[(first + place) >> 3], mask[(second + place) >> 3]};
      return masked<16>(v, bits);
    }
    return v;
  }
};

/// Whether tiles of maps with so many channels are worked off in pairs.
INLINE bool goesInPairs(ptrdiff_t channels) { return LANES == 16 && channels == 8; }

/// The transform of one 6×6 piece, for as many channels as `pixels` has lanes.
template <class Source>
INLINE void transformPiece(
    const Source &pixels, ptrdiff_t row, ptrdiff_t pixel, float *transformed, ptrdiff_t stride) {
  constexpr int L = Source::lanes;
  Floats<L> half[6][6];
  UNROLL for (int j = 0; j < 6; j++) {
    Floats<L> x[6], r[6];
    UNROLL for (int i = 0; i < 6; i++) x[i] = pixels.at(i * row + j * pixel);
    transformInput(x, r);
    UNROLL for (int i = 0; i < 6; i++) half[i][j] = r[i];
  }
  UNROLL for (int i = 0; i < 6; i++) {
    Floats<L> r[6];
    transformInput(half[i], r);
    UNROLL for (int j = 0; j < 6; j++) store<L>(transformed + (i * 6 + j) * stride, r[j]);
  }
}

/// Where the 6×6 piece of a tile begins, and whether it lies in the image.
struct Piece {
  ptrdiff_t y, x, image, start;
  bool isInside;

  inline __attribute__((always_inline)) Piece(
      const TileCursor &cursor, ptrdiff_t height, ptrdiff_t width, ptrdiff_t channels)
      : y(cursor.y * 4 - 1), x(cursor.x * 4 - 1), image(cursor.image * height * width * channels),
        start(image + (y * width + x) * channels),
        isInside(y >= 0 && x >= 0 && y + 6 <= height && x + 6 <= width) {}
};

/// Transforms `count` pieces of the input from `cursor` to [36][tile][channels].
template <bool isMasked>
static KERNEL void transformPieces(
    const float *input, const uint8_t *mask, ptrdiff_t height, ptrdiff_t width, ptrdiff_t channels,
    TileCursor cursor, int count, float *transformed, ptrdiff_t stride, float *patch) {
  const ptrdiff_t row = width * channels;
  for (int t = 0; t < count; t++, cursor.advance()) {
    const Piece piece(cursor, height, width, channels);
    float *target = transformed + t * channels;
    if (goesInPairs(channels) && piece.isInside && t + 1 < count) {
      TileCursor next = cursor;
      next.advance();
      const Piece second(next, height, width, channels);
      if (second.isInside) {
        transformPiece(
            PixelPairs<isMasked>{input, mask, piece.start, second.start}, row, channels, target,
            stride);
        t++;
        cursor = next;
        continue;
      }
    }
    if (piece.isInside) {
      EACH_LANES(
          c, channels,
          transformPiece(
              Pixels<L, isMasked>{input, mask, piece.start + c}, row, channels, target + c, stride));
    } else {
      copyPatch<isMasked>(
          input + piece.image, isMasked ? mask + (piece.image >> 3) : nullptr, height, width,
          channels, piece.y, piece.x, 6, patch);
      EACH_LANES(
          c, channels,
          transformPiece(
              Pixels<L, false>{patch, nullptr, c}, 6 * channels, channels, target + c, stride));
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
    ptrdiff_t outputs, FetchPlan &plan) {
  if constexpr (known > 0) inputs = outputs = known;
  ptrdiff_t o = 0;
  for (; o + 2 * LANES <= outputs; o += 2 * LANES)
    for (int t = 0; t < tiles; t += ROWS_OF_TWO) {
      plan.advance();
      multiplyRows<ROWS_OF_TWO, 2, LANES>(
          transformed + t * inputs, kernel + o, products + t * outputs + o, inputs, outputs);
    }
  for (; o + LANES <= outputs; o += LANES)
    for (int t = 0; t < tiles; t += ROWS_OF_ONE) {
      plan.advance();
      multiplyRows<ROWS_OF_ONE, 1, LANES>(
          transformed + t * inputs, kernel + o, products + t * outputs + o, inputs, outputs);
    }
  if constexpr (LANES == 16)
    if (o < outputs)
      for (int t = 0; t < tiles; t += ROWS_OF_ONE) {
        plan.advance();
        multiplyRows<ROWS_OF_ONE, 1, 8>(
            transformed + t * inputs, kernel + o, products + t * outputs + o, inputs, outputs);
      }
}

/// Adds the products of lane k of each half of the values with the weights of input k, k = 0…7.
template <int count, int k = 0>
INLINE void multiplySpread(const Wide values[count], const Wide weights[8], Wide sums[count]) {
  if constexpr (k < 8) {
    UNROLL for (int i = 0; i < count; i++)
      sums[i] = fma(spread<k>(values[i]), weights[k], sums[i]);
    multiplySpread<count, k + 1>(values, weights, sums);
  }
}

/// The matrix product at one of the 36 places from 8 to 8 channels, two tiles a vector.
static KERNEL void multiplyPairs(
    const float *transformed, const float *kernel, float *products, int tiles, FetchPlan &plan) {
  constexpr int count = 6;
  Wide weights[8];
  UNROLL for (int k = 0; k < 8; k++) {
    const Floats<8> w = load<8>(kernel + k * 8);
    weights[k] = besides(w, w);
  }
  for (int t = 0; t < tiles; t += 2 * count) {
    plan.advance();
    Wide values[count], sums[count] = {};
    UNROLL for (int i = 0; i < count; i++) values[i] = load<16>(transformed + (t + 2 * i) * 8);
    multiplySpread<count>(values, weights, sums);
    UNROLL for (int i = 0; i < count; i++) store<16>(products + (t + 2 * i) * 8, sums[i]);
  }
}

/// How often the products of a block advance its plan.
INLINE ptrdiff_t forwardSteps(int tiles, ptrdiff_t inputs, ptrdiff_t outputs) {
  if (goesInPairs(inputs) && goesInPairs(outputs)) return CK_WINOGRAD_POINTS * tiles / 12;
  const ptrdiff_t two = outputs / (2 * LANES), one = (outputs % (2 * LANES) + LANES - 1) / LANES;
  return CK_WINOGRAD_POINTS * (two * (tiles / ROWS_OF_TWO) + one * (tiles / ROWS_OF_ONE));
}

static KERNEL void multiplyPlaces(
    const float *transformed, const float *kernel, float *products, int tiles, int block,
    ptrdiff_t inputs, ptrdiff_t outputs, FetchPlan plan) {
  for (int e = 0; e < CK_WINOGRAD_POINTS; e++) {
    const float *v = transformed + e * placeStride(block, inputs);
    const float *u = kernel + e * inputs * outputs;
    float *m = products + e * placeStride(block, outputs);
    if (goesInPairs(inputs) && goesInPairs(outputs))
      multiplyPairs(v, u, m, tiles, plan);
    else if (inputs == 32 && outputs == 32)
      multiplyPlace<32>(v, u, m, tiles, inputs, outputs, plan);
    else if (inputs == 16 && outputs == 16)
      multiplyPlace<16>(v, u, m, tiles, inputs, outputs, plan);
    else if (inputs == 64 && outputs == 64)
      multiplyPlace<64>(v, u, m, tiles, inputs, outputs, plan);
    else
      multiplyPlace<0>(v, u, m, tiles, inputs, outputs, plan);
  }
}

/// Where the L channels of a tile's pixels go; places count from the first pixel.
template <int L, int activation, bool adds> struct Target {
  static constexpr int lanes = L;
  const Destination &destination;
  ptrdiff_t first;

  inline __attribute__((always_inline)) void put(ptrdiff_t place, Floats<L> z) const {
    destination.write<L, activation, adds>(first + place, z);
  }
};

/// Where the eight channels of two tiles' pixels go.
template <int activation, bool adds> struct TargetPair {
  static constexpr int lanes = 16;
  const Destination &destination;
  ptrdiff_t first, second;

  inline __attribute__((always_inline)) void put(ptrdiff_t place, Wide z) const {
    destination.write<8, activation, adds>(first + place, lower(z));
    destination.write<8, activation, adds>(second + place, upper(z));
  }
};

/// The 4×4 outputs of one tile, for as many channels as `target` has lanes; `rows` and `columns` of
/// them lie in the image.
template <class Target>
INLINE void transformTile(
    const float *products, ptrdiff_t stride, Floats<Target::lanes> bias, const Target &target,
    ptrdiff_t row, ptrdiff_t pixel, ptrdiff_t rows, ptrdiff_t columns, Strangeness &strange) {
  constexpr int L = Target::lanes;
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
        target.put(i * row + j * pixel, z);
      }
  }
}

/// Where the 4×4 outputs of a tile begin, and whether all lie in the image.
struct Tile {
  ptrdiff_t y, x, image, start;
  bool isInside;

  inline __attribute__((always_inline)) Tile(
      const TileCursor &cursor, ptrdiff_t height, ptrdiff_t width, ptrdiff_t channels)
      : y(cursor.y * 4), x(cursor.x * 4), image(cursor.image * height * width * channels),
        start(image + (y * width + x) * channels), isInside(y + 4 <= height && x + 4 <= width) {}
};

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
    const Tile tile(cursor, a->height, a->width, pixel);
    if (goesInPairs(pixel) && tile.isInside && t + 1 < count) {
      TileCursor next = cursor;
      next.advance();
      const Tile second(next, a->height, a->width, pixel);
      if (second.isInside) {
        const Floats<8> bias = a->bias ? load<8>(a->bias) : Floats<8>{};
        transformTile(
            products + t * pixel, stride, besides(bias, bias),
            TargetPair<activation, adds>{destination, tile.start, second.start}, row, pixel, 4, 4,
            strange);
        t++;
        cursor = next;
        continue;
      }
    }
    EACH_LANES(c, pixel, {
      const Floats<L> bias = a->bias ? load<L>(a->bias + c) : Floats<L>{};
      const Target<L, activation, adds> target = {destination, tile.start + c};
      const float *source = products + t * pixel + c;
      if (tile.isInside)
        transformTile(source, stride, bias, target, row, pixel, 4, 4, strange);
      else
        transformTile(
            source, stride, bias, target, row, pixel, a->height - tile.y, a->width - tile.x,
            strange);
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
    const ptrdiff_t steps = forwardSteps(whole, a->inputs, a->outputs);
    multiplyPlaces(
        transformed, a->kernel, products, whole, block, a->inputs, a->outputs,
        {Fetch(
             a->input, a->input_mask, a->height, a->width, a->inputs, next,
             least(last, next + block), steps),
         Fetch(a->addend, nullptr, a->height, a->width, a->outputs, tile, tile + count, steps)});
    strange |= transformTiles(a, products, placeStride(block, a->outputs), cursor, count);
  }
  // What went past the caches is there for other threads, too.
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  return strange;
}

// MARK: - Kernel gradient

/// One 4×4 tile of the output's gradient, transformed; returns the sum of its values, column by
/// column: the order in which bias gradients add up.
template <bool transforms, class Source>
INLINE Floats<Source::lanes> transformGradientTile(
    const Source &pixels, ptrdiff_t row, ptrdiff_t pixel, float *transformed, ptrdiff_t stride) {
  constexpr int L = Source::lanes;
  Floats<L> half[6][4], sum = {};
  UNROLL for (int j = 0; j < 4; j++) {
    Floats<L> y[4], z[6];
    UNROLL for (int i = 0; i < 4; i++) {
      y[i] = pixels.at(i * row + j * pixel);
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
  const ptrdiff_t channels = a->outputs, row = a->width * channels;
  for (int t = 0; t < count; t++, cursor.advance()) {
    const Tile tile(cursor, a->height, a->width, channels);
    float *target = transformed + t * channels;
    if (goesInPairs(channels) && tile.isInside && t + 1 < count) {
      TileCursor next = cursor;
      next.advance();
      const Tile second(next, a->height, a->width, channels);
      if (second.isInside) {
        const Wide sum = transformGradientTile<transforms>(
            PixelPairs<isMasked>{a->gradient, a->gradient_mask, tile.start, second.start}, row,
            channels, target, stride);
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
                      Pixels<L, isMasked>{a->gradient, a->gradient_mask, tile.start + c}, row,
                      channels, target + c, stride)));
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
                      Pixels<L, false>{patch, nullptr, c}, 4 * channels, channels, target + c,
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
template <int k = 0> INLINE void addSpread(Wide values, Wide gradient, Wide products[8]) {
  if constexpr (k < 8) {
    products[k] = fma(spread<k>(values), gradient, products[k]);
    addSpread<k + 1>(values, gradient, products);
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
  const bool isEight = a->inputs == 8 && a->outputs == 8;
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
    // A tile that does not exist adds nothing.
    const int whole = isEight ? (int)roundedUp(count, 2) : count;
    for (int e = 0; e < CK_WINOGRAD_POINTS && whole > count; e++) {
      memset(transformed + e * inputStride + count * 8, 0, 8 * sizeof(float));
      memset(gradient + e * gradientStride + count * 8, 0, 8 * sizeof(float));
    }
    const ptrdiff_t next = tile + block, end = least(last, next + block);
    const ptrdiff_t steps = CK_WINOGRAD_POINTS * (a->inputs / 8);
    FetchPlan plan = {
        Fetch(a->input, nullptr, a->height, a->width, a->inputs, next, end, steps),
        Fetch(a->gradient, a->gradient_mask, a->height, a->width, a->outputs, next, end, steps)};
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

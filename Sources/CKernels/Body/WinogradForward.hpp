// Forward pass and input gradient.

/// The transform of one 6×6 piece, for as many channels as `pixels` has lanes; returns the sum of its
/// tile, column by column, where it is wanted.
template <bool sums, class Source>
INLINE Floats<Source::lanes> transformPiece(
    const Source &pixels, float *transformed, ptrdiff_t stride) {
  constexpr int L = Source::lanes;
  Floats<L> sum = {};
  UNROLL for (int turn = 0; turn < turnsOfPieces; turn++) {
    Floats<L> half[6][6];
    auto column = pixels.firstColumn();
    UNROLL for (int j = 0; j < 6; j++) {
      Floats<L> x[6], r[6];
      UNROLL for (int i = 0; i < 6; i++) x[i] = pixels.at(column, i);
      if constexpr (sums)
        if (turn == 0 && j > 0 && j < 5) UNROLL for (int i = 1; i < 5; i++) sum = sum + x[i];
      transformInput(x, r);
      UNROLL for (int i = 0; i < 6; i++) half[i][j] = r[i];
      pixels.advance(column);
    }
    UNROLL for (int i = 0; i < 6; i++) {
      if (turnsOfPieces > 1 && (i + 1) % 6 / 2 != turn) continue;
      Floats<L> r[6];
      transformInput(half[i], r);
      float *target = kept(transformed + i * 6 * stride);
      UNROLL for (int j = 0; j < 6; j++) store<L>(target + j * stride, r[j]);
    }
  }
  return sum;
}

/// Adds the sum of the pixels of a tile to those of their channels; of a pair, one after the other.
template <class Source>
INLINE void addSum(const Source &, Floats<Source::lanes> sum, float *sums) {
  if constexpr (Source::isPair)
    store<8>(sums, load<8>(sums) + lower(sum) + upper(sum));
  else
    store<Source::lanes>(sums, load<Source::lanes>(sums) + sum);
}

/// Transforms the pieces around `count` tiles from `cursor` to [36][tile][channels], and adds the
/// values of the tiles to `valueSums`, one a channel, where they are wanted.
template <bool isMasked, bool sums>
static KERNEL void transformPieces(
    const Map &map, TileCursor cursor, int count, float *transformed, ptrdiff_t stride,
    float *valueSums, float *patch) {
  eachArea<Piece, isMasked>(
      map, cursor, count, patch,
      [&](const auto &pixels, int t, ptrdiff_t c) __attribute__((always_inline)) {
        const auto sum = transformPiece<sums>(
            pixels, transformed + t * map.channels + c, stride);
        if constexpr (sums) addSum(pixels, sum, valueSums + c);
      });
}

/// The 4×4 outputs of one tile, for as many channels as `target` takes, pixel by pixel.
template <class Target>
INLINE void transformTile(const float *products, ptrdiff_t stride, Target &target) {
  constexpr int L = Target::lanes;
  UNROLL for (int turn = 0; turn < turnsOfTiles; turn++) {
    Floats<L> half[4][6];
    const float *column = products;
    UNROLL for (int j = 0; j < 6; j++, column = kept(column + stride)) {
      Floats<L> m[6], r[4];
      UNROLL for (int i = 0; i < 6; i++) m[i] = load<L>(column + i * 6 * stride);
      transformOutput(m, r);
      UNROLL for (int i = 0; i < 4; i++) half[i][j] = r[i];
    }
    UNROLL for (int i = 0; i < 4; i++) {
      if (turnsOfTiles > 1 && i % 2 != turn) continue;
      Floats<L> y[4];
      transformOutput(half[i], y);
      UNROLL for (int j = 0; j < 4; j++) target.put(i, j, y[j]);
    }
  }
}

#if LANES == 16

/// Where the L channels of a tile's pixels go, of which `rows` and `columns` lie in the image.
template <int L, int activation, bool adds> struct Target {
  static constexpr int lanes = L;
  const Destination &destination;
  Spacing spacing;
  Floats<L> bias;
  ptrdiff_t first, rows, columns;
  Strangeness &strange;

  inline __attribute__((always_inline)) void put(int i, int j, Floats<L> y) {
    if (i >= rows || j >= columns) return;
    const Floats<L> z = y + bias;
    strange.note<L>(z);
    destination.write<L, activation, adds>(first + i * spacing.row + j * spacing.pixel, z);
  }
};

/// Where the eight channels of two tiles' pixels go.
template <int activation, bool adds> struct TargetPair {
  static constexpr int lanes = 16;
  const Destination &destination;
  Spacing spacing;
  Wide bias;
  ptrdiff_t first, second;
  Strangeness &strange;

  inline __attribute__((always_inline)) void put(int i, int j, Wide y) {
    const Wide z = y + bias;
    strange.note<16>(z);
    const ptrdiff_t place = i * spacing.row + j * spacing.pixel;
    destination.write<8, activation, adds>(first + place, lower(z));
    destination.write<8, activation, adds>(second + place, upper(z));
  }
};

template <int activation, bool adds>
static KERNEL int32_t transformTiles(
    const ck_convolution *a, const float *products, ptrdiff_t stride, TileCursor cursor, int count,
    float *) {
  const ptrdiff_t pixel = a->outputs, row = a->width * pixel;
  // Vectors of a streamed map lie at multiples of their size.
  const bool streams = isStreamed(a->images * a->height * row) && pixel % least(16, pixel) == 0;
  const Destination destination = {a->output, a->addend, a->output_mask, streams};
  const Spacing spacing = {row, pixel};
  Strangeness strange;
  for (int t = 0; t < count; t++, cursor.advance()) {
    const Tile tile(cursor, a->height, a->width, pixel);
    if (goesInPairs(pixel) && tile.isInside && t + 1 < count) {
      TileCursor next = cursor;
      next.advance();
      const Tile second(next, a->height, a->width, pixel);
      if (second.isInside) {
        const Floats<8> bias = a->bias ? load<8>(a->bias) : Floats<8>{};
        TargetPair<activation, adds> target = {
            destination, spacing, besides(bias, bias), tile.start, second.start, strange};
        transformTile(products + t * pixel, stride, target);
        t++;
        cursor = next;
        continue;
      }
    }
    EACH_LANES(c, pixel, {
      const Floats<L> bias = a->bias ? load<L>(a->bias + c) : Floats<L>{};
      const float *source = products + t * pixel + c;
      const auto transform = [&](ptrdiff_t rows, ptrdiff_t columns) __attribute__((always_inline)) {
        Target<L, activation, adds> target = {
            destination, spacing, bias, tile.start + c, rows, columns, strange};
        transformTile(source, stride, target);
      };
      if (tile.isInside)
        transform(4, 4);
      else
        transform(a->height - tile.y, a->width - tile.x);
    });
  }
  return strange.found();
}

#else

/// Eight channels of the pixels of a patch of 4×4.
struct PatchTarget {
  static constexpr int lanes = 8;
  float *patch;
  ptrdiff_t pixel;

  inline __attribute__((always_inline)) void put(int, int, Floats<8> y) {
    store<8>(patch, y);
    patch = kept(patch + pixel);
  }
};

/// Writes `count` values of pixels side by side.
template <int activation, bool adds>
INLINE void finishPixels(
    const Destination &destination, const float *values, const float *bias, ptrdiff_t offset,
    ptrdiff_t count, Strangeness strange[2]) {
  ptrdiff_t i = 0;
  const auto finish = [&](ptrdiff_t i, Strangeness &strange) __attribute__((always_inline)) {
    const Floats<8> z = load<8>(values + i) + load<8>(bias + i);
    strange.note<8>(z);
    destination.write<8, activation, adds>(offset + i, z);
  };
  for (; i + 16 <= count; i += 16)
    UNROLL for (int k = 0; k < 2; k++) finish(i + 8 * k, strange[k]);
  if (i < count) finish(i, strange[0]);
}

template <int activation, bool adds>
static KERNEL int32_t transformTiles(
    const ck_convolution *a, const float *products, ptrdiff_t stride, TileCursor cursor, int count,
    float *patch) {
  const ptrdiff_t pixel = a->outputs, row = a->width * pixel;
  const Destination destination = {
      a->output, a->addend, a->output_mask, isStreamed(a->images * a->height * row)};
  float *bias = patch + 16 * pixel;
  memset(bias, 0, (size_t)(4 * pixel) * sizeof(float));
  if (a->bias)
    for (int j = 0; j < 4; j++)
      memcpy(bias + j * pixel, a->bias, (size_t)pixel * sizeof(float));
  Strangeness strange[2];
  for (int t = 0; t < count; t++, cursor.advance()) {
    const Tile tile(cursor, a->height, a->width, pixel);
    for (ptrdiff_t c = 0; c < pixel; c += 8) {
      PatchTarget target = {patch + c, pixel};
      transformTile(products + t * pixel + c, stride, target);
    }
    const ptrdiff_t values = least(4, a->width - tile.x) * pixel;
    const ptrdiff_t rows = least(4, a->height - tile.y);
    for (ptrdiff_t i = 0; i < rows; i++) {
      // Turns take the even rows before the odd ones.
      const float *source = patch + (i % 2 * 2 + i / 2) * 4 * pixel;
      finishPixels<activation, adds>(
          destination, source, bias, tile.start + i * row, values, strange);
    }
  }
  return strange[0].found() || strange[1].found();
}

#endif

static KERNEL int32_t transformTiles(
    const ck_convolution *a, const float *products, ptrdiff_t stride, TileCursor cursor, int count,
    float *patch) {
  if (a->addend) switch (a->activation) {
      case ck_relu: return transformTiles<ck_relu, true>(a, products, stride, cursor, count, patch);
      case ck_hiding_relu:
        return transformTiles<ck_hiding_relu, true>(a, products, stride, cursor, count, patch);
      default: return transformTiles<ck_linear, true>(a, products, stride, cursor, count, patch);
    }
  switch (a->activation) {
    case ck_relu: return transformTiles<ck_relu, false>(a, products, stride, cursor, count, patch);
    case ck_hiding_relu:
      return transformTiles<ck_hiding_relu, false>(a, products, stride, cursor, count, patch);
    default: return transformTiles<ck_linear, false>(a, products, stride, cursor, count, patch);
  }
}

/// Tiles that do not exist take part in the products, as zeros.
INLINE void clearTiles(
    float *transformed, ptrdiff_t stride, ptrdiff_t channels, int first, int last) {
  for (int e = 0; e < CK_WINOGRAD_POINTS && last > first; e++)
    memset(
        transformed + e * stride + first * channels, 0,
        (size_t)((last - first) * channels) * sizeof(float));
}

/// Tiles of a block that are worked off together: where there are few channels and wide vectors, so
/// few that they stay in the first-level cache from the first transform to the last.
INLINE int tilesAtOnce(ptrdiff_t channels) {
  return LANES == 16 && channels <= 16 ? (int)(192 / channels) : tilesPerBlock(channels);
}

/// The outputs of `count` tiles from `tile` on, a block at most; returns whether a NaN or an infinity was
/// among them.
static KERNEL int32_t forwardBlock(
    const ck_convolution *a, ptrdiff_t tile, int count, float *scratch, FetchPlan &plan) {
  const int few = tilesAtOnce(most(a->inputs, a->outputs));
  const ptrdiff_t stride = placeStride(few, a->inputs);
  const ptrdiff_t productStride = placeStride(few, a->outputs);
  float *transformed = scratch;
  // Each product of few channels is stored when the values it comes from have been read.
  const bool isInPlace = a->inputs == a->outputs && a->outputs <= 16;
  float *products = transformed + (isInPlace ? 0 : CK_WINOGRAD_POINTS * stride);
  float *patch = products + CK_WINOGRAD_POINTS * productStride;
  int32_t strange = 0;
  TileCursor cursor(a->height, a->width, tile);
  const Map input = {a->input, a->input_mask, a->height, a->width, a->inputs};
  for (int done = 0; done < count; done += few) {
    const int some = (int)least(few, count - done);
    if (a->input_mask)
      transformPieces<true, false>(input, cursor, some, transformed, stride, nullptr, patch);
    else
      transformPieces<false, false>(input, cursor, some, transformed, stride, nullptr, patch);
    const int whole = (int)roundedUp(some, TILES_OF_ONE);
    clearTiles(transformed, stride, a->inputs, some, whole);
    multiplyPlaces(
        transformed, a->kernel, products, whole, few, a->inputs, a->outputs, plan);
    strange |= transformTiles(a, products, productStride, cursor, some, patch);
    for (int t = 0; t < some; t++) cursor.advance();
  }
  return strange;
}

static KERNEL int32_t winogradForward(
    const ck_convolution *a, ptrdiff_t first, ptrdiff_t last, float *scratch) {
  const int block = tilesPerBlock(most(a->inputs, a->outputs));
  int32_t strange = 0;
  for (ptrdiff_t tile = first; tile < last; tile += block) {
    const int count = (int)least(block, last - tile);
    const ptrdiff_t next = tile + block, steps = forwardSteps(a, count);
    FetchPlan plan = {
        Fetch(
            a->input, a->input_mask, a->height, a->width, a->inputs, next,
            least(last, next + block), steps),
        Fetch(a->addend, nullptr, a->height, a->width, a->outputs, tile, tile + count, steps)};
    strange |= forwardBlock(a, tile, count, scratch, plan);
  }
  // What went past the caches is there for other threads, too.
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  return strange;
}

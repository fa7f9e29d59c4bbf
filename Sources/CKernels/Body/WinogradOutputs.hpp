// From products to pixels.
//
// A vector of 16 channels fills a line of the cache and goes to memory as soon as it is computed.
// Vectors of 8 are collected in a patch of 4×4 pixels first, from which whole lines go: the processor
// gathers few half lines at a time that are written past the caches, and writes the rest twice.

/// The 4×4 outputs of one tile, for as many channels as `target` takes, pixel by pixel.
template <class Target>
INLINE void transformTile(const float *products, ptrdiff_t stride, Target &target) {
  constexpr int L = Target::lanes;
  alignas(64) float memory[4 * 6 * L];
  float *half = kept(memory);
  const float *column = products;
  UNROLL for (int j = 0; j < 6; j++, column = kept(column + stride)) {
    Floats<L> m[6], r[4];
    UNROLL for (int i = 0; i < 6; i++) m[i] = load<L>(column + i * 6 * stride);
    transformOutput(m, r);
    UNROLL for (int i = 0; i < 4; i++) store<L>(half + (i * 6 + j) * L, r[i]);
  }
  UNROLL for (int i = 0; i < 4; i++) {
    Floats<L> m[6], y[4];
    UNROLL for (int j = 0; j < 6; j++) m[j] = load<L>(half + (i * 6 + j) * L);
    transformOutput(m, y);
    UNROLL for (int j = 0; j < 4; j++) target.put(i, j, y[j]);
  }
}

#if LANES == 16

/// Where the L channels of a tile's pixels go, of which `rows` and `columns` lie in the image.
template <int L, int activation, bool adds, bool derives, bool streams> struct Target {
  static constexpr int lanes = L;
  const Destination &destination;
  Spacing spacing;
  Floats<L> bias;
  ptrdiff_t first, rows, columns;
  Strangeness &strange;

  inline __attribute__((always_inline)) void put(int i, int j, Floats<L> y) {
    if (i >= rows || j >= columns) return;
    const Floats<L> z = y + bias;
    strange.note<L>(z, j);
    destination.write<L, activation, adds>(
        first + i * spacing.row + j * spacing.pixel, z, derives, streams);
  }
};

/// Where the eight channels of two tiles' pixels go.
template <int activation, bool adds, bool derives, bool streams> struct TargetPair {
  static constexpr int lanes = 16;
  const Destination &destination;
  Spacing spacing;
  Wide bias;
  ptrdiff_t first, second;
  Strangeness &strange;

  inline __attribute__((always_inline)) void put(int i, int j, Wide y) {
    const Wide z = y + bias;
    strange.note<16>(z, j);
    const ptrdiff_t place = i * spacing.row + j * spacing.pixel;
    destination.write<8, activation, adds>(first + place, lower(z), derives, streams);
    destination.write<8, activation, adds>(second + place, upper(z), derives, streams);
  }
};

template <int activation, bool adds, bool derives, bool streams>
static KERNEL int32_t transformTiles(
    const ck_convolution *a, const float *products, ptrdiff_t stride, TileCursor cursor, int count,
    float *) {
  const ptrdiff_t channels = a->outputs, pixel = a->output_pixel, row = a->width * pixel;
  const Destination destination(a);
  const Spacing spacing = {row, pixel};
  Strangeness strange;
  for (int t = 0; t < count;) {
    Tile tile(cursor, a->height, a->width, pixel);
    for (const int end = t + cursor.takeColumn(count - t); t < end; t++, tile.goDown()) {
      if (goesInPairs(channels) && tile.isInside() && t + 1 < end) {
        Tile second = tile;
        second.goDown();
        if (second.isInside()) {
          const Floats<8> bias = a->bias ? load<8>(a->bias) : Floats<8>{};
          TargetPair<activation, adds, derives, streams> target = {
              destination, spacing, besides(bias, bias), tile.start, second.start, strange};
          transformTile(products + t * channels, stride, target);
          t++;
          tile.goDown();
          continue;
        }
      }
      EACH_LANES(c, channels, {
        const Floats<L> bias = a->bias ? load<L>(a->bias + c) : Floats<L>{};
        const float *source = products + t * channels + c;
        const auto transform = [&](ptrdiff_t rows, ptrdiff_t columns) __attribute__((always_inline)) {
          Target<L, activation, adds, derives, streams> target = {
              destination, spacing, bias, tile.start + c, rows, columns, strange};
          transformTile(source, stride, target);
        };
        if (tile.isInside())
          transform(4, 4);
        else
          transform(a->height - tile.y, a->width - tile.x);
      });
    }
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
template <int activation, bool adds, bool derives, bool streams>
INLINE void finishPixels(
    const Destination &destination, const float *values, const float *bias, ptrdiff_t offset,
    ptrdiff_t count, Strangeness &strange) {
  ptrdiff_t i = 0;
  for (; i + 16 <= count; i += 16) {
    const Wide z = load<16>(values + i) + load<16>(bias + i);
    strange.note<16>(z, 0);
    destination.write<16, activation, adds>(offset + i, z, derives, streams);
  }
  if (i < count) {
    const Floats<8> z = load<8>(values + i) + load<8>(bias + i);
    strange.note<8>(z, 0);
    destination.write<8, activation, adds>(offset + i, z, derives, streams);
  }
}

template <int activation, bool adds, bool derives, bool streams>
static KERNEL int32_t transformTiles(
    const ck_convolution *a, const float *products, ptrdiff_t stride, TileCursor cursor, int count,
    float *patch) {
  const ptrdiff_t channels = a->outputs, pixel = a->output_pixel, row = a->width * pixel;
  const Destination destination(a);
  float *bias = patch + 16 * channels;
  memset(bias, 0, (size_t)(4 * channels) * sizeof(float));
  if (a->bias)
    for (int j = 0; j < 4; j++)
      memcpy(bias + j * channels, a->bias, (size_t)channels * sizeof(float));
  Strangeness strange;
  for (int t = 0; t < count;) {
    Tile tile(cursor, a->height, a->width, pixel);
    for (const int end = t + cursor.takeColumn(count - t); t < end; t++, tile.goDown()) {
      for (ptrdiff_t c = 0; c < channels; c += 8) {
        PatchTarget target = {patch + c, channels};
        transformTile(products + t * channels + c, stride, target);
      }
      const ptrdiff_t rows = least(4, a->height - tile.y);
      // Pixels side by side are one stretch of memory unless others' channels lie between them.
      const ptrdiff_t columns = least(4, a->width - tile.x);
      const ptrdiff_t stretches = pixel == channels ? 1 : columns;
      const ptrdiff_t values = columns / stretches * channels;
      for (ptrdiff_t i = 0; i < rows; i++)
        for (ptrdiff_t j = 0; j < stretches; j++)
          finishPixels<activation, adds, derives, streams>(
              destination, patch + (i * 4 + j) * channels, bias, tile.start + i * row + j * pixel,
              values, strange);
    }
  }
  return strange.found();
}

#endif

using TransformTiles = int32_t (*)(
    const ck_convolution *, const float *, ptrdiff_t, TileCursor, int, float *);

/// What is written, and how, is decided here: branches for each vector took a fifth of the time.
template <int activation, bool adds>
INLINE TransformTiles tilesTransform(const ck_convolution *a) {
  // Vectors of a streamed map lie at multiples of their size, and fill lines of the cache with others.
  const bool streams = isStreamed(a->images * a->height * a->width * a->output_pixel)
      && a->outputs % (a->output_pixel == a->outputs ? least(LANES, a->outputs) : 16) == 0;
  if (derives<activation>(a))
    return streams ? transformTiles<activation, adds, true, true>
                   : transformTiles<activation, adds, true, false>;
  return streams ? transformTiles<activation, adds, false, true>
                 : transformTiles<activation, adds, false, false>;
}

template <int activation> INLINE TransformTiles tilesTransform(const ck_convolution *a) {
  return a->addend ? tilesTransform<activation, true>(a) : tilesTransform<activation, false>(a);
}

static KERNEL int32_t transformTiles(
    const ck_convolution *a, const float *products, ptrdiff_t stride, TileCursor cursor, int count,
    float *patch) {
  const auto transform = a->activation == ck_relu ? tilesTransform<ck_relu>(a)
      : a->activation == ck_hiding_relu           ? tilesTransform<ck_hiding_relu>(a)
                                                  : tilesTransform<ck_linear>(a);
  return transform(a, products, stride, cursor, count, patch);
}

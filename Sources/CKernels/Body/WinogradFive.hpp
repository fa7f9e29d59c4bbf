// Winograd's F(4×4, 5×5) with the points 0, ±1, ±2, ±½, ∞, over interleaved maps.
//
// An 8×8 piece of the input gives 4×4 outputs with 64 products instead of 400. The images may have other
// sizes: output (y, x) reads the input from (y − top, x − left) on, zeros beyond its borders. The rounding
// error is four times that of F(4×4, 3×3).

constexpr int pointsOfFive = 8, placesOfFive = CK_FIVE_POINTS;
/// Tiles that are transformed and multiplied together.
constexpr int tilesOfFive = 24;
static_assert(tilesOfFive % TILES_OF_ONE == 0 && tilesOfFive % TILES_OF_TWO == 0, "whole steps");

/// Bᵀx: eight values of the input.
template <class V> INLINE void transformInputOfFive(const V x[8], V r[8]) {
  const V even = fma(constant<V>(-4.25f), x[4], x[2] + x[6]);
  const V odd = fma(constant<V>(-4.25f), x[3], x[1] + x[5]);
  const V even2 = fma(constant<V>(0.25f), x[2], fma(constant<V>(-1.25f), x[4], x[6]));
  const V odd2 = fma(constant<V>(0.5f), x[1], fma(constant<V>(-2.5f), x[3], x[5] + x[5]));
  const V even3 = fma(constant<V>(4.0f), x[2], fma(constant<V>(-5.0f), x[4], x[6]));
  const V odd3 = fma(constant<V>(0.5f), x[5], fma(constant<V>(-2.5f), x[3], x[1] + x[1]));
  r[0] = fma(constant<V>(5.25f), x[4] - x[2], x[0] - x[6]);
  r[1] = even + odd;
  r[2] = even - odd;
  r[3] = even2 + odd2;
  r[4] = even2 - odd2;
  r[5] = even3 + odd3;
  r[6] = even3 - odd3;
  r[7] = fma(constant<V>(5.25f), x[3] - x[5], x[7] - x[1]);
}

/// Aᵀm: four outputs.
template <class V> INLINE void transformOutputOfFive(const V m[8], V y[4]) {
  const V sum = m[1] + m[2], difference = m[1] - m[2];
  const V sum2 = m[3] + m[4], difference2 = m[3] - m[4];
  const V sum3 = m[5] + m[6], difference3 = m[5] - m[6];
  y[0] = (m[0] + sum) + (sum2 + sum3);
  y[1] = fma(constant<V>(0.5f), difference3, difference + (difference2 + difference2));
  y[2] = fma(constant<V>(0.25f), sum3, fma(constant<V>(4.0f), sum2, sum));
  y[3] = fma(constant<V>(0.125f), difference3, fma(constant<V>(8.0f), difference2, difference + m[7]));
}

/// A·y: four values of a tile.
template <class V> INLINE void transformSpreadOfFive(const V y[4], V z[8]) {
  const V even = y[0] + y[2], odd = y[1] + y[3];
  const V even2 = fma(constant<V>(4.0f), y[2], y[0]), odd2 = fma(constant<V>(8.0f), y[3], y[1] + y[1]);
  const V even3 = fma(constant<V>(0.25f), y[2], y[0]);
  const V odd3 = fma(constant<V>(0.125f), y[3], constant<V>(0.5f) * y[1]);
  z[0] = y[0];
  z[1] = even + odd;
  z[2] = even - odd;
  z[3] = even2 + odd2;
  z[4] = even2 - odd2;
  z[5] = even3 + odd3;
  z[6] = even3 - odd3;
  z[7] = y[3];
}

/// G: row i is (1, p, p², p³, p⁴)·n of point p.
constexpr float kernelTransformOfFive[8][5] = {
    {1, 0, 0, 0, 0},
    {-2.0f / 9, -2.0f / 9, -2.0f / 9, -2.0f / 9, -2.0f / 9},
    {-2.0f / 9, 2.0f / 9, -2.0f / 9, 2.0f / 9, -2.0f / 9},
    {1.0f / 90, 2.0f / 90, 4.0f / 90, 8.0f / 90, 16.0f / 90},
    {1.0f / 90, -2.0f / 90, 4.0f / 90, -8.0f / 90, 16.0f / 90},
    {32.0f / 45, 16.0f / 45, 8.0f / 45, 4.0f / 45, 2.0f / 45},
    {32.0f / 45, -16.0f / 45, 8.0f / 45, -4.0f / 45, 2.0f / 45},
    {0, 0, 0, 0, 1},
};

/// A map that is cut into tiles, or pieces around them.
struct MapOfFive {
  const float *values;
  ptrdiff_t height, width, channels;
};

/// Where a tile of the output lies.
struct TileOfFive {
  ptrdiff_t image, y, x;

  inline __attribute__((always_inline)) TileOfFive(const ck_five *a, ptrdiff_t tile) {
    const ptrdiff_t across = (a->output_width + 3) / 4, down = (a->output_height + 3) / 4;
    image = tile / (across * down);
    y = tile % (across * down) / across * 4;
    x = tile % across * 4;
  }
};

/// Transforms `side`×`side` values from (y, x) on, zeros beyond the borders, for L channels from `c` on.
template <int L, int side>
INLINE void transformOfFive(
    const MapOfFive &map, ptrdiff_t image, ptrdiff_t y, ptrdiff_t x, ptrdiff_t c, float *transformed,
    ptrdiff_t stride) {
  alignas(64) float memory[pointsOfFive * side * L];
  float *half = kept(memory);
  const bool isInside = y >= 0 && x >= 0 && y + side <= map.height && x + side <= map.width;
  const ptrdiff_t row = map.width * map.channels;
  const float *start = map.values + image * map.height * row + c;
  ROLLED for (int j = 0; j < side; j++) {
    Floats<L> values[side], results[8];
    const float *column = start + y * row + (x + j) * map.channels;
    if (isInside) {
      UNROLL for (int i = 0; i < side; i++) values[i] = load<L>(column + i * row);
    } else {
      const bool isColumn = x + j >= 0 && x + j < map.width;
      UNROLL for (int i = 0; i < side; i++) {
        values[i] = Floats<L>{};
        if (isColumn && y + i >= 0 && y + i < map.height) values[i] = load<L>(column + i * row);
      }
    }
    if constexpr (side == 8)
      transformInputOfFive(values, results);
    else
      transformSpreadOfFive(values, results);
    UNROLL for (int i = 0; i < 8; i++) store<L>(half + (i * side + j) * L, results[i]);
  }
  ROLLED for (int i = 0; i < 8; i++) {
    Floats<L> values[side], results[8];
    UNROLL for (int j = 0; j < side; j++) values[j] = load<L>(half + (i * side + j) * L);
    if constexpr (side == 8)
      transformInputOfFive(values, results);
    else
      transformSpreadOfFive(values, results);
    float *target = kept(transformed + i * 8 * stride);
    UNROLL for (int j = 0; j < 8; j++) store<L>(target + j * stride, results[j]);
  }
}

/// Transforms the pieces of `count` tiles, or the tiles themselves, to [64][tile][channels]; those that
/// do not exist are zeros.
template <int side>
static KERNEL void transformTilesOfFive(
    const ck_five *a, const MapOfFive &map, ptrdiff_t tile, int count, int whole, ptrdiff_t top,
    ptrdiff_t left, float *transformed) {
  const ptrdiff_t stride = placeStride(tilesOfFive, map.channels);
  for (int t = 0; t < count; t++) {
    const TileOfFive place(a, tile + t);
    EACH_LANES(c, map.channels, {
      transformOfFive<L, side>(
          map, place.image, place.y - top, place.x - left, c, transformed + t * map.channels + c,
          stride);
    });
  }
  for (int e = 0; e < placesOfFive && whole > count; e++)
    memset(
        transformed + e * stride + count * map.channels, 0,
        (size_t)((whole - count) * map.channels) * sizeof(float));
}

/// Transforms the products of one tile back and writes them, for L channels from `c` on.
template <int L>
INLINE void finishTileOfFive(
    const ck_five *a, const TileOfFive &place, ptrdiff_t c, const float *products, ptrdiff_t stride,
    Strangeness &strangeness) {
  alignas(64) float memory[4 * 8 * L];
  float *half = kept(memory);
  ROLLED for (int j = 0; j < 8; j++) {
    Floats<L> m[8], y[4];
    UNROLL for (int i = 0; i < 8; i++) m[i] = load<L>(products + (i * 8 + j) * stride);
    transformOutputOfFive(m, y);
    UNROLL for (int i = 0; i < 4; i++) store<L>(half + (i * 8 + j) * L, y[i]);
  }
  const Floats<L> bias = a->bias ? load<L>(a->bias + c) : Floats<L>{};
  const ptrdiff_t rows = least(4, a->output_height - place.y);
  const ptrdiff_t columns = least(4, a->output_width - place.x);
  float *target = a->output
      + ((place.image * a->output_height + place.y) * a->output_width + place.x) * a->outputs + c;
  for (ptrdiff_t i = 0; i < rows; i++, target += a->output_width * a->outputs) {
    Floats<L> m[8], y[4];
    UNROLL for (int j = 0; j < 8; j++) m[j] = load<L>(half + (i * 8 + j) * L);
    transformOutputOfFive(m, y);
    UNROLL for (int j = 0; j < 4; j++)
      if (j < columns) {
        const Floats<L> value = y[j] + bias;
        strangeness.note<L>(value, j);
        store<L>(target + j * a->outputs, value);
      }
  }
}

static KERNEL ptrdiff_t fiveScratch(ptrdiff_t inputs, ptrdiff_t outputs) {
  return placesOfFive * (placeStride(tilesOfFive, inputs) + placeStride(tilesOfFive, outputs));
}

static KERNEL int32_t fiveForward(
    const ck_five *a, ptrdiff_t first, ptrdiff_t last, float *scratch) {
  const ptrdiff_t stride = placeStride(tilesOfFive, a->inputs);
  const ptrdiff_t productStride = placeStride(tilesOfFive, a->outputs);
  float *products = scratch + placesOfFive * stride;
  const MapOfFive map = {a->input, a->input_height, a->input_width, a->inputs};
  Strangeness strangeness;
  FetchPlan none(nullptr, a->inputs, a->outputs);
  for (ptrdiff_t tile = first; tile < last; tile += tilesOfFive) {
    const int count = (int)least(tilesOfFive, last - tile);
    const int whole = (int)roundedUp(count, TILES_OF_ONE);
    transformTilesOfFive<8>(a, map, tile, count, whole, a->top, a->left, scratch);
    for (int e = 0; e < placesOfFive; e++)
      multiplyPlace<0>(
          scratch + e * stride, a->kernel + e * a->inputs * a->outputs,
          a->kernel + (e + 1) % placesOfFive * a->inputs * a->outputs, products + e * productStride,
          whole, a->inputs, a->outputs, none);
    for (int t = 0; t < count; t++) {
      const TileOfFive place(a, tile + t);
      EACH_LANES(c, a->outputs, {
        finishTileOfFive<L>(
            a, place, c, products + t * a->outputs + c, productStride, strangeness);
      });
    }
  }
  return strangeness.found();
}

static KERNEL void fiveGradient(
    const ck_five *a, ptrdiff_t first, ptrdiff_t last, float *sums, float *scratch) {
  const ptrdiff_t stride = placeStride(tilesOfFive, a->inputs);
  const ptrdiff_t gradientStride = placeStride(tilesOfFive, a->outputs);
  float *gradients = scratch + placesOfFive * stride;
  const MapOfFive input = {a->input, a->input_height, a->input_width, a->inputs};
  const MapOfFive gradient = {a->output, a->output_height, a->output_width, a->outputs};
  FetchPlan none(nullptr, a->inputs, a->outputs);
  for (ptrdiff_t tile = first; tile < last; tile += tilesOfFive) {
    const int count = (int)least(tilesOfFive, last - tile);
    const int whole = (int)roundedUp(count, TILES_OF_ONE);
    transformTilesOfFive<8>(a, input, tile, count, whole, a->top, a->left, scratch);
    transformTilesOfFive<4>(a, gradient, tile, count, whole, 0, 0, gradients);
    for (int e = 0; e < placesOfFive; e++)
      multiplyTilesAtPlace<0>(
          scratch + e * stride, gradients + e * gradientStride, sums + e * a->inputs * a->outputs,
          ((e + 1) % placesOfFive - e) * a->inputs * a->outputs, whole, a->inputs, a->outputs, none);
  }
}

/// The 25 weights that lead from channel `input` to outputs first..<first+8, 0 where there are none.
INLINE void gatherFive(
    const float *weights, ptrdiff_t kernels, ptrdiff_t channels, bool turned, ptrdiff_t input,
    ptrdiff_t first, Floats<8> w[5][5]) {
  // Turned, kernels are read and channels written.
  const ptrdiff_t distance = turned ? 25 : channels * 25;
  const float *start = weights + input * (turned ? channels * 25 : 25) + first * distance;
  const bool isRead = input < (turned ? kernels : channels);
  const ptrdiff_t written = isRead ? least(8, (turned ? channels : kernels) - first) : 0;
  for (int k = 0; k < 25; k++) {
    Floats<8> values = {};
    UNROLL for (int lane = 0; lane < 8; lane++)
      if (lane < written) values[lane] = start[lane * distance + (turned ? 24 - k : k)];
    w[k / 5][k % 5] = values;
  }
}

static KERNEL void fiveKernel(
    const float *weights, ptrdiff_t kernels, ptrdiff_t channels, int32_t turned, float *transformed,
    ptrdiff_t inputs, ptrdiff_t outputs, ptrdiff_t first, ptrdiff_t last) {
  for (ptrdiff_t input = first; input < last; input++)
    for (ptrdiff_t o = 0, begin = 0; o < outputs; o += 8) {
      if (o == begin + outputsAtOnce(outputs - begin)) begin = o;
      const ptrdiff_t place = begin * inputs + input * outputsAtOnce(outputs - begin) + o - begin;
      Floats<8> w[5][5], half[8][5];
      gatherFive(weights, kernels, channels, turned, input, o, w);
      for (int i = 0; i < 8; i++)
        for (int j = 0; j < 5; j++) {
          Floats<8> sum = kernelTransformOfFive[i][0] * w[0][j];
          UNROLL for (int k = 1; k < 5; k++) sum = fma(kernelTransformOfFive[i][k], w[k][j], sum);
          half[i][j] = sum;
        }
      for (int i = 0; i < 8; i++)
        for (int j = 0; j < 8; j++) {
          Floats<8> sum = kernelTransformOfFive[j][0] * half[i][0];
          UNROLL for (int k = 1; k < 5; k++) sum = fma(kernelTransformOfFive[j][k], half[i][k], sum);
          store<8>(transformed + (i * 8 + j) * inputs * outputs + place, sum);
        }
    }
}

static KERNEL void fiveKernelGradient(
    const float *sums, ptrdiff_t inputs, ptrdiff_t outputs, float *weights, ptrdiff_t kernels,
    ptrdiff_t channels, ptrdiff_t first, ptrdiff_t last) {
  for (ptrdiff_t input = 0; input < channels; input++)
    for (ptrdiff_t o = first / 8 * 8; o < last; o += 8) {
      Floats<8> half[5][8] = {}, w[5][5] = {};
      for (int i = 0; i < 8; i++)
        for (int j = 0; j < 8; j++) {
          const Floats<8> sum = load<8>(sums + ((i * 8 + j) * inputs + input) * outputs + o);
          UNROLL for (int a = 0; a < 5; a++)
            half[a][j] = fma(kernelTransformOfFive[i][a], sum, half[a][j]);
        }
      for (int a = 0; a < 5; a++)
        for (int j = 0; j < 8; j++)
          UNROLL for (int b = 0; b < 5; b++)
            w[a][b] = fma(kernelTransformOfFive[j][b], half[a][j], w[a][b]);
      for (int lane = 0; lane < 8; lane++)
        if (o + lane >= first && o + lane < last)
          for (int k = 0; k < 25; k++)
            weights[((o + lane) * channels + input) * 25 + k] = w[k / 5][k % 5][lane];
    }
}

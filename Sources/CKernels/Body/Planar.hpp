// Convolutions between planar maps, of any odd kernel: few channels, vectors along the rows.
//
// A chunk is up to 16 rows of one image. Its rows and those around it are copied to scratch memory
// with zeros on every side, so that vectors may read beyond the ends; while one row is computed, the
// next is fetched.

/// The rows of a chunk.
struct PlanarChunk {
  ptrdiff_t image, first, last;

  inline __attribute__((always_inline)) PlanarChunk(ptrdiff_t chunk, ptrdiff_t height)
      : image(chunk / rowChunks(height)), first(chunk % rowChunks(height) * CK_ROWS_PER_CHUNK),
        last(least(height, first + CK_ROWS_PER_CHUNK)) {}
};

/// The rows of a chunk that begins with row `first`, [channel][row][column], from kH/2 above and kW/2 to
/// the left of its first pixel.
struct PaddedPlanes {
  float *memory;
  ptrdiff_t first, reach, margin, row, plane;

  inline __attribute__((always_inline)) PaddedPlanes(
      float *memory, ptrdiff_t first, ptrdiff_t kernelHeight, ptrdiff_t kernelWidth, ptrdiff_t width)
      : memory(memory), first(first), reach(kernelHeight / 2), margin(kernelWidth / 2),
        row(rowSize(kernelWidth, width)), plane(row * (CK_ROWS_PER_CHUNK + kernelHeight - 1)) {}

  /// Where row `y` of the image begins, with its zeros.
  inline __attribute__((always_inline)) float *at(ptrdiff_t channel, ptrdiff_t y) const {
    return memory + channel * plane + (y - first + reach) * row;
  }
  /// Writes the zeros on both sides of a row; returns where its pixels go.
  inline __attribute__((always_inline)) float *beginRow(float *start, ptrdiff_t width) const {
    memset(start, 0, (size_t)margin * sizeof(float));
    memset(start + margin + width, 0, (size_t)(row - margin - width) * sizeof(float));
    return start + margin;
  }

  /// Room for the widest block of vectors that begins inside the row.
  static inline __attribute__((always_inline)) ptrdiff_t rowSize(
      ptrdiff_t kernelWidth, ptrdiff_t width) {
    return roundedUp(width, 16) + PLANAR_VECTORS_OF_ONE * LANES + roundedUp(kernelWidth, 16);
  }
};

static KERNEL ptrdiff_t planarScratch(
    ptrdiff_t inputs, ptrdiff_t outputs, ptrdiff_t kernelHeight, ptrdiff_t kernelWidth,
    ptrdiff_t width) {
  const PaddedPlanes planes(nullptr, 0, kernelHeight, kernelWidth, width);
  return planes.plane * inputs + planes.row * outputs;
}

/// Copies row `y` of all channels; outside the image it is 0.
static KERNEL void padPlanes(
    const float *image, ptrdiff_t channels, ptrdiff_t height, ptrdiff_t width, ptrdiff_t y,
    const PaddedPlanes &planes) {
  for (ptrdiff_t c = 0; c < channels; c++) {
    float *row = planes.at(c, y);
    if (y < 0 || y >= height) {
      memset(row, 0, (size_t)planes.row * sizeof(float));
      continue;
    }
    memcpy(
        planes.beginRow(row, width), image + (c * height + y) * width,
        (size_t)width * sizeof(float));
  }
}

/// Calls `pad(y)` for each row that the chunk reads, and `compute(y)` for each of its own as soon as those
/// around it are there.
template <class Pad, class Compute>
INLINE void eachRow(
    const PlanarChunk &rows, const PaddedPlanes &planes, const Pad &pad, const Compute &compute) {
  for (ptrdiff_t y = rows.first - planes.reach; y < rows.last + planes.reach; y++) {
    pad(y);
    if (y - planes.reach >= rows.first) compute(y - planes.reach);
  }
}

/// The row of some maps that is read next, fetched in some steps.
struct RowPlan {
  Lines maps[4];
  ptrdiff_t linesAStep[4];
  int count = 0;

  inline __attribute__((always_inline)) RowPlan() {}

  /// Row `y` of all channels of an image.
  inline __attribute__((always_inline)) void add(
      const float *image, ptrdiff_t channels, ptrdiff_t height, ptrdiff_t width, ptrdiff_t y,
      ptrdiff_t steps) {
    if (y < 0 || y >= height || steps == 0) return;
    maps[count] = Lines(image + y * width, width * 4, height * width * 4, channels);
    linesAStep[count] = roundedUp(maps[count].left, steps) / steps;
    count++;
  }
  inline __attribute__((always_inline)) void advance() {
    for (int i = 0; i < count; i++) maps[i].fetch(linesAStep[i]);
  }
};

// MARK: - Forward and input gradient

/// `vectors` vectors of pixels from column x of row y, for `outputs` output channels from `o`.
template <int outputs, int vectors>
INLINE void planarBlock(
    const ck_convolution *a, const PaddedPlanes &planes, ptrdiff_t image, ptrdiff_t y, ptrdiff_t x,
    ptrdiff_t o, bool streams, Strangeness &strange) {
  const ptrdiff_t taps = a->inputs * a->kernel_height * a->kernel_width;
  Floats<LANES> sums[outputs][vectors] = {};
  const float *kernel = a->kernel + o * taps;
  for (ptrdiff_t c = 0; c < a->inputs; c++)
    for (ptrdiff_t u = 0; u < a->kernel_height; u++) {
      const float *row = planes.at(c, y + u - planes.reach) + x;
      for (ptrdiff_t v = 0; v < a->kernel_width; v++, row++, kernel++) {
        Floats<LANES> values[vectors];
        UNROLL for (int j = 0; j < vectors; j++) values[j] = load<LANES>(row + j * LANES);
        UNROLL for (int i = 0; i < outputs; i++) {
          const Floats<LANES> weight = splat<LANES>(kernel[i * taps]);
          UNROLL for (int j = 0; j < vectors; j++) sums[i][j] = fma(weight, values[j], sums[i][j]);
        }
      }
    }
  UNROLL for (int i = 0; i < outputs; i++) {
    const Floats<LANES> bias = splat<LANES>(a->bias ? a->bias[o + i] : 0);
    float *target = a->output + (((image * a->outputs + o + i) * a->height + y) * a->width + x);
    UNROLL for (int j = 0; j < vectors; j++) {
      const Floats<LANES> z = sums[i][j] + bias;
      const ptrdiff_t left = a->width - x - j * LANES;
      if (left >= LANES) {
        store<LANES>(target + j * LANES, z, streams);
      } else if (left > 0) {
        memcpy(target + j * LANES, &z, (size_t)left * sizeof(float));
      }
      strange.note<LANES>(z, j);
    }
  }
}

/// The vectors of pixels that are computed together for so many outputs, as many as registers hold.
INLINE constexpr int vectorsFor(ptrdiff_t outputs) {
  return outputs == 1 ? PLANAR_VECTORS_OF_ONE
      : outputs == 2  ? PLANAR_VECTORS_OF_TWO
      : outputs == 3  ? PLANAR_VECTORS_OF_THREE
                      : PLANAR_VECTORS_OF_FOUR;
}

template <int outputs>
static KERNEL bool planarRow(
    const ck_convolution *a, const PaddedPlanes &planes, ptrdiff_t image, ptrdiff_t y, ptrdiff_t o,
    bool streams, RowPlan &plan) {
  constexpr int vectors = vectorsFor(outputs);
  Strangeness strange;
  ptrdiff_t x = 0;
  for (; x + vectors * LANES <= a->width; x += vectors * LANES) {
    plan.advance();
    planarBlock<outputs, vectors>(a, planes, image, y, x, o, streams, strange);
  }
  for (; x < a->width; x += LANES)
    planarBlock<outputs, 1>(a, planes, image, y, x, o, streams, strange);
  return strange.found();
}

/// Calls `body(o, count)` for each group of outputs that are computed together.
template <class Body> INLINE void eachGroup(ptrdiff_t outputs, const Body &body) {
  for (ptrdiff_t o = 0; o < outputs;) {
    const ptrdiff_t left = outputs - o;
    // Five are three and two rather than four and one.
    const ptrdiff_t count = left > 4 ? 3 : left;
    body(o, count);
    o += count;
  }
}

/// Row y of all outputs.
static KERNEL bool planarOutputs(
    const ck_convolution *a, const PaddedPlanes &planes, ptrdiff_t image, ptrdiff_t y, bool streams,
    RowPlan &plan) {
  bool strange = false;
  eachGroup(a->outputs, [&](ptrdiff_t o, ptrdiff_t count) {
    const auto row = count == 1 ? planarRow<1>
        : count == 2            ? planarRow<2>
        : count == 3            ? planarRow<3>
                                : planarRow<4>;
    strange |= row(a, planes, image, y, o, streams, plan);
  });
  return strange;
}

/// How often a row of outputs advances its plan.
INLINE ptrdiff_t planarSteps(ptrdiff_t outputs, ptrdiff_t width) {
  ptrdiff_t steps = 0;
  eachGroup(outputs, [&](ptrdiff_t, ptrdiff_t count) {
    steps += width / (vectorsFor(count) * LANES);
  });
  return steps;
}

static KERNEL int32_t planarForward(const ck_convolution *a, ptrdiff_t chunk, float *scratch) {
  const PlanarChunk rows(chunk, a->height);
  const PaddedPlanes planes(scratch, rows.first, a->kernel_height, a->kernel_width, a->width);
  const float *image = a->input + rows.image * a->inputs * a->height * a->width;
  const ptrdiff_t steps = planarSteps(a->outputs, a->width);
  bool strange = false;
  const auto pad = [&](ptrdiff_t y) {
    padPlanes(image, a->inputs, a->height, a->width, y, planes);
  };
  eachRow(rows, planes, pad, [&](ptrdiff_t y) {
    RowPlan plan;
    plan.add(image, a->inputs, a->height, a->width, y + planes.reach + 1, steps);
    // What follows a convolution reads its rows from the cache.
    strange |= planarOutputs(a, planes, rows.image, y, false, plan);
  });
  return strange;
}

// MARK: - Kernel gradient

/// Adds Σ over a row of gradient[o][x] · value[x + v], 16 sums each, for `outputs` outputs and `taps`
/// neighboring taps.
template <int outputs, int taps>
static KERNEL void planarTaps(
    const float *gradient, ptrdiff_t gradientRow, const float *row, ptrdiff_t width, float *sums,
    ptrdiff_t outputStride) {
  Wide products[outputs][taps] = {};
  for (ptrdiff_t x = 0; x < width; x += 16) {
    Wide g[outputs];
    UNROLL for (int i = 0; i < outputs; i++) g[i] = load<16>(gradient + i * gradientRow + x);
    UNROLL for (int v = 0; v < taps; v++) {
      const Wide value = load<16>(row + x + v);
      UNROLL for (int i = 0; i < outputs; i++) products[i][v] = fma(g[i], value, products[i][v]);
    }
  }
  UNROLL for (int i = 0; i < outputs; i++)
    UNROLL for (int v = 0; v < taps; v++) {
      float *target = sums + i * outputStride + v * 16;
      store<16>(target, load<16>(target) + products[i][v]);
    }
}

template <int outputs>
static KERNEL void planarRowTaps(
    const float *gradient, ptrdiff_t gradientRow, const float *row, ptrdiff_t width,
    ptrdiff_t kernelWidth, float *sums, ptrdiff_t outputStride) {
  ptrdiff_t v = 0;
  for (; v + PLANAR_TAPS <= kernelWidth; v += PLANAR_TAPS)
    planarTaps<outputs, PLANAR_TAPS>(
        gradient, gradientRow, row + v, width, sums + v * 16, outputStride);
  for (; v + 3 <= kernelWidth; v += 3)
    planarTaps<outputs, 3>(gradient, gradientRow, row + v, width, sums + v * 16, outputStride);
  for (; v < kernelWidth; v++)
    planarTaps<outputs, 1>(gradient, gradientRow, row + v, width, sums + v * 16, outputStride);
}

/// Adds what row y of the outputs' gradients, `gradientPlane` apart, gives with the rows around it.
static KERNEL void planarRowGradient(
    const ck_gradient *a, const float *gradient, ptrdiff_t gradientPlane, ptrdiff_t y,
    const PaddedPlanes &planes, float *sums, RowPlan &plan) {
  const ptrdiff_t outputStride = a->inputs * a->kernel_height * a->kernel_width * 16;
  for (ptrdiff_t c = 0; c < a->inputs; c++)
    for (ptrdiff_t u = 0; u < a->kernel_height; u++) {
      plan.advance();
      const float *values = planes.at(c, y + u - planes.reach);
      float *target = sums + (c * a->kernel_height + u) * a->kernel_width * 16;
      ptrdiff_t o = 0;
      for (; o + PLANAR_OUTPUTS <= a->outputs; o += PLANAR_OUTPUTS)
        planarRowTaps<PLANAR_OUTPUTS>(
            gradient + o * gradientPlane, gradientPlane, values, a->width, a->kernel_width,
            target + o * outputStride, outputStride);
      for (; o < a->outputs; o++)
        planarRowTaps<1>(
            gradient + o * gradientPlane, gradientPlane, values, a->width, a->kernel_width,
            target + o * outputStride, outputStride);
    }
}

static KERNEL void planarGradient(
    const ck_gradient *a, ptrdiff_t chunk, float *sums, float *scratch) {
  const PlanarChunk rows(chunk, a->height);
  const PaddedPlanes planes(scratch, rows.first, a->kernel_height, a->kernel_width, a->width);
  const ptrdiff_t plane = a->height * a->width, steps = a->inputs * a->kernel_height;
  const float *image = a->input + rows.image * a->inputs * plane;
  const float *imageGradient = a->gradient + rows.image * a->outputs * plane;
  float *gradient = scratch + a->inputs * planes.plane;
  memset(gradient, 0, (size_t)(a->outputs * planes.row) * sizeof(float));
  const auto pad = [&](ptrdiff_t y) {
    padPlanes(image, a->inputs, a->height, a->width, y, planes);
  };
  eachRow(rows, planes, pad, [&](ptrdiff_t y) {
    RowPlan plan;
    plan.add(image, a->inputs, a->height, a->width, y + planes.reach + 1, steps);
    plan.add(imageGradient, a->outputs, a->height, a->width, y + 1, steps);
    for (ptrdiff_t o = 0; o < a->outputs; o++)
      memcpy(
          gradient + o * planes.row, imageGradient + o * plane + y * a->width,
          (size_t)a->width * sizeof(float));
    planarRowGradient(a, gradient, planes.row, y, planes, sums, plan);
  });
}

static KERNEL void sumLanes(const float *sums, float *results, ptrdiff_t count) {
  for (ptrdiff_t i = 0; i < count; i += 8) {
    const ptrdiff_t some = least(8, count - i);
    Wide values[8] = {};
    for (ptrdiff_t k = 0; k < some; k++) values[k] = load<16>(sums + (i + k) * 16);
    const Floats<8> result = sumsOfLanes(values);
    memcpy(results + i, &result, (size_t)some * sizeof(float));
  }
}

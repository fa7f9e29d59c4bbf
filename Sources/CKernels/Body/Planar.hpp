// Convolutions between planar maps, of any odd kernel: few channels, vectors along the rows.
//
// A chunk is up to 16 rows of one image. Its rows and those around it are copied to scratch memory
// with zeros on every side, so that vectors may read beyond the ends.

/// The rows of a chunk.
struct PlanarChunk {
  ptrdiff_t image, first, last;

  inline __attribute__((always_inline)) PlanarChunk(ptrdiff_t chunk, ptrdiff_t height)
      : image(chunk / rowChunks(height)), first(chunk % rowChunks(height) * CK_ROWS_PER_CHUNK),
        last(least(height, first + CK_ROWS_PER_CHUNK)) {}
};

/// The rows of one chunk, [channel][row][column], from kH/2 above and kW/2 to the left of its first
/// pixel.
struct PaddedPlanes {
  float *memory;
  ptrdiff_t row, plane;

  inline __attribute__((always_inline)) PaddedPlanes(
      float *memory, ptrdiff_t kernelHeight, ptrdiff_t kernelWidth, ptrdiff_t width)
      : memory(memory) {
    row = rowSize(kernelWidth, width);
    plane = row * (CK_ROWS_PER_CHUNK + kernelHeight - 1);
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
  const PaddedPlanes planes(nullptr, kernelHeight, kernelWidth, width);
  return planes.plane * inputs + planes.row * outputs;
}

/// Copies the rows `first`..<`last` of the image and those that the kernel reaches.
static KERNEL void padPlanes(
    const float *input, ptrdiff_t inputs, ptrdiff_t height, ptrdiff_t width, ptrdiff_t kernelHeight,
    ptrdiff_t kernelWidth, ptrdiff_t first, ptrdiff_t last, const PaddedPlanes &planes) {
  const ptrdiff_t reach = kernelHeight / 2, margin = kernelWidth / 2;
  for (ptrdiff_t c = 0; c < inputs; c++)
    for (ptrdiff_t y = first - reach; y < last + reach; y++) {
      float *row = planes.memory + c * planes.plane + (y - first + reach) * planes.row;
      if (y < 0 || y >= height) {
        memset(row, 0, (size_t)planes.row * sizeof(float));
        continue;
      }
      memset(row, 0, (size_t)margin * sizeof(float));
      memcpy(row + margin, input + (c * height + y) * width, (size_t)width * sizeof(float));
      memset(row + margin + width, 0, (size_t)(planes.row - margin - width) * sizeof(float));
    }
}

// MARK: - Forward and input gradient

/// `vectors` vectors of pixels from column x of row y, for `outputs` output channels from `o`.
template <int outputs, int vectors>
INLINE void planarBlock(
    const ck_convolution *a, const PaddedPlanes &planes, ptrdiff_t image, ptrdiff_t first,
    ptrdiff_t y, ptrdiff_t x, ptrdiff_t o, bool streams, Strangeness &strange) {
  const ptrdiff_t taps = a->inputs * a->kernel_height * a->kernel_width;
  Floats<LANES> sums[outputs][vectors] = {};
  const float *kernel = a->kernel + o * taps;
  for (ptrdiff_t c = 0; c < a->inputs; c++)
    for (ptrdiff_t u = 0; u < a->kernel_height; u++) {
      const float *row = planes.memory + c * planes.plane + (y - first + u) * planes.row + x;
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
      strange.note<LANES>(z);
    }
  }
}

template <int outputs, int vectors>
static KERNEL bool planarRow(
    const ck_convolution *a, const PaddedPlanes &planes, ptrdiff_t image, ptrdiff_t first,
    ptrdiff_t y, ptrdiff_t o, bool streams) {
  Strangeness strange;
  ptrdiff_t x = 0;
  for (; x + vectors * LANES <= a->width; x += vectors * LANES)
    planarBlock<outputs, vectors>(a, planes, image, first, y, x, o, streams, strange);
  for (; x < a->width; x += LANES)
    planarBlock<outputs, 1>(a, planes, image, first, y, x, o, streams, strange);
  return strange.found();
}

/// The rows `first`..<`last` of all outputs.
static KERNEL bool planarRows(
    const ck_convolution *a, const PaddedPlanes &planes, ptrdiff_t image, ptrdiff_t first,
    ptrdiff_t last, bool streams) {
  bool strange = false;
  for (ptrdiff_t y = first; y < last; y++)
    for (ptrdiff_t o = 0; o < a->outputs;) {
      const ptrdiff_t left = a->outputs - o;
      // Five are three and two rather than four and one.
      if (left > 4 || left == 3) {
        strange |= planarRow<3, PLANAR_VECTORS_OF_THREE>(a, planes, image, first, y, o, streams);
        o += 3;
      } else if (left == 4) {
        strange |= planarRow<4, PLANAR_VECTORS_OF_FOUR>(a, planes, image, first, y, o, streams);
        o += 4;
      } else if (left >= 2) {
        strange |= planarRow<2, PLANAR_VECTORS_OF_TWO>(a, planes, image, first, y, o, streams);
        o += 2;
      } else {
        strange |= planarRow<1, PLANAR_VECTORS_OF_ONE>(a, planes, image, first, y, o, streams);
        o += 1;
      }
    }
  return strange;
}

static KERNEL int32_t planarForward(const ck_convolution *a, ptrdiff_t chunk, float *scratch) {
  const PlanarChunk rows(chunk, a->height);
  const PaddedPlanes planes(scratch, a->kernel_height, a->kernel_width, a->width);
  padPlanes(
      a->input + rows.image * a->inputs * a->height * a->width, a->inputs, a->height, a->width,
      a->kernel_height, a->kernel_width, rows.first, rows.last, planes);
  // What follows a convolution reads its rows from the cache.
  return planarRows(a, planes, rows.image, rows.first, rows.last, false);
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

/// Adds what one row of the outputs' gradients, `gradientPlane` apart, gives with the rows of the
/// inputs from `row` on.
static KERNEL void planarRowGradient(
    const ck_gradient *a, const float *gradient, ptrdiff_t gradientPlane, const float *row,
    const PaddedPlanes &planes, float *sums) {
  const ptrdiff_t outputStride = a->inputs * a->kernel_height * a->kernel_width * 16;
  for (ptrdiff_t c = 0; c < a->inputs; c++)
    for (ptrdiff_t u = 0; u < a->kernel_height; u++) {
      const float *values = row + c * planes.plane + u * planes.row;
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
  const PaddedPlanes planes(scratch, a->kernel_height, a->kernel_width, a->width);
  padPlanes(
      a->input + rows.image * a->inputs * a->height * a->width, a->inputs, a->height, a->width,
      a->kernel_height, a->kernel_width, rows.first, rows.last, planes);
  float *gradient = scratch + a->inputs * planes.plane;
  memset(gradient, 0, (size_t)(a->outputs * planes.row) * sizeof(float));
  for (ptrdiff_t y = rows.first; y < rows.last; y++) {
    for (ptrdiff_t o = 0; o < a->outputs; o++)
      memcpy(
          gradient + o * planes.row,
          a->gradient + ((rows.image * a->outputs + o) * a->height + y) * a->width,
          (size_t)a->width * sizeof(float));
    planarRowGradient(
        a, gradient, planes.row, planes.memory + (y - rows.first) * planes.row, planes, sums);
  }
}

static KERNEL void sumLanes(const float *sums, float *results, ptrdiff_t count) {
  for (ptrdiff_t i = 0; i < count; i += 16) {
    const ptrdiff_t some = least(16, count - i);
    Wide values[16] = {};
    for (ptrdiff_t k = 0; k < some; k++) values[k] = load<16>(sums + (i + k) * 16);
    const Wide result = sumsOfLanes(values);
    memcpy(results + i, &result, (size_t)some * sizeof(float));
  }
}

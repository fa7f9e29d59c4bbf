// Convolutions of any odd kernel, computed from their definition.
//
// A chunk is up to 16 rows of one image. Rows of the input are copied to scratch memory with zeros
// beyond both ends, channels together; so a row of the kernel meets kW·C values in a line. A kernel of one
// pixel reads them where they lie.

INLINE ptrdiff_t rowChunks(ptrdiff_t height) {
  return (height + CK_ROWS_PER_CHUNK - 1) / CK_ROWS_PER_CHUNK;
}

/// Rows of input with zeros at both ends, [width + kW − 1][channels], each kept until kH further
/// rows are there.
struct PaddedRows {
  float *memory;
  ptrdiff_t stride;
  ptrdiff_t rows;
  /// Whether they are those of the image.
  bool isInPlace = false;

  /// The place of row y, at least −kH, among those that are kept.
  inline __attribute__((always_inline)) ptrdiff_t place(ptrdiff_t y) const {
    return (y + rows) % rows;
  }
  inline __attribute__((always_inline)) float *at(ptrdiff_t y) const {
    return memory + place(y) * stride;
  }
};

INLINE ptrdiff_t paddedRowStride(ptrdiff_t channels, ptrdiff_t kernelWidth, ptrdiff_t width) {
  return (width + kernelWidth - 1) * channels + 16;
}

INLINE ptrdiff_t paddedRowsSize(
    ptrdiff_t channels, ptrdiff_t kernelHeight, ptrdiff_t kernelWidth, ptrdiff_t width) {
  return kernelHeight * paddedRowStride(channels, kernelWidth, width);
}

/// The rows of the input, and one row of the gradient for the masked one.
static KERNEL ptrdiff_t directScratch(
    ptrdiff_t inputs, ptrdiff_t outputs, ptrdiff_t kernelHeight, ptrdiff_t kernelWidth,
    ptrdiff_t width) {
  return paddedRowsSize(inputs, kernelHeight, kernelWidth, width) + width * outputs;
}

/// Row `y` of an image, or zeros outside it.
static KERNEL void padRow(
    const float *input, const uint8_t *mask, bool isPlanar, ptrdiff_t image, ptrdiff_t height,
    ptrdiff_t width, ptrdiff_t channels, ptrdiff_t y, ptrdiff_t margin, float *target) {
  const ptrdiff_t count = (width + 2 * margin) * channels;
  if (y < 0 || y >= height) {
    memset(target, 0, (size_t)count * sizeof(float));
    return;
  }
  memset(target, 0, (size_t)(margin * channels) * sizeof(float));
  memset(target + count - margin * channels, 0, (size_t)(margin * channels) * sizeof(float));
  float *inside = target + margin * channels;
  if (isPlanar) {
    const float *plane = input + image * channels * height * width + y * width;
    for (ptrdiff_t c = 0; c < channels; c++, plane += height * width)
      for (ptrdiff_t x = 0; x < width; x++) inside[x * channels + c] = plane[x];
    return;
  }
  const ptrdiff_t start = (image * height + y) * width * channels;
  if (!mask) {
    memcpy(inside, input + start, (size_t)(width * channels) * sizeof(float));
    return;
  }
  for (ptrdiff_t i = 0; i < width * channels; i += 8)
    store<8>(inside + i, masked<8>(load<8>(input + start + i), mask + ((start + i) >> 3)));
}

/// The rows of an image where they lie, for a kernel of one pixel.
INLINE PaddedRows rowsInPlace(
    const float *input, ptrdiff_t image, ptrdiff_t height, ptrdiff_t width, ptrdiff_t channels) {
  // They are only read.
  float *start = (float *)input + image * height * width * channels;
  return {start, width * channels, height, true};
}

// MARK: - To interleaved outputs

/// How many outputs are computed at once where `rest` are left, a multiple of 8. Their weights stand
/// together, for the reason told at ``outputsAtOnce``.
static KERNEL ptrdiff_t directOutputsAtOnce(ptrdiff_t rest) {
  return rest >= 2 * LANES ? 2 * LANES : rest >= LANES ? LANES : 8;
}

/// Whether `some` channels of each pixel go past the caches: if they fill whole lines.
INLINE bool streamsDirect(const ck_convolution *a, ptrdiff_t some) {
  const bool fills = a->outputs == some || (a->outputs % 16 == 0 && some % 16 == 0);
  return fills && isStreamed(a->images * a->height * a->width * a->outputs);
}

/// `pixels` pixels from column x, for `columns` vectors of output channels. The first row that the kernel
/// meets stands at `place` among the rows.
///
/// `isSmall` if there is one input channel and the kernel is 3×3: constants of the compiled code then.
template <bool isSmall, int pixels, int columns, int L, int activation, bool adds>
INLINE void directPixels(
    const ck_convolution *a, const PaddedRows &rows, ptrdiff_t place, ptrdiff_t x, ptrdiff_t o,
    ptrdiff_t offset, bool streams, Strangeness &strange, const RowFetch &ahead) {
  const ptrdiff_t inputs = isSmall ? 1 : a->inputs, outputs = a->outputs;
  const ptrdiff_t lines = isSmall ? 3 : a->kernel_height;
  const ptrdiff_t taps = isSmall ? 3 : a->kernel_width * inputs;
  Floats<L> sums[pixels][columns] = {};
  const float *kernel = a->kernel + o * lines * taps;
  for (ptrdiff_t u = 0; u < lines; u++) {
    const float *row = rows.memory + place * rows.stride + x * inputs;
    place = place + 1 < lines ? place + 1 : 0;
    for (ptrdiff_t k = 0; k < taps; k++, kernel += columns * L) {
      if constexpr (!isSmall) ahead.fetch(k);
      // Values that neighbors share are read again: there are no registers to keep them in.
      const float *values = kept(row + k);
      Floats<L> weights[columns];
      UNROLL for (int j = 0; j < columns; j++) weights[j] = load<L>(kernel + j * L);
      UNROLL for (int p = 0; p < pixels; p++) {
        const Floats<L> value = splat<L>(values[p * inputs]);
        UNROLL for (int j = 0; j < columns; j++) sums[p][j] = fma(value, weights[j], sums[p][j]);
      }
    }
  }
  Floats<L> bias[columns];
  UNROLL for (int j = 0; j < columns; j++)
    bias[j] = a->bias ? load<L>(a->bias + o + j * L) : Floats<L>{};
  const Destination destination(a);
  const ptrdiff_t start = offset + x * outputs + o;
  const auto finish = [&](bool keeps, bool streams) __attribute__((always_inline)) {
    UNROLL for (int p = 0; p < pixels; p++)
      UNROLL for (int j = 0; j < columns; j++) {
        const Floats<L> z = sums[p][j] + bias[j];
        strange.template note<L>(z, p * columns + j);
        destination.template write<L, activation, adds>(
            start + p * outputs + j * L, z, keeps, streams);
      }
  };
  if (derives<activation>(a))
    finish(true, streams);
  else if (streams)
    finish(false, true);
  else
    finish(false, false);
}

template <bool isSmall, int pixels, int columns, int L, int activation, bool adds>
static KERNEL bool directRow(
    const ck_convolution *a, const PaddedRows &rows, ptrdiff_t y, ptrdiff_t o, ptrdiff_t offset,
    RowFetch &ahead) {
  Strangeness strange;
  const ptrdiff_t place = rows.place(y - a->kernel_height / 2);
  const bool streams = streamsDirect(a, columns * L);
  const auto compute = [&](auto some, ptrdiff_t x, const RowFetch &lines)
                           __attribute__((always_inline)) {
    directPixels<isSmall, some, columns, L, activation, adds>(
        a, rows, place, x, o, offset, streams, strange, lines);
  };
  const RowFetch none = {};
  ptrdiff_t x = 0;
  for (; x + pixels <= a->width; x += pixels) compute(Constant<pixels>{}, x, ahead.step());
  for (; x + 4 <= a->width; x += 4) compute(Constant<4>{}, x, none);
  for (; x < a->width; x++) compute(Constant<1>{}, x, none);
  return strange.found();
}

template <bool isSmall, int activation, bool adds>
static KERNEL bool directOutputs(
    const ck_convolution *a, const PaddedRows &rows, ptrdiff_t y, ptrdiff_t offset) {
  bool strange = false;
  const bool hasNext = rows.isInPlace && y + 1 < a->height;
  const ptrdiff_t steps = a->outputs / (2 * LANES) * (a->width / ROWS_OF_TWO);
  RowFetch ahead(
      hasNext ? rows.at(y + 1) : nullptr, a->width * a->inputs,
      hasNext && adds ? a->addend + offset + a->width * a->outputs : nullptr, a->width * a->outputs,
      steps);
  ptrdiff_t o = 0;
  for (; o + 2 * LANES <= a->outputs; o += 2 * LANES)
    strange |=
        directRow<isSmall, ROWS_OF_TWO, 2, LANES, activation, adds>(a, rows, y, o, offset, ahead);
  RowFetch none = {};
  for (; o + LANES <= a->outputs; o += LANES)
    strange |=
        directRow<isSmall, ROWS_OF_ONE, 1, LANES, activation, adds>(a, rows, y, o, offset, none);
  if constexpr (LANES == 16)
    if (o < a->outputs)
      strange |=
          directRow<isSmall, ROWS_OF_ONE, 1, 8, activation, adds>(a, rows, y, o, offset, none);
  return strange;
}

using DirectOutputs = bool (*)(const ck_convolution *, const PaddedRows &, ptrdiff_t, ptrdiff_t);

template <bool isSmall, int activation> INLINE DirectOutputs directOutputs(const ck_convolution *a) {
  return a->addend ? directOutputs<isSmall, activation, true>
                   : directOutputs<isSmall, activation, false>;
}

template <bool isSmall> INLINE DirectOutputs directOutputs(const ck_convolution *a) {
  return a->activation == ck_relu         ? directOutputs<isSmall, ck_relu>(a)
      : a->activation == ck_hiding_relu ? directOutputs<isSmall, ck_hiding_relu>(a)
                                        : directOutputs<isSmall, ck_linear>(a);
}

static KERNEL int32_t directForward(const ck_convolution *a, ptrdiff_t chunk, float *scratch) {
  const ptrdiff_t image = chunk / rowChunks(a->height);
  const ptrdiff_t first = chunk % rowChunks(a->height) * CK_ROWS_PER_CHUNK;
  const ptrdiff_t last = least(a->height, first + CK_ROWS_PER_CHUNK);
  const ptrdiff_t reach = a->kernel_height / 2, margin = a->kernel_width / 2;
  const bool isInPlace = margin == 0 && reach == 0 && !a->input_mask && !a->planar_input;
  const PaddedRows rows = isInPlace
      ? rowsInPlace(a->input, image, a->height, a->width, a->inputs)
      : PaddedRows{scratch, paddedRowStride(a->inputs, a->kernel_width, a->width), a->kernel_height};
  const bool isSmall = a->inputs == 1 && a->kernel_height == 3 && a->kernel_width == 3;
  const DirectOutputs outputs = isSmall ? directOutputs<true>(a) : directOutputs<false>(a);
  bool strange = false;
  for (ptrdiff_t y = first - reach; y < last + reach; y++) {
    if (!isInPlace)
      padRow(
          a->input, a->input_mask, a->planar_input, image, a->height, a->width, a->inputs, y, margin,
          rows.at(y));
    const ptrdiff_t center = y - reach;
    if (center < first) continue;
    const ptrdiff_t offset = (image * a->height + center) * a->width * a->outputs;
    strange |= outputs(a, rows, center, offset);
  }
  // What went past the caches is there for other threads, too.
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  return strange;
}

// MARK: - Kernel gradient with an interleaved gradient of the output

/// sums[line][tap][output] += Σ over the row of values[line][x][tap] · gradient[x][output], for `taps`
/// taps that lie in a line.
template <int lines, int taps, int columns, int L>
INLINE void multiplyRow(
    const float *const values[lines], ptrdiff_t inputs, const float *gradient, ptrdiff_t outputs,
    ptrdiff_t width, float *sums, const RowFetch &ahead) {
  Floats<L> products[lines * taps][columns] = {};
  for (ptrdiff_t x = 0; x < width; x++) {
    ahead.fetch(x);
    Floats<L> g[columns];
    UNROLL for (int j = 0; j < columns; j++) g[j] = load<L>(gradient + x * outputs + j * L);
    UNROLL for (int k = 0; k < lines * taps; k++) {
      const Floats<L> value = splat<L>(values[k / taps][x * inputs + k % taps]);
      UNROLL for (int j = 0; j < columns; j++) products[k][j] = fma(value, g[j], products[k][j]);
    }
  }
  UNROLL for (int k = 0; k < lines * taps; k++)
    UNROLL for (int j = 0; j < columns; j++) {
      float *target = sums + k * outputs + j * L;
      store<L>(target, load<L>(target) + products[k][j]);
    }
}

/// The sums of all taps of the rows around row y.
template <int columns, int L>
static KERNEL void multiplyRows(
    const ck_gradient *a, const PaddedRows &rows, ptrdiff_t y, const float *gradient, float *sums,
    RowFetch &ahead) {
  constexpr int many = columns == 2 ? ROWS_OF_TWO : ROWS_OF_TWO * 2;
  const ptrdiff_t inputs = a->inputs, outputs = a->outputs, width = a->width;
  const ptrdiff_t taps = a->kernel_width * inputs, first = y - a->kernel_height / 2;
  if constexpr (9 * columns <= 2 * ROWS_OF_TWO)
    if (a->kernel_height == 3 && taps == 3) {
      const float *const values[3] = {rows.at(first), rows.at(first + 1), rows.at(first + 2)};
      return multiplyRow<3, 3, columns, L>(values, inputs, gradient, outputs, width, sums, {});
    }
  for (ptrdiff_t u = 0; u < a->kernel_height; u++) {
    const float *values = rows.at(first + u);
    float *target = sums + u * taps * outputs;
    ptrdiff_t k = 0;
    const auto multiply = [&](auto count, auto row) {
      for (; k + count <= taps; k += count) {
        const float *const line[1] = {values + k};
        row(line, inputs, gradient, outputs, width, target + k * outputs,
            count == many ? ahead.step() : RowFetch());
      }
    };
    multiply(many, multiplyRow<1, many, columns, L>);
    if constexpr (many > 8) multiply(8, multiplyRow<1, 8, columns, L>);
    if constexpr (many > 4) multiply(4, multiplyRow<1, 4, columns, L>);
    multiply(3, multiplyRow<1, 3, columns, L>);
    multiply(1, multiplyRow<1, 1, columns, L>);
  }
}

static KERNEL void directGradient(
    const ck_gradient *a, ptrdiff_t chunk, float *sums, float *scratch) {
  const ptrdiff_t image = chunk / rowChunks(a->height);
  const ptrdiff_t first = chunk % rowChunks(a->height) * CK_ROWS_PER_CHUNK;
  const ptrdiff_t last = least(a->height, first + CK_ROWS_PER_CHUNK);
  const ptrdiff_t reach = a->kernel_height / 2, margin = a->kernel_width / 2;
  const ptrdiff_t outputs = a->outputs;
  const bool isInPlace = margin == 0 && reach == 0 && !a->planar_input;
  const PaddedRows rows = isInPlace
      ? rowsInPlace(a->input, image, a->height, a->width, a->inputs)
      : PaddedRows{scratch, paddedRowStride(a->inputs, a->kernel_width, a->width), a->kernel_height};
  float *maskedRow = scratch + paddedRowsSize(a->inputs, a->kernel_height, a->kernel_width, a->width);
  for (ptrdiff_t y = first - reach; y < last + reach; y++) {
    if (!isInPlace)
      padRow(
          a->input, nullptr, a->planar_input, image, a->height, a->width, a->inputs, y, margin,
          rows.at(y));
    const ptrdiff_t center = y - reach;
    if (center < first) continue;
    const float *gradient = a->gradient + (image * a->height + center) * a->width * outputs;
    if (a->gradient_mask) {
      padRow(
          a->gradient, a->gradient_mask, false, image, a->height, a->width, outputs, center, 0,
          maskedRow);
      gradient = maskedRow;
    }
    const bool hasNext = isInPlace && y + 1 < last;
    RowFetch ahead(
        hasNext ? rows.at(y + 1) : nullptr, a->width * a->inputs,
        hasNext && !a->gradient_mask ? gradient + a->width * outputs : nullptr, a->width * outputs,
        outputs / (2 * LANES) * (a->inputs / ROWS_OF_TWO));
    RowFetch none = {};
    ptrdiff_t o = 0;
    for (; o + 2 * LANES <= outputs; o += 2 * LANES)
      multiplyRows<2, LANES>(a, rows, center, gradient + o, sums + o, ahead);
    for (; o + LANES <= outputs; o += LANES)
      multiplyRows<1, LANES>(a, rows, center, gradient + o, sums + o, none);
    if constexpr (LANES == 16)
      if (o < outputs) multiplyRows<1, 8>(a, rows, center, gradient + o, sums + o, none);
  }
}

// MARK: - To planar outputs

/// How the channels of pixels fill vectors of 16.
enum class Filling {
  /// A pixel is a vector or some.
  whole,
  /// Two pixels of eight channels are a vector.
  pairs,
  /// The last vector of a pixel is half full.
  halves,
};

template <int L, bool isMasked>
INLINE Floats<L> loadMasked(const ck_convolution *a, ptrdiff_t place) {
  const Floats<L> value = load<L>(a->input + place);
  if constexpr (isMasked) return masked<L>(value, a->input_mask + (place >> 3));
  return value;
}

/// Adds the products in one row of the kernel, taps `first`..<`last`, to one output at `pixels` neighbors,
/// whose first tap reads from `start` on: lanes of a sum belong to channels.
template <int pixels, Filling filling, bool isMasked>
INLINE void reduceRow(
    const ck_convolution *a, ptrdiff_t start, ptrdiff_t first, ptrdiff_t last, const float *weights,
    Wide sums[pixels]) {
  const ptrdiff_t inputs = a->inputs;
  if constexpr (filling == Filling::whole) {
    for (ptrdiff_t i = first * inputs; i < last * inputs; i += 16) {
      const Wide w = load<16>(weights + i);
      UNROLL for (int p = 0; p < pixels; p++)
        sums[p] = fma(loadMasked<16, isMasked>(a, start + p * inputs + i), w, sums[p]);
    }
  } else if constexpr (filling == Filling::pairs) {
    for (ptrdiff_t i = first * 8; i < last * 8; i += 8) {
      const Wide w = besides(load<8>(weights + i), load<8>(weights + i));
      UNROLL for (int p = 0; p < pixels / 2; p++)
        sums[p] = fma(loadMasked<16, isMasked>(a, start + p * 16 + i), w, sums[p]);
    }
  } else {
    for (ptrdiff_t v = first; v < last; v++) {
      ptrdiff_t i = v * inputs;
      for (; i + 16 <= (v + 1) * inputs; i += 16) {
        const Wide w = load<16>(weights + i);
        UNROLL for (int p = 0; p < pixels; p++)
          sums[p] = fma(loadMasked<16, isMasked>(a, start + p * inputs + i), w, sums[p]);
      }
      const Floats<8> w = load<8>(weights + i);
      UNROLL for (int p = 0; p < pixels; p++) {
        const Floats<8> value = loadMasked<8, isMasked>(a, start + p * inputs + i);
        sums[p] = besides(fma(value, w, lower(sums[p])), upper(sums[p]));
      }
    }
  }
}

/// One output at `pixels` neighbors from column x, as 8 sums over input channels: of those whose numbers
/// are alike modulo 8.
template <int pixels, Filling filling, bool isMasked>
INLINE void reducePixels(
    const ck_convolution *a, ptrdiff_t image, ptrdiff_t y, ptrdiff_t x, ptrdiff_t firstTap,
    ptrdiff_t lastTap, const float *kernel, Floats<8> results[pixels]) {
  const ptrdiff_t reach = a->kernel_height / 2, margin = a->kernel_width / 2;
  Wide sums[pixels] = {};
  for (ptrdiff_t u = most(0, reach - y); u < least(a->kernel_height, a->height - y + reach); u++) {
    const ptrdiff_t row = (image * a->height + y + u - reach) * a->width;
    reduceRow<pixels, filling, isMasked>(
        a, (row + x - margin) * a->inputs, firstTap, lastTap,
        kernel + u * a->kernel_width * a->inputs, sums);
  }
  UNROLL for (int p = 0; p < pixels; p++)
    results[p] = filling != Filling::pairs ? lower(sums[p]) + upper(sums[p])
        : p % 2                            ? upper(sums[p / 2])
                                           : lower(sums[p / 2]);
}

/// A row of one output.
template <Filling filling, bool isMasked>
static KERNEL bool reducingRow(
    const ck_convolution *a, ptrdiff_t image, ptrdiff_t y, const float *kernel, float bias, float *row) {
  // As many as have sums enough to keep the multipliers busy.
  constexpr int many = LANES == 16 || filling == Filling::pairs ? 8 : 4;
  // Eight channels of a single pixel are half a vector.
  constexpr Filling ofOne = filling == Filling::pairs ? Filling::halves : filling;
  const ptrdiff_t margin = a->kernel_width / 2;
  Strangeness strange;
  Floats<8> sums[8] = {};
  const auto finish = [&](ptrdiff_t x, ptrdiff_t count) __attribute__((always_inline)) {
    const Floats<8> z = sumsOfLanes(sums) + bias;
    strange.note<8>(z, 0);
    memcpy(row + x, &z, (size_t)count * sizeof(float));
  };
  const auto alone = [&](ptrdiff_t from, ptrdiff_t to) {
    for (ptrdiff_t x = from, count; x < to; x += count) {
      count = least(8, to - x);
      for (ptrdiff_t p = x; p < x + count; p++)
        reducePixels<1, ofOne, isMasked>(
            a, image, y, p, most(0, margin - p), least(a->kernel_width, a->width - p + margin),
            kernel, sums + (p - x));
      finish(x, count);
    }
  };
  // Pixels that have all their neighbors go by eights; the last eight are whole, too.
  const ptrdiff_t last = a->width - margin;
  const bool isWide = last - margin >= 8;
  for (ptrdiff_t x = margin; isWide && x < last; x += 8) {
    const ptrdiff_t start = least(x, last - 8);
    UNROLL for (int p = 0; p < 8; p += many)
      reducePixels<many, filling, isMasked>(
          a, image, y, start + p, 0, a->kernel_width, kernel, sums + p);
    finish(start, 8);
  }
  alone(0, isWide ? margin : a->width);
  if (isWide) alone(last, a->width);
  return strange.found();
}

template <Filling filling, bool isMasked>
static KERNEL int32_t reducingForward(const ck_convolution *a, ptrdiff_t chunk) {
  const ptrdiff_t image = chunk / rowChunks(a->height);
  const ptrdiff_t first = chunk % rowChunks(a->height) * CK_ROWS_PER_CHUNK;
  const ptrdiff_t last = least(a->height, first + CK_ROWS_PER_CHUNK);
  bool strange = false;
  for (ptrdiff_t y = first; y < last; y++)
    for (ptrdiff_t o = 0; o < a->outputs; o++)
      strange |= reducingRow<filling, isMasked>(
          a, image, y, a->kernel + o * a->kernel_height * a->kernel_width * a->inputs,
          a->bias ? a->bias[o] : 0,
          a->output + ((image * a->outputs + o) * a->height + y) * a->width);
  return strange;
}

template <bool isMasked>
static KERNEL int32_t reducingForward(const ck_convolution *a, ptrdiff_t chunk) {
  if (a->inputs == 8) return reducingForward<Filling::pairs, isMasked>(a, chunk);
  return a->inputs % 16 == 0 ? reducingForward<Filling::whole, isMasked>(a, chunk)
                             : reducingForward<Filling::halves, isMasked>(a, chunk);
}

static KERNEL int32_t reducingForward(const ck_convolution *a, ptrdiff_t chunk) {
  return a->input_mask ? reducingForward<true>(a, chunk) : reducingForward<false>(a, chunk);
}

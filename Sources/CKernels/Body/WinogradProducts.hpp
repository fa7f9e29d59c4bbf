// The matrix products at the 36 places, for the forward pass and the input gradient.

/// Adds the products of a column of values with a row of others, which are read where they are more
/// and kept where they are fewer, so that registers suffice.
template <int rows, int columns, int L>
INLINE void addProducts(
    const float *column, ptrdiff_t distance, const float *row, Floats<L> sums[rows][columns]) {
  if constexpr (rows < columns) {
    Floats<L> values[rows];
    UNROLL for (int i = 0; i < rows; i++) values[i] = splat<L>(column[i * distance]);
    UNROLL for (int j = 0; j < columns; j++) {
      const Floats<L> other = load<L>(row + j * L);
      UNROLL for (int i = 0; i < rows; i++) sums[i][j] = fma(values[i], other, sums[i][j]);
    }
  } else {
    Floats<L> others[columns];
    UNROLL for (int j = 0; j < columns; j++) others[j] = load<L>(row + j * L);
    UNROLL for (int i = 0; i < rows; i++) {
      const Floats<L> value = splat<L>(column[i * distance]);
      UNROLL for (int j = 0; j < columns; j++) sums[i][j] = fma(value, others[j], sums[i][j]);
    }
  }
}

/// How many outputs are computed at once where `rest` are left, a multiple of 8.
///
/// The weights of that many stand together in a transformed kernel, [inputs][outputs at once] after
/// [inputs][outputs at once]: rows of all outputs, of which a part is read, would meet in few sets of the
/// cache.
INLINE ptrdiff_t outputsAtOnce(ptrdiff_t rest) {
  if (TILES_OF_FOUR > 0 && rest >= 4 * LANES) return 4 * LANES;
  return rest >= 2 * LANES ? 2 * LANES : rest >= LANES ? LANES : 8;
}

/// Whether the numbers of all 36 places, so many each, take more than the second-level cache: those of the
/// next place are fetched while one is worked off, which the processor alone is too slow for.
INLINE constexpr bool overflowsCache(ptrdiff_t numbers) {
  return CK_WINOGRAD_POINTS * numbers * (ptrdiff_t)sizeof(float) > 1 << 20;
}

/// products[tile][output] = Σ over inputs of transformed[tile][input] · kernel[input][output], for some outputs.
template <int rows, int columns, int L>
INLINE void multiplyRows(
    const float *transformed, const float *kernel, float *products, ptrdiff_t inputs,
    ptrdiff_t outputs, LineFetch &ahead) {
  Floats<L> sums[rows][columns] = {};
  const LineFetch lines = ahead.step();
  for (ptrdiff_t k = 0; k < inputs; k++) {
    lines.fetch(k);
    addProducts<rows, columns, L>(transformed + k, inputs, kernel + k * (columns * L), sums);
  }
  UNROLL for (int i = 0; i < rows; i++)
    UNROLL for (int j = 0; j < columns; j++)
      store<L>(products + i * outputs + j * L, sums[i][j]);
}

/// In how many steps the products of `tiles` tiles at a place go.
INLINE ptrdiff_t stepsOfPlace(ptrdiff_t outputs, ptrdiff_t tiles) {
  const ptrdiff_t two = outputs / (2 * LANES);
  const ptrdiff_t one = (outputs % (2 * LANES) + LANES - 1) / LANES;
  return two * (tiles / TILES_OF_TWO) + one * (tiles / TILES_OF_ONE);
}

/// The matrix product at one of the places; `known` is the number of channels where it is a
/// constant of the compiled code, else 0. The kernel of the place after it is at `following`.
template <int known>
INLINE void multiplyPlace(
    const float *transformed, const float *kernel, const float *following, float *products, int tiles,
    ptrdiff_t inputs, ptrdiff_t outputs, FetchPlan &plan) {
  if constexpr (known > 0) inputs = outputs = known;
  LineFetch ahead(
      overflowsCache(inputs * outputs) ? following : nullptr, inputs * outputs,
      stepsOfPlace(outputs, tiles));
  ptrdiff_t o = 0;
  if constexpr (TILES_OF_FOUR > 0)
    for (; o + 4 * LANES <= outputs; o += 4 * LANES)
      for (int t = 0; t < tiles; t += TILES_OF_FOUR) {
        plan.advance<2>();
        multiplyRows<TILES_OF_FOUR, 4, LANES>(
            transformed + t * inputs, kernel + o * inputs, products + t * outputs + o, inputs, outputs,
            ahead);
      }
  for (; o + 2 * LANES <= outputs; o += 2 * LANES)
    for (int t = 0; t < tiles; t += TILES_OF_TWO) {
      plan.advance<2>();
      multiplyRows<TILES_OF_TWO, 2, LANES>(
          transformed + t * inputs, kernel + o * inputs, products + t * outputs + o, inputs, outputs,
          ahead);
    }
  for (; o + LANES <= outputs; o += LANES)
    for (int t = 0; t < tiles; t += TILES_OF_ONE) {
      plan.advance<2>();
      multiplyRows<TILES_OF_ONE, 1, LANES>(
          transformed + t * inputs, kernel + o * inputs, products + t * outputs + o, inputs, outputs,
          ahead);
    }
  if constexpr (LANES == 16)
    if (o < outputs)
      for (int t = 0; t < tiles; t += TILES_OF_ONE) {
        plan.advance<2>();
        multiplyRows<TILES_OF_ONE, 1, 8>(
            transformed + t * inputs, kernel + o * inputs, products + t * outputs + o, inputs, outputs,
            ahead);
      }
}

#if LANES == 16

/// Adds the products of lane k of each half of the values with the weights of input k, k = 0…7.
template <int count>
INLINE void multiplySpread(const Wide values[count], const Wide weights[8], Wide sums[count]) {
  UNROLL for (int half = 0; half < 2; half++) {
    Wide four[count];
    UNROLL for (int i = 0; i < count; i++)
      four[i] = half ? upperFours(values[i]) : lowerFours(values[i]);
    UNROLL for (int k = 0; k < 4; k++)
      UNROLL for (int i = 0; i < count; i++)
        sums[i] = fma(spreadInFours(four[i], k), weights[half * 4 + k], sums[i]);
  }
}

/// The matrix product at one of the 36 places from 8 to 8 channels, two tiles a vector.
INLINE void multiplyEight(
    const float *transformed, const float *kernel, float *products, int tiles, FetchPlan &plan) {
  constexpr int count = 6;
  Wide weights[8];
  UNROLL for (int k = 0; k < 8; k++) {
    const Floats<8> w = load<8>(kernel + k * 8);
    weights[k] = besides(w, w);
  }
  for (int t = 0; t < tiles; t += 2 * count) {
    plan.advance<1>();
    Wide values[count], sums[count] = {};
    UNROLL for (int i = 0; i < count; i++) values[i] = load<16>(transformed + (t + 2 * i) * 8);
    multiplySpread<count>(values, weights, sums);
    UNROLL for (int i = 0; i < count; i++) store<16>(products + (t + 2 * i) * 8, sums[i]);
  }
}

#else

/// The matrix product at one of the 36 places from 8 to 8 channels; the weights stay in registers.
INLINE void multiplyEight(
    const float *transformed, const float *kernel, float *products, int tiles, FetchPlan &plan) {
  constexpr int count = 6;
  Floats<8> weights[8];
  UNROLL for (int k = 0; k < 8; k++) weights[k] = load<8>(kernel + k * 8);
  for (int t = 0; t < tiles; t += count) {
    plan.advance<1>();
    Floats<8> sums[count] = {};
    UNROLL for (int k = 0; k < 8; k++)
      UNROLL for (int i = 0; i < count; i++)
        sums[i] = fma(splat<8>(transformed[(t + i) * 8 + k]), weights[k], sums[i]);
    UNROLL for (int i = 0; i < count; i++) store<8>(products + (t + i) * 8, sums[i]);
  }
}

#endif

/// How often the products of `count` tiles advance their plan.
INLINE ptrdiff_t forwardSteps(const ck_convolution *a, int count) {
  const ptrdiff_t tiles = roundedUp(count, TILES_OF_ONE);
  if (a->inputs == 8 && a->outputs == 8)
    return CK_WINOGRAD_POINTS * (LANES == 16 ? tiles / 12 : tiles / 6);
  return CK_WINOGRAD_POINTS * stepsOfPlace(a->outputs, tiles);
}

/// The matrix products at all 36 places of a block.
template <int known>
static KERNEL void multiplyPlaces(
    const float *transformed, const float *kernel, float *products, int tiles, int block,
    ptrdiff_t inputs, ptrdiff_t outputs, FetchPlan &plan) {
  for (int e = 0; e < CK_WINOGRAD_POINTS; e++) {
    const float *v = transformed + e * placeStride(block, inputs);
    const float *u = kernel + e * inputs * outputs;
    const float *following = kernel + (e + 1) % CK_WINOGRAD_POINTS * inputs * outputs;
    float *m = products + e * placeStride(block, outputs);
    if constexpr (known == 8)
      multiplyEight(v, u, m, tiles, plan);
    else
      multiplyPlace<known>(v, u, following, m, tiles, inputs, outputs, plan);
  }
}

static KERNEL void multiplyPlaces(
    const float *transformed, const float *kernel, float *products, int tiles, int block,
    ptrdiff_t inputs, ptrdiff_t outputs, FetchPlan &plan) {
  const auto multiply = inputs != outputs ? multiplyPlaces<0>
      : inputs == 8                       ? multiplyPlaces<8>
      : inputs == 16                      ? multiplyPlaces<16>
      : inputs == 32                      ? multiplyPlaces<32>
      : inputs == 64                      ? multiplyPlaces<64>
      : inputs == 128                     ? multiplyPlaces<128>
                                          : multiplyPlaces<0>;
  multiply(transformed, kernel, products, tiles, block, inputs, outputs, plan);
}

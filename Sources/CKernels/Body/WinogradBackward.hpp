// Kernel gradient, and input gradient beside it.
//
// Both take the gradient dz of the output in pieces of 6×6: for the input's gradient as a convolution
// with the turned kernel does, and for the kernel's with tiles x of the input.
//
//   kernel gradient = Gᵀ[Σ over tiles of (A·x·Aᵀ) ⊙ (Bᵀ·dz·B)]G, turned by 180°
//
// So dz is read and transformed once. A tile of x is needed for no other tile; therefore the gradient
// of x may take its place in memory.

/// Where there are few registers, a tile is transformed by turns, each for those rows of the result
/// that come from the same intermediate values: 0 and 5, then 1 and 2, then 3 and 4. To read the few
/// pixels again costs less than to store the values.
constexpr int turnsOfInputTiles = LANES == 16 ? 1 : 3;
INLINE constexpr bool isInTurn(int row, int turn) {
  return turnsOfInputTiles == 1 || (row + 1) % 6 / 2 == turn;
}

/// One 4×4 tile of the input, transformed.
template <class Source>
INLINE void transformInputTile(const Source &pixels, float *transformed, ptrdiff_t stride) {
  constexpr int L = Source::lanes;
  UNROLL for (int turn = 0; turn < turnsOfInputTiles; turn++) {
    Floats<L> half[6][4];
    auto column = pixels.firstColumn();
    UNROLL for (int j = 0; j < 4; j++, pixels.advance(column)) {
      Floats<L> y[4], z[6];
      UNROLL for (int i = 0; i < 4; i++) y[i] = pixels.at(column, i);
      transformSpread(y, z);
      UNROLL for (int i = 0; i < 6; i++) half[i][j] = z[i];
    }
    UNROLL for (int i = 0; i < 6; i++) {
      if (!isInTurn(i, turn)) continue;
      Floats<L> z[6];
      transformSpread(half[i], z);
      float *target = kept(transformed + i * 6 * stride);
      UNROLL for (int j = 0; j < 6; j++) store<L>(target + j * stride, z[j]);
    }
  }
}

static KERNEL void transformInputTiles(
    const Map &map, TileCursor cursor, int count, float *transformed, ptrdiff_t stride) {
  eachArea<Tile, false>(
      map, cursor, count,
      [&](const auto &pixels, int t, ptrdiff_t c) __attribute__((always_inline)) {
        transformInputTile(pixels, transformed + t * map.channels + c, stride);
      });
}

/// At the end of a chunk of 48 tiles, adds its sums to `biasSums` in Double and begins anew.
INLINE void addSumsOfChunk(
    ptrdiff_t tile, ptrdiff_t last, float *sums, double *biasSums, ptrdiff_t channels) {
  if (!biasSums || (tile % CK_TILES_PER_CHUNK != 0 && tile != last)) return;
  for (ptrdiff_t c = 0; c < channels; c++) biasSums[c] += (double)sums[c];
  memset(sums, 0, (size_t)channels * sizeof(float));
}

/// sums[input][output] += Σ over tiles of input[tile][input] · gradient[tile][output]. The sums of the next
/// place lie `toNext` floats further; they come into the cache before they are wanted.
template <int rows, int columns, int L>
INLINE void multiplyTiles(
    const float *transformed, const float *gradient, float *sums, ptrdiff_t toNext, int tiles,
    ptrdiff_t inputs, ptrdiff_t outputs) {
  Floats<L> products[rows][columns] = {};
  if (overflowsCache(inputs * outputs))
    UNROLL for (int i = 0; i < rows; i++)
      UNROLL for (int j = 0; j < columns * L; j += 16)
        __builtin_prefetch(sums + toNext + i * outputs + j, 0, 2);
  for (int t = 0; t < tiles; t++)
    addProducts<rows, columns, L>(transformed + t * inputs, 1, gradient + t * outputs, products);
  UNROLL for (int i = 0; i < rows; i++)
    UNROLL for (int j = 0; j < columns; j++) {
      float *target = sums + i * outputs + j * L;
      store<L>(target, load<L>(target) + products[i][j]);
    }
}

/// The sums at one place for some inputs.
template <int rows>
INLINE void multiplyTilesOfInputs(
    const float *transformed, const float *gradient, float *sums, ptrdiff_t toNext, int tiles,
    ptrdiff_t inputs, ptrdiff_t outputs) {
  ptrdiff_t o = 0;
  for (; o + 2 * LANES <= outputs; o += 2 * LANES)
    multiplyTiles<rows, 2, LANES>(
        transformed, gradient + o, sums + o, toNext, tiles, inputs, outputs);
  for (; o + LANES <= outputs; o += LANES)
    multiplyTiles<rows, 1, LANES>(
        transformed, gradient + o, sums + o, toNext, tiles, inputs, outputs);
  if constexpr (LANES == 16)
    if (o < outputs)
      multiplyTiles<rows, 1, 8>(
          transformed, gradient + o, sums + o, toNext, tiles, inputs, outputs);
}

/// The sums at one place for some inputs and all outputs, four vectors at a time.
template <int rows>
INLINE void multiplyTilesByFour(
    const float *transformed, const float *gradient, float *sums, ptrdiff_t toNext, int tiles,
    ptrdiff_t inputs, ptrdiff_t outputs) {
  for (ptrdiff_t o = 0; o < outputs; o += 4 * LANES)
    multiplyTiles<rows, 4, LANES>(
        transformed, gradient + o, sums + o, toNext, tiles, inputs, outputs);
}

static_assert(TILES_OF_FOUR == 0 || TILES_OF_FOUR == 3, "inputs go by threes and twos");

/// Whether outputs are taken by four vectors, with fewer inputs at a time.
INLINE bool goesByFour(ptrdiff_t outputs) {
  return TILES_OF_FOUR > 0 && outputs % (4 * LANES) == 0;
}
INLINE ptrdiff_t inputsAtOnce(ptrdiff_t outputs) {
  return goesByFour(outputs) ? TILES_OF_FOUR : INPUTS_OF_TWO;
}

template <int known>
static KERNEL void multiplyTilesAtPlace(
    const float *transformed, const float *gradient, float *sums, ptrdiff_t toNext, int tiles,
    ptrdiff_t inputs, ptrdiff_t outputs, FetchPlan &plan) {
  if constexpr (known > 0) inputs = outputs = known;
  // As many at a time as cover all inputs, a multiple of 8; for every two too many, a six is a four,
  // and for every one, a three a two.
  const ptrdiff_t few = inputsAtOnce(outputs);
  const ptrdiff_t byFewer = 2 * (roundedUp(inputs, few) - inputs);
  const auto multiply = [&](ptrdiff_t i, const auto &some) __attribute__((always_inline)) {
    plan.advance<2>();
    some(transformed + i, gradient, sums + i * outputs, toNext, tiles, inputs, outputs);
  };
  ptrdiff_t i = 0;
  if constexpr (TILES_OF_FOUR > 0)
    if (goesByFour(outputs)) {
      for (; i < inputs - byFewer; i += 3) multiply(i, multiplyTilesByFour<3>);
      for (; i < inputs; i += 2) multiply(i, multiplyTilesByFour<2>);
      return;
    }
  for (; i < inputs - byFewer; i += INPUTS_OF_TWO)
    multiply(i, multiplyTilesOfInputs<INPUTS_OF_TWO>);
  if constexpr (8 % INPUTS_OF_TWO != 0)
    for (; i < inputs; i += 4) multiply(i, multiplyTilesOfInputs<4>);
}

/// How often the products with tiles advance their plan.
INLINE ptrdiff_t backwardSteps(ptrdiff_t inputs, ptrdiff_t outputs) {
  if (inputs == 8 && outputs == 8) return CK_WINOGRAD_POINTS * (LANES == 16 ? 1 : 2);
  const ptrdiff_t few = inputsAtOnce(outputs);
  return CK_WINOGRAD_POINTS * (roundedUp(inputs, few) / few);
}

#if LANES == 16
/// Adds the products of lane k of each half of the values with the gradient to sum k, k = 0…7.
INLINE void addSpread(Wide values, Wide gradient, Wide products[8]) {
  UNROLL for (int half = 0; half < 2; half++) {
    const Wide four = half ? upperFours(values) : lowerFours(values);
    UNROLL for (int k = 0; k < 4; k++)
      products[half * 4 + k] = fma(spreadInFours(four, k), gradient, products[half * 4 + k]);
  }
}
#endif

/// The sums at one place from 8 to 8 channels: those of tiles with even and with odd numbers, apart;
/// `tiles` is even.
static KERNEL void multiplyTilesOfEight(
    const float *transformed, const float *gradient, float *sums, int tiles, FetchPlan &plan) {
#if LANES == 16
  plan.advance<1>();
  Wide products[8] = {};
  for (int t = 0; t < tiles; t += 2)
    addSpread(load<16>(transformed + t * 8), load<16>(gradient + t * 8), products);
  UNROLL for (int i = 0; i < 8; i++)
    store<8>(sums + i * 8, load<8>(sums + i * 8) + (lower(products[i]) + upper(products[i])));
#else
  Floats<8> products[2][8] = {};
  UNROLL for (int odd = 0; odd < 2; odd++) {
    plan.advance<1>();
    for (int t = odd; t < tiles; t += 2) {
      const Floats<8> z = load<8>(gradient + t * 8);
      UNROLL for (int i = 0; i < 8; i++)
        products[odd][i] = fma(transformed[t * 8 + i], z, products[odd][i]);
    }
  }
  UNROLL for (int i = 0; i < 8; i++)
    store<8>(sums + i * 8, load<8>(sums + i * 8) + (products[0][i] + products[1][i]));
#endif
}

/// sums[36][input][output] += Σ over tiles of input[36][tile][input] · gradient[36][tile][output].
template <int known>
static KERNEL void multiplyTilesAtPlaces(
    const float *input, const float *gradient, float *sums, int tiles, int block, ptrdiff_t inputs,
    ptrdiff_t outputs, FetchPlan &plan) {
  for (int e = 0; e < CK_WINOGRAD_POINTS; e++) {
    const float *x = input + e * placeStride(block, inputs);
    const float *z = gradient + e * placeStride(block, outputs);
    float *target = sums + e * inputs * outputs;
    const ptrdiff_t next = (e + 1) % CK_WINOGRAD_POINTS;
    if constexpr (known == 8)
      multiplyTilesOfEight(x, z, target, tiles, plan);
    else
      multiplyTilesAtPlace<known>(
          x, z, target, (next - e) * inputs * outputs, tiles, inputs, outputs, plan);
  }
}

static KERNEL void multiplyTilesAtPlaces(
    const float *input, const float *gradient, float *sums, int tiles, int block, ptrdiff_t inputs,
    ptrdiff_t outputs, FetchPlan &plan) {
  const auto multiply = inputs != outputs ? multiplyTilesAtPlaces<0>
      : inputs == 8                       ? multiplyTilesAtPlaces<8>
      : inputs == 16                      ? multiplyTilesAtPlaces<16>
      : inputs == 32                      ? multiplyTilesAtPlaces<32>
      : inputs == 64                      ? multiplyTilesAtPlaces<64>
      : inputs == 128                     ? multiplyTilesAtPlaces<128>
                                          : multiplyTilesAtPlaces<0>;
  multiply(input, gradient, sums, tiles, block, inputs, outputs, plan);
}

static KERNEL int32_t winogradBackward(
    const ck_gradient *a, const ck_convolution *turned, ptrdiff_t first, ptrdiff_t last, float *sums,
    double *biasSums, float *scratch) {
  const int block = tilesPerBlock(most(a->inputs, a->outputs));
  const ptrdiff_t stride = placeStride(block, a->outputs);
  const ptrdiff_t inputStride = placeStride(block, a->inputs);
  float *patch = scratch;
  float *valueSums = patch + (16 + 4) * most(a->inputs, a->outputs);
  float *pieces = patch + patchSize(most(a->inputs, a->outputs));
  float *tiles = pieces + CK_WINOGRAD_POINTS * stride;
  memset(valueSums, 0, (size_t)a->outputs * sizeof(float));
  const Map gradient = {
      a->gradient, a->gradient_mask, a->height, a->width, a->outputs, a->output_pixel};
  const Map input = {a->input, nullptr, a->height, a->width, a->inputs, a->input_pixel};
  const char **const list = fetchList(scratch, a->inputs, a->outputs);
  int32_t strange = 0;
  for (ptrdiff_t tile = first; tile < last; tile += block) {
    const int count = (int)least(block, last - tile);
    const ptrdiff_t next = tile + block, end = least(last, next + block);
    const TileCursor cursor(a->height, a->width, tile);
    if (a->gradient_mask)
      transformPieces<true, true>(gradient, cursor, count, pieces, stride, valueSums);
    else
      transformPieces<false, true>(gradient, cursor, count, pieces, stride, valueSums);
    transformInputTiles(input, cursor, count, tiles, inputStride);
    const int whole = (int)roundedUp(count, TILES_OF_ONE);
    clearTiles(pieces, stride, a->outputs, count, whole);
    clearTiles(tiles, inputStride, a->inputs, count, whole);
    ptrdiff_t steps = backwardSteps(a->inputs, a->outputs);
    FetchPlan plan(list, a->inputs, a->outputs);
    const bool isDense = a->input_pixel == a->inputs && a->output_pixel == a->outputs;
    if (isDense) {
      addLines(plan, {a->input, a->inputs * 4, a->height, a->width, next, end});
      if (!turned) addLines(plan, {a->gradient, a->outputs * 4, a->height, a->width, next, end});
      addLines(plan, {a->gradient_mask, a->outputs / 8, a->height, a->width, next, end});
    }
    plan.share(steps);
    multiplyTilesAtPlaces(tiles, pieces, sums, whole, block, a->inputs, a->outputs, plan);
    addSumsOfChunk(tile + count, last, valueSums, biasSums, a->outputs);
    if (!turned) continue;
    steps = forwardSteps(turned, count);
    FetchPlan addend(list, a->inputs, a->outputs);
    if (isDense) {
      addLines(addend, {turned->addend, a->inputs * 4, a->height, a->width, tile, tile + count});
      addLines(addend, {a->gradient, a->outputs * 4, a->height, a->width, next, end});
    }
    addend.share(steps);
    // The tiles have served; the products take their place.
    multiplyPlaces(pieces, turned->kernel, tiles, whole, block, a->outputs, a->inputs, addend);
    strange |= transformTiles(turned, tiles, inputStride, cursor, count, patch);
  }
  // What went past the caches is there for other threads, too.
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  return strange;
}

// MARK: - Bias gradient alone

template <bool isMasked>
static KERNEL void addTiles(
    const Map &map, TileCursor cursor, int count, float *valueSums) {
  eachArea<Tile, isMasked>(
      map, cursor, count,
      [&](const auto &pixels, int, ptrdiff_t c) __attribute__((always_inline)) {
        decltype(pixels.at(pixels.firstColumn(), 0)) sum = {};
        auto column = pixels.firstColumn();
        UNROLL for (int j = 0; j < 4; j++, pixels.advance(column))
          UNROLL for (int i = 0; i < 4; i++) sum = sum + pixels.at(column, i);
        addSum(pixels, sum, valueSums + c);
      });
}

static KERNEL void tileSums(
    const ck_gradient *a, ptrdiff_t first, ptrdiff_t last, double *biasSums, float *scratch) {
  float *valueSums = scratch;
  memset(valueSums, 0, (size_t)a->outputs * sizeof(float));
  const Map gradient = {
      a->gradient, a->gradient_mask, a->height, a->width, a->outputs, a->output_pixel};
  for (ptrdiff_t tile = first; tile < last; tile += CK_TILES_PER_CHUNK) {
    const int count = (int)least(CK_TILES_PER_CHUNK, last - tile);
    const TileCursor cursor(a->height, a->width, tile);
    if (a->gradient_mask)
      addTiles<true>(gradient, cursor, count, valueSums);
    else
      addTiles<false>(gradient, cursor, count, valueSums);
    addSumsOfChunk(tile + count, last, valueSums, biasSums, a->outputs);
  }
}

// Interleaved maps whose channels have numbers of their own: what normalizations need.
//
// Sums are taken in double precision, pixel after pixel for each channel alone, so that their order
// does not depend on the vectors. Products are not fused, so every instruction set gives the same bits.

typedef double Doubles __attribute__((vector_size(64)));

INLINE Doubles widened(Floats<8> v) { return __builtin_convertvector(v, Doubles); }

/// Asks for the line of the cache one page of 4 KiB further on, which a stream reaches soon: the processor's
/// own fetching ends with each page.
INLINE void fetchAhead(const float *place) {
  __builtin_prefetch((const void *)((uintptr_t)place + 4096));
}

/// How many groups of 8 channels are summed side by side: as many as there are registers for.
static constexpr ptrdiff_t groupsAtOnce = LANES == 16 ? 4 : 2;

/// Adds the pixels from `first` to `last` to the sums of B groups of 8 channels, from channel `c` on;
/// `hasGradients` tells whether h is a gradient or x − shift.
template <int B, bool hasGradients>
INLINE void sumGroups(
    const ck_channel_sums *a, ptrdiff_t first, ptrdiff_t last, ptrdiff_t c, double *sums,
    double *products) {
  Doubles sum[B], product[B], shift[B];
  memcpy(sum, sums + c, sizeof sum);
  memcpy(product, products + c, sizeof product);
  UNROLL for (int b = 0; b < B; b++) shift[b] = widened(load<8>(a->shifts + c + 8 * b));
  for (ptrdiff_t pixel = first; pixel < last; pixel++) {
    const ptrdiff_t place = pixel * a->channels + c;
    UNROLL for (int b = 0; b < B; b += 2) {
      fetchAhead(a->values + place + 8 * b);
      if constexpr (hasGradients) fetchAhead(a->gradients + place + 8 * b);
    }
    UNROLL for (int b = 0; b < B; b++) {
      const Doubles x = widened(load<8>(a->values + place + 8 * b)) - shift[b];
      Doubles h = x;
      if constexpr (hasGradients) {
        Floats<8> gradient = load<8>(a->gradients + place + 8 * b);
        if (a->mask) gradient = masked<8>(gradient, a->mask + (place >> 3) + b);
        h = widened(gradient);
      }
      sum[b] += h;
      product[b] += h * x;
    }
  }
  memcpy(sums + c, sum, sizeof sum);
  memcpy(products + c, product, sizeof product);
}

/// How many values are summed before the next pixels: so few that their lines stay in the cache while the
/// groups of channels take their turns.
static constexpr ptrdiff_t valuesAtOnce = 2048;

/// The sums of a chunk, some pixels with all their channels at a time.
template <bool hasGradients>
static KERNEL void sumAllGroups(const ck_channel_sums *a, double *sums, double *products) {
  memset(sums, 0, (size_t)a->channels * sizeof(double));
  memset(products, 0, (size_t)a->channels * sizeof(double));
  const ptrdiff_t pixels = most(1, valuesAtOnce / a->channels);
  for (ptrdiff_t first = 0; first < a->pixels; first += pixels) {
    const ptrdiff_t last = least(a->pixels, first + pixels);
    ptrdiff_t c = 0;
    for (; c + 8 * groupsAtOnce <= a->channels; c += 8 * groupsAtOnce)
      sumGroups<groupsAtOnce, hasGradients>(a, first, last, c, sums, products);
    for (; c < a->channels; c += 8)
      sumGroups<1, hasGradients>(a, first, last, c, sums, products);
  }
}

static KERNEL void channelSums(const ck_channel_sums *a, double *sums, double *products) {
  return a->gradients ? sumAllGroups<true>(a, sums, products)
                      : sumAllGroups<false>(a, sums, products);
}

/// Whether a chunk of a map of `whole` values goes past the caches.
INLINE bool channelsStream(const float *results, ptrdiff_t channels, ptrdiff_t whole) {
  return isStreamed(whole) && channels % LANES == 0
      && (uintptr_t)results % (LANES * sizeof(float)) == 0;
}

template <int activation>
static KERNEL void channelScaleAll(const ck_channel_scale *a, bool streams) {
  for (ptrdiff_t pixel = 0; pixel < a->pixels; pixel++) {
    const ptrdiff_t place = pixel * a->channels;
    EACH_LANES(c, a->channels, {
      fetchAhead(a->values + place + c);
      const Floats<L> z = (load<L>(a->values + place + c) - load<L>(a->shifts + c))
              * load<L>(a->factors + c)
          + load<L>(a->offsets + c);
      const bool derives = activation != ck_linear && a->mask;
      const Floats<L> v = activated<L, activation>(
          z, derives ? a->mask + ((place + c) >> 3) : nullptr, derives);
      store<L>(a->results + place + c, v, streams);
    });
  }
  if (streams) __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static KERNEL void channelScale(const ck_channel_scale *a) {
  const bool streams = channelsStream(a->results, a->channels, a->whole);
  switch (a->activation) {
    case ck_linear: return channelScaleAll<ck_linear>(a, streams);
    case ck_relu: return channelScaleAll<ck_relu>(a, streams);
    case ck_hiding_relu: return channelScaleAll<ck_hiding_relu>(a, streams);
  }
}

template <bool isMasked>
static KERNEL void channelCombineAll(const ck_channel_combination *a, bool streams) {
  for (ptrdiff_t pixel = 0; pixel < a->pixels; pixel++) {
    const ptrdiff_t place = pixel * a->channels;
    EACH_LANES(c, a->channels, {
      fetchAhead(a->gradients + place + c);
      fetchAhead(a->values + place + c);
      Floats<L> g = load<L>(a->gradients + place + c);
      if constexpr (isMasked) g = masked<L>(g, a->mask + ((place + c) >> 3));
      const Floats<L> centered = load<L>(a->values + place + c) - load<L>(a->shifts + c);
      const Floats<L> sum = g * load<L>(a->gradient_factors + c)
          + centered * load<L>(a->value_factors + c);
      store<L>(a->results + place + c, sum + load<L>(a->offsets + c), streams);
    });
  }
  if (streams) __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static KERNEL void channelCombine(const ck_channel_combination *a) {
  const bool streams = channelsStream(a->results, a->channels, a->whole);
  return a->mask ? channelCombineAll<true>(a, streams) : channelCombineAll<false>(a, streams);
}

// What happens to a convolution's result on its way to memory:
//
//   out = act(z + bias) + addend
//
// One rounding an operation, as when each is computed alone.

template <int L> INLINE Floats<L> rectified(Floats<L> z) {
  // Of halves, the processor's own operation.
  if constexpr (L > LANES) return besides(rectified<L / 2>(lower(z)), rectified<L / 2>(upper(z)));
  return (z < Floats<L>{}) ? Floats<L>{} : z;
}

/// act(z), and the bits that are 1 where act′ is 1.
template <int L, int activation>
INLINE Floats<L> activated(Floats<L> z, uint8_t *mask, bool storesMask) {
  if constexpr (activation == ck_relu) {
    Ints<L> negative = z <= Floats<L>{};
    if (storesMask) storeBits<L>(mask, ~negative);
    return rectified<L>(z);
  } else if constexpr (activation == ck_hiding_relu) {
    Ints<L> positive = z > Floats<L>{};
    if (storesMask) storeBits<L>(mask, positive);
    return positive ? z : Floats<L>{};
  } else {
    return z;
  }
}

/// Maps from this size on are written past the caches, where they would find no place until they are
/// read again. Vectors that fill a line of the cache go to memory whole.
INLINE bool isStreamed(ptrdiff_t values) {
  return values * (ptrdiff_t)sizeof(float) >= (LANES == 16 ? 2 << 20 : 6 << 20);
}

/// Stores a vector, which lies at a multiple of its size if it goes past the caches.
template <int L> INLINE void store(float *p, Floats<L> v, bool streams) {
  if (streams) return __builtin_nontemporal_store(v, (Floats<L> *)p);
  store<L>(p, v);
}

/// act′·gradient, where `known` is what the ReLU gave; a NaN passes.
template <int L> INLINE Floats<L> gated(Floats<L> gradient, Floats<L> known) {
  return known <= Floats<L>{} ? Floats<L>{} : gradient;
}

/// Whether the derivative of a ReLU is kept as bits beside the results, or applied to them.
template <int activation> INLINE bool derives(const ck_convolution *a) {
  return activation == ck_linear ? a->gate != nullptr : a->output_mask != nullptr;
}

/// Where an interleaved result goes; offsets count values.
struct Destination {
  float *output;
  const float *addend;
  uint8_t *mask;
  const float *gate;

  inline __attribute__((always_inline)) explicit Destination(const ck_convolution *a)
      : output(a->output), addend(a->addend), mask(a->output_mask), gate(a->gate) {}

  /// `derives` and `streams` as the functions above tell; where they are known to the compiler, no
  /// vector has to ask.
  template <int L, int activation, bool adds>
  inline __attribute__((always_inline)) void write(
      ptrdiff_t offset, Floats<L> z, bool derives, bool streams) const {
    Floats<L> value =
        activated<L, activation>(z, derives ? mask + (offset >> 3) : nullptr, derives);
    if constexpr (adds) value = value + load<L>(addend + offset);
    if constexpr (activation == ck_linear)
      if (derives) value = gated<L>(value, load<L>(gate + offset));
    store<L>(output + offset, value, streams);
  }
};

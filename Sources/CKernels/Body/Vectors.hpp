// Vectors of floats, written once for all instruction sets: LANES is how many the widest has.
//
// Nothing here may depend on LANES in its results. Each lane computes on its own; sums over lanes go
// through 16 logical lanes (`Wide`) in one fixed order; products are fused by `fma` alone, since
// contraction is off.

#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("clang loop unroll(full)")

template <int L> struct Vector;
template <> struct Vector<16> {
  typedef float Type __attribute__((vector_size(64)));
  typedef float Stored __attribute__((vector_size(64), aligned(4), may_alias));
  typedef int32_t Int __attribute__((vector_size(64)));
};
template <> struct Vector<8> {
  typedef float Type __attribute__((vector_size(32)));
  typedef float Stored __attribute__((vector_size(32), aligned(4), may_alias));
  typedef int32_t Int __attribute__((vector_size(32)));
};
template <int L> using Floats = typename Vector<L>::Type;
template <int L> using Ints = typename Vector<L>::Int;
/// 16 logical lanes on every instruction set.
typedef Floats<16> Wide;

template <int L> INLINE Floats<L> load(const float *p) {
  return *(const typename Vector<L>::Stored *)p;
}
template <int L> INLINE void store(float *p, Floats<L> v) {
  *(typename Vector<L>::Stored *)p = v;
}
template <int L> INLINE Floats<L> splat(float x) { return x - Floats<L>{}; }

/// a·b + c, rounded once where the processor can.
template <class V> INLINE V fma(V a, V b, V c) {
#if FUSES
  return __builtin_elementwise_fma(a, b, c);
#else
  return a * b + c;
#endif
}
template <class V> INLINE V fma(float a, V b, V c) { return fma(V{} + a, b, c); }

/// v where the bit is 1, else 0; bit i of the mask belongs to lane i.
template <int L> INLINE Floats<L> masked(Floats<L> v, const uint8_t *mask) {
  Ints<L> bits;
  if constexpr (L == 16) {
    uint16_t word;
    memcpy(&word, mask, 2);
#if LANES == 16
    typedef bool Bits __attribute__((ext_vector_type(16)));
    Bits packed;
    memcpy(&packed, &word, 2);
    typedef int32_t Spread __attribute__((ext_vector_type(16)));
    Spread spread = -__builtin_convertvector(packed, Spread);
    memcpy(&bits, &spread, sizeof bits);
    return bits ? v : Floats<L>{};
#else
    bits = Ints<L>{} + (int32_t)word;
#endif
  } else {
    bits = Ints<L>{} + (int32_t)*mask;
  }
  Ints<L> places;
  UNROLL for (int i = 0; i < L; i++) places[i] = 1 << i;
  bits = (bits & places) != 0;
  return bits ? v : Floats<L>{};
}

/// Eight lanes of two places side by side.
INLINE Wide besides(Floats<8> a, Floats<8> b) {
  return __builtin_shufflevector(a, b, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
}
INLINE Floats<8> lower(Wide v) { return __builtin_shufflevector(v, v, 0, 1, 2, 3, 4, 5, 6, 7); }
INLINE Floats<8> upper(Wide v) { return __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15); }

/// Lane k of each half, spread over its half.
template <int k> INLINE Wide spread(Wide v) {
  return __builtin_shufflevector(
      v, v, k, k, k, k, k, k, k, k, k + 8, k + 8, k + 8, k + 8, k + 8, k + 8, k + 8, k + 8);
}

/// Writes bit i for lane i of a comparison.
template <int L> INLINE void storeBits(uint8_t *mask, Ints<L> comparison) {
  typedef bool Bits __attribute__((ext_vector_type(L)));
  typedef int32_t Spread __attribute__((ext_vector_type(L)));
  Spread spread;
  memcpy(&spread, &comparison, sizeof spread);
  Bits bits = __builtin_convertvector(spread, Bits);
  memcpy(mask, &bits, L / 8);
}

/// The sum of 16 lanes: lane i and lane i+8, then i+4, i+2, i+1.
INLINE float sumOfLanes(Wide v) {
  float s[16];
  store<16>(s, v);
  UNROLL for (int half = 8; half > 0; half /= 2)
    UNROLL for (int i = 0; i < half; i++) s[i] += s[i + half];
  return s[0];
}

/// Whether a NaN or an infinity was among some values: their sum times 0 tells.
struct Strangeness {
  Floats<LANES> sum = {};
  Floats<8> rest = {};

  template <int L> inline __attribute__((always_inline)) void note(Floats<L> value) {
    if constexpr (L == LANES) {
      sum = fma(value, Floats<L>{}, sum);
    } else if constexpr (L == 16) {
      note<8>(lower(value));
      note<8>(upper(value));
    } else {
      rest = fma(value, Floats<8>{}, rest);
    }
  }

  inline __attribute__((always_inline)) bool found() const {
    bool found = false;
    UNROLL for (int i = 0; i < LANES; i++) found |= sum[i] != 0;
    UNROLL for (int i = 0; i < 8; i++) found |= rest[i] != 0;
    return found;
  }
};

INLINE ptrdiff_t least(ptrdiff_t a, ptrdiff_t b) { return a < b ? a : b; }
INLINE ptrdiff_t most(ptrdiff_t a, ptrdiff_t b) { return a > b ? a : b; }
INLINE ptrdiff_t roundedUp(ptrdiff_t n, ptrdiff_t multiple) {
  return (n + multiple - 1) / multiple * multiple;
}

/// Runs the statements for each group of channels from `c`, L of them at a time: LANES, and 8 at the
/// end where the channels are no multiple of 16.
#define EACH_LANES(c, channels, ...)              \
  do {                                            \
    ptrdiff_t c = 0;                              \
    for (; c + LANES <= (channels); c += LANES) { \
      constexpr int L = LANES;                    \
      __VA_ARGS__;                                \
    }                                             \
    if constexpr (LANES == 16)                    \
      if (c < (channels)) {                       \
        constexpr int L = 8;                      \
        __VA_ARGS__;                              \
      }                                           \
  } while (0)

// Vectors of floats, written once for all instruction sets: LANES is how many the widest has.
//
// Nothing here may depend on LANES in its results. Each lane computes on its own; sums over lanes go
// through 16 logical lanes (`Wide`) in one fixed order; products are fused by `fma` alone, since
// contraction is off.

#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("clang loop unroll(full)")
#define ROLLED _Pragma("clang loop unroll(disable)")
// For loops that hand values on: unrolled, they stay in registers where those suffice.
#if LANES == 16
#define UNROLL_WIDE UNROLL
#else
#define UNROLL_WIDE ROLLED
#endif

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
template <class V> INLINE V fma(float a, V b, V c) { return fma(a - V{}, b, c); }

/// Eight lanes of two places side by side.
INLINE Wide besides(Floats<8> a, Floats<8> b) {
  return __builtin_shufflevector(a, b, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
}
INLINE Floats<8> lower(Wide v) { return __builtin_shufflevector(v, v, 0, 1, 2, 3, 4, 5, 6, 7); }
INLINE Floats<8> upper(Wide v) { return __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15); }

/// v where the bit is 1, else 0; bit i of the mask belongs to lane i.
template <int L> INLINE Floats<L> masked(Floats<L> v, const uint8_t *mask) {
#if LANES == 16
  typedef bool Bits __attribute__((ext_vector_type(L)));
  typedef int32_t Spread __attribute__((ext_vector_type(L)));
  Bits packed;
  memcpy(&packed, mask, L / 8);
  const Spread spread = -__builtin_convertvector(packed, Spread);
  Ints<L> bits;
  memcpy(&bits, &spread, sizeof bits);
  return bits ? v : Floats<L>{};
#else
  if constexpr (L == 16) return besides(masked<8>(lower(v), mask), masked<8>(upper(v), mask + 1));
  // Each byte of each lane is that of the mask.
  typedef uint8_t Bytes __attribute__((vector_size(32)));
  const Bytes bytes = Bytes{} + *mask;
  Ints<8> words, places;
  memcpy(&words, &bytes, sizeof words);
  UNROLL for (int i = 0; i < 8; i++) places[i] = 1 << i;
  const Ints<8> bits = (words & places) != 0;
  if constexpr (L == 8) return bits ? v : Floats<8>{};
#endif
}

/// Keeps the compiler from making one shuffle of two: on some processors a shuffle across groups of
/// four lanes keeps a multiplier waiting, one within them does not.
INLINE Wide apart(Wide v) {
#if LANES == 16
  __asm__("" : "+v"(v));
#endif
  return v;
}
/// The lower four lanes of each half, twice; the upper four, twice.
INLINE Wide lowerFours(Wide v) {
  return apart(__builtin_shufflevector(v, v, 0, 1, 2, 3, 0, 1, 2, 3, 8, 9, 10, 11, 8, 9, 10, 11));
}
INLINE Wide upperFours(Wide v) {
  return apart(__builtin_shufflevector(v, v, 4, 5, 6, 7, 4, 5, 6, 7, 12, 13, 14, 15, 12, 13, 14, 15));
}
/// Lane k of each four, spread over its four.
INLINE Wide spreadInFours(Wide v, int k) {
  switch (k) {
    case 0: return __builtin_shufflevector(v, v, 0, 0, 0, 0, 4, 4, 4, 4, 8, 8, 8, 8, 12, 12, 12, 12);
    case 1: return __builtin_shufflevector(v, v, 1, 1, 1, 1, 5, 5, 5, 5, 9, 9, 9, 9, 13, 13, 13, 13);
    case 2:
      return __builtin_shufflevector(v, v, 2, 2, 2, 2, 6, 6, 6, 6, 10, 10, 10, 10, 14, 14, 14, 14);
    default:
      return __builtin_shufflevector(v, v, 3, 3, 3, 3, 7, 7, 7, 7, 11, 11, 11, 11, 15, 15, 15, 15);
  }
}

/// A pointer computed here and now, to memory that is really written and read: where the compiler kept
/// the addresses of all pixels of a tile, or all that is between two transforms, in the few registers,
/// it would move values to and fro.
template <class T> INLINE T *kept(T *p) {
#if LANES < 16
  __asm__("" : "+r"(p));
#endif
  return p;
}

/// A constant in all lanes, in a register rather than read again for each use.
template <class V> INLINE V constant(float x) {
  V v = x - V{};
#if KEEPS_CONSTANTS
  __asm__("" : "+x"(v));
#endif
  return v;
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

/// The sums of the 16 lanes of each of 16 vectors: of lane i and lane i+8, then i+4, i+2, i+1.
INLINE Wide sumsOfLanes(const Wide v[16]) {
  Wide eight[8], four[4], two[2];
  UNROLL for (int i = 0; i < 8; i++) {
    const Wide a = v[i], b = v[i + 8];
    eight[i] = besides(lower(a), lower(b)) + besides(upper(a), upper(b));
  }
  UNROLL for (int i = 0; i < 4; i++) {
    const Wide a = eight[i], b = eight[i + 4];
    four[i] = __builtin_shufflevector(
                  a, b, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27)
        + __builtin_shufflevector(
                  a, b, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31);
  }
  UNROLL for (int i = 0; i < 2; i++) {
    const Wide a = four[i], b = four[i + 2];
    two[i] = __builtin_shufflevector(
                 a, b, 0, 1, 4, 5, 8, 9, 12, 13, 16, 17, 20, 21, 24, 25, 28, 29)
        + __builtin_shufflevector(
                 a, b, 2, 3, 6, 7, 10, 11, 14, 15, 18, 19, 22, 23, 26, 27, 30, 31);
  }
  const Wide a = two[0], b = two[1];
  const Wide sums =
      __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30)
      + __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
  // Each step put the vectors' places in halves, so they stand in the order of their turned bits.
  return __builtin_shufflevector(sums, sums, 0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15);
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

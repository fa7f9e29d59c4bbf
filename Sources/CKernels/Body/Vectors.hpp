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

/// A number that the compiler knows.
template <int value> struct Constant {
  constexpr operator int() const { return value; }
};

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

/// The sums of the 8 lanes of each of 8 vectors: of lane i and lane i+4, then i+2, i+1.
INLINE Floats<8> sumsOfLanes(const Floats<8> v[8]) {
  Floats<8> four[4], two[2];
  UNROLL for (int i = 0; i < 4; i++) {
    const Floats<8> a = v[i], b = v[i + 4];
    four[i] = __builtin_shufflevector(a, b, 0, 1, 2, 3, 8, 9, 10, 11)
        + __builtin_shufflevector(a, b, 4, 5, 6, 7, 12, 13, 14, 15);
  }
  UNROLL for (int i = 0; i < 2; i++) {
    const Floats<8> a = four[i], b = four[i + 2];
    two[i] = __builtin_shufflevector(a, b, 0, 1, 8, 9, 4, 5, 12, 13)
        + __builtin_shufflevector(a, b, 2, 3, 10, 11, 6, 7, 14, 15);
  }
  const Floats<8> a = two[0], b = two[1];
  return __builtin_shufflevector(a, b, 0, 8, 2, 10, 4, 12, 6, 14)
      + __builtin_shufflevector(a, b, 1, 9, 3, 11, 5, 13, 7, 15);
}

/// The sums of the 16 lanes of each of 8 vectors: of lane i and lane i+8, then as above.
INLINE Floats<8> sumsOfLanes(const Wide v[8]) {
  Floats<8> halves[8];
  UNROLL for (int i = 0; i < 8; i++) halves[i] = lower(v[i]) + upper(v[i]);
  return sumsOfLanes(halves);
}

/// Whether a NaN or an infinity was among some values: their sum times 0 tells.
///
/// Neighboring values go to different sums: in one alone, additions would wait for each other.
struct Strangeness {
  static constexpr int count = 4;
  Floats<LANES> sums[count] = {};
  Floats<8> rest[count] = {};

  template <int L> inline __attribute__((always_inline)) void note(Floats<L> value, int place) {
    if constexpr (L == LANES) {
      Floats<L> &sum = sums[place % count];
      sum = fma(value, Floats<L>{}, sum);
    } else if constexpr (L == 16) {
      note<8>(lower(value), 2 * place);
      note<8>(upper(value), 2 * place + 1);
    } else {
      Floats<8> &sum = rest[place % count];
      sum = fma(value, Floats<8>{}, sum);
    }
  }

  inline __attribute__((always_inline)) bool found() const {
    bool found = false;
    UNROLL for (int k = 0; k < count; k++) {
      UNROLL for (int i = 0; i < LANES; i++) found |= sums[k][i] != 0;
      UNROLL for (int i = 0; i < 8; i++) found |= rest[k][i] != 0;
    }
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

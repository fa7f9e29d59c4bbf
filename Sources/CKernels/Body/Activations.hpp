// Activations of many values.
//
// Range reductions and polynomials are those of Moshier's Cephes library (expf, atanf). Products are
// never fused here, so every instruction set gives the same bits; errors stay below 4 units in the last
// place. NaN is handed on.

/// e^x for x ≤ 0, split so that neither e^x nor e^x − 1 loses digits: e^x = scale·(1 + rest).
template <int L> struct Exponential {
  Floats<L> scale, rest;

  /// e^x; 0 below −88, where it would lose digits.
  inline __attribute__((always_inline)) Floats<L> value() const { return scale * rest + scale; }
  /// e^x − 1.
  inline __attribute__((always_inline)) Floats<L> minusOne() const {
    return scale * rest + (scale - 1.0f);
  }
};

template <int L> INLINE Exponential<L> exponential(Floats<L> x) {
  x = (x < Floats<L>{} - 88.0f) ? Floats<L>{} - 88.0f : x;
  // Added to 1.5·2²³, a number is rounded to an integer n, which stands in the last bits.
  constexpr float shift = 12582912.0f;
  const Floats<L> shifted = x * 1.44269504088896341f + shift;
  const Floats<L> n = shifted - shift;
  // x − n·ln 2; the first part of ln 2 has so few bits that its product is exact.
  const Floats<L> r = (x - n * 0.693359375f) - n * -2.12194440e-4f;
  Floats<L> p = r * 1.9875691500e-4f + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  const Ints<L> exponent = ((Ints<L>)shifted << 23) + (127 << 23);
  return {(Floats<L>)exponent, p * (r * r) + r};
}

template <int L> INLINE Floats<L> magnitude(Floats<L> x) {
  return (Floats<L>)((Ints<L>)x & 0x7fffffff);
}

/// |x| with the sign of `sign`, for x ≥ 0.
template <int L> INLINE Floats<L> withSign(Floats<L> x, Floats<L> sign) {
  return (Floats<L>)((Ints<L>)x | ((Ints<L>)sign & (int32_t)0x80000000));
}

/// z.
struct Linear {
  template <int L>
  static inline __attribute__((always_inline)) Floats<L> back(Floats<L> da, Floats<L>) {
    return da;
  }
};

/// max(z, 0), which hands NaN on.
struct ReLU {
  template <int L> static inline __attribute__((always_inline)) Floats<L> of(Floats<L> z) {
    return (z < Floats<L>{}) ? Floats<L>{} : z;
  }
  template <int L>
  static inline __attribute__((always_inline)) Floats<L> back(Floats<L> da, Floats<L> a) {
    return (a <= Floats<L>{}) ? Floats<L>{} : da;
  }
};

/// max(z, 0), where NaN becomes 0; its derivative is that of ReLU.
struct HidingReLU : ReLU {
  template <int L> static inline __attribute__((always_inline)) Floats<L> of(Floats<L> z) {
    return (z > Floats<L>{}) ? z : Floats<L>{};
  }
};

/// z, or 0.01·z below 0.
struct LeakyReLU {
  template <int L> static inline __attribute__((always_inline)) Floats<L> of(Floats<L> z) {
    return (z < Floats<L>{}) ? z * 0.01f : z;
  }
  template <int L>
  static inline __attribute__((always_inline)) Floats<L> back(Floats<L> da, Floats<L> a) {
    const Floats<L> below = (a != a) ? a : da * 0.01f;
    return (a > Floats<L>{}) ? da : below;
  }
};

/// z, or e^z − 1 below 0.
struct ELU {
  template <int L> static inline __attribute__((always_inline)) Floats<L> of(Floats<L> z) {
    const Floats<L> below = exponential<L>((z > Floats<L>{}) ? Floats<L>{} : z).minusOne();
    return (z < Floats<L>{}) ? below : z;
  }
  template <int L>
  static inline __attribute__((always_inline)) Floats<L> back(Floats<L> da, Floats<L> a) {
    return (a > Floats<L>{}) ? da : da * (a + 1.0f);
  }
};

/// 1/(1 + e^−z), from e^−|z|, which never overflows.
struct Sigmoid {
  template <int L> static inline __attribute__((always_inline)) Floats<L> of(Floats<L> z) {
    const Floats<L> e = exponential<L>(-magnitude<L>(z)).value();
    const Floats<L> numerator = (z < Floats<L>{}) ? e : Floats<L>{} + 1.0f;
    return numerator / (e + 1.0f);
  }
  template <int L>
  static inline __attribute__((always_inline)) Floats<L> back(Floats<L> da, Floats<L> a) {
    return da * (a * (1.0f - a));
  }
};

/// (1 − e^−2|z|)/(1 + e^−2|z|) with the sign of z.
struct HyperbolicTangent {
  template <int L> static inline __attribute__((always_inline)) Floats<L> of(Floats<L> z) {
    const Floats<L> e = exponential<L>(magnitude<L>(z) * -2.0f).minusOne();
    return withSign<L>(magnitude<L>(-e / (e + 2.0f)), z);
  }
  template <int L>
  static inline __attribute__((always_inline)) Floats<L> back(Floats<L> da, Floats<L> a) {
    return da * (1.0f - a * a);
  }
};

/// Reduced to |z| < tan π/8 by arctan z = π/2 + arctan(−1/z) and π/4 + arctan((z − 1)/(z + 1)).
struct Arctangent {
  template <int L> static inline __attribute__((always_inline)) Floats<L> of(Floats<L> z) {
    const Floats<L> x = magnitude<L>(z);
    const Ints<L> isLarge = x > Floats<L>{} + 2.414213562373095f;
    const Ints<L> isMedium = x > Floats<L>{} + 0.4142135623730950f;
    const Floats<L> one = Floats<L>{} + 1.0f;
    const Floats<L> offset = isLarge ? Floats<L>{} + 1.5707963267948966f
        : isMedium                   ? Floats<L>{} + 0.7853981633974483f
                                     : Floats<L>{};
    const Floats<L> reduced = (isLarge ? -one : isMedium ? x - one : x)
        / (isLarge ? x : isMedium ? x + one : one);
    const Floats<L> square = reduced * reduced;
    Floats<L> p = square * 8.05374449538e-2f - 1.38776856032e-1f;
    p = p * square + 1.99777106478e-1f;
    p = p * square - 3.33329491539e-1f;
    return withSign<L>(offset + (p * square * reduced + reduced), z);
  }
  template <int L>
  static inline __attribute__((always_inline)) Floats<L> back(Floats<L> da, Floats<L> z) {
    return da / (z * z + 1.0f);
  }
};

template <class Function>
static KERNEL void activateAll(const float *values, float *results, ptrdiff_t count) {
  ptrdiff_t i = 0;
  for (; i + LANES <= count; i += LANES)
    store<LANES>(results + i, Function::template of<LANES>(load<LANES>(values + i)));
  if (i == count) return;
  float rest[LANES] = {};
  memcpy(rest, values + i, (size_t)(count - i) * sizeof(float));
  store<LANES>(rest, Function::template of<LANES>(load<LANES>(rest)));
  memcpy(results + i, rest, (size_t)(count - i) * sizeof(float));
}

static KERNEL void activate(
    int32_t activation, const float *values, float *results, ptrdiff_t count) {
  switch (activation) {
    case ck_relu: return activateAll<ReLU>(values, results, count);
    case ck_hiding_relu: return activateAll<HidingReLU>(values, results, count);
    case ck_leaky_relu: return activateAll<LeakyReLU>(values, results, count);
    case ck_elu: return activateAll<ELU>(values, results, count);
    case ck_sigmoid: return activateAll<Sigmoid>(values, results, count);
    case ck_tanh: return activateAll<HyperbolicTangent>(values, results, count);
    case ck_arctan: return activateAll<Arctangent>(values, results, count);
  }
}

// MARK: - Derivatives

/// The vector at `p`; of a last one, what is there.
INLINE Floats<LANES> loadUpTo(const float *p, ptrdiff_t count) {
  if (count >= LANES) return load<LANES>(p);
  float rest[LANES] = {};
  memcpy(rest, p, (size_t)count * sizeof(float));
  return load<LANES>(rest);
}

INLINE void storeUpTo(float *p, Floats<LANES> v, ptrdiff_t count) {
  if (count >= LANES) return store<LANES>(p, v);
  memcpy(p, &v, (size_t)count * sizeof(float));
}

template <class Function>
static KERNEL void pullBackAll(
    const float *gradients, const float *factors, const float *known, float *results,
    ptrdiff_t count) {
  for (ptrdiff_t i = 0; i < count; i += LANES) {
    Floats<LANES> da = loadUpTo(gradients + i, count - i);
    if (factors) da = da * loadUpTo(factors + i, count - i);
    const Floats<LANES> x = loadUpTo(known + i, count - i);
    storeUpTo(results + i, Function::template back<LANES>(da, x), count - i);
  }
}

static KERNEL void pullBack(
    int32_t activation, const float *gradients, const float *factors, const float *known,
    float *results, ptrdiff_t count) {
  switch (activation) {
    case ck_linear: return pullBackAll<Linear>(gradients, factors, gradients, results, count);
    case ck_relu:
    case ck_hiding_relu: return pullBackAll<ReLU>(gradients, factors, known, results, count);
    case ck_leaky_relu: return pullBackAll<LeakyReLU>(gradients, factors, known, results, count);
    case ck_elu: return pullBackAll<ELU>(gradients, factors, known, results, count);
    case ck_sigmoid: return pullBackAll<Sigmoid>(gradients, factors, known, results, count);
    case ck_tanh:
      return pullBackAll<HyperbolicTangent>(gradients, factors, known, results, count);
    case ck_arctan: return pullBackAll<Arctangent>(gradients, factors, known, results, count);
  }
}

// Winograd's F(4×4, 3×3) with the points 0, ±√½, ±√2, ∞.
//
//   output = Aᵀ[(G·kernel·Gᵀ) ⊙ (Bᵀ·input·B)]A        Lavin and Gray, "Fast algorithms for
//                                                     convolutional neural networks" (2015)
//
// A 6×6 piece of the input gives 4×4 outputs with 36 products instead of 144. The products' sum over
// channels is a matrix product for each of the 36 places. With these points in place of 0, ±1, ±2, ∞
// the rounding error is about twice that of a direct convolution, not ten times.

constexpr float rootHalf = 0.70710678118654752440f;  // √½ and its cube
constexpr float rootHalfCubed = 0.35355339059327376220f;
constexpr float rootTwo = 1.41421356237309504880f;  // √2 and its cube
constexpr float rootTwoCubed = 2.82842712474619009760f;

// Twice a value is a sum, exactly; some processors add beside the products, which are what keeps a
// transform waiting.

/// Bᵀx: six values of the input.
template <class V> INLINE void transformInput(const V x[6], V r[6]) {
  V even = x[4] - (x[2] + x[2]), odd = x[3] - (x[1] + x[1]);
  V even2 = fma(constant<V>(0.5f), -x[2], x[4]), odd2 = fma(constant<V>(0.5f), -x[1], x[3]);
  r[0] = x[0] + fma(constant<V>(2.5f), -x[2], x[4]);
  r[1] = fma(constant<V>(rootHalf), odd, even);
  r[2] = fma(constant<V>(rootHalf), -odd, even);
  r[3] = fma(constant<V>(rootTwo), odd2, even2);
  r[4] = fma(constant<V>(rootTwo), -odd2, even2);
  r[5] = x[1] + fma(constant<V>(2.5f), -x[3], x[5]);
}

/// Aᵀm: four outputs.
template <class V> INLINE void transformOutput(const V m[6], V y[4]) {
  V sum = m[1] + m[2], difference = m[1] - m[2];
  V sum2 = m[3] + m[4], difference2 = m[3] - m[4];
  y[0] = m[0] + sum + sum2;
  y[1] = fma(constant<V>(rootTwo), difference2, constant<V>(rootHalf) * difference);
  y[2] = fma(constant<V>(2.0f), sum2, constant<V>(0.5f) * sum);
  y[3] = fma(constant<V>(rootHalfCubed), difference, fma(constant<V>(rootTwoCubed), difference2, m[5]));
}

/// A·y: four values of a tile.
template <class V> INLINE void transformSpread(const V y[4], V z[6]) {
  V even = fma(constant<V>(0.5f), y[2], y[0]), odd = fma(constant<V>(0.5f), y[3], y[1]);
  V even2 = y[0] + (y[2] + y[2]), odd2 = y[1] + (y[3] + y[3]);
  z[0] = y[0];
  z[1] = fma(constant<V>(rootHalf), odd, even);
  z[2] = fma(constant<V>(rootHalf), -odd, even);
  z[3] = fma(constant<V>(rootTwo), odd2, even2);
  z[4] = fma(constant<V>(rootTwo), -odd2, even2);
  z[5] = y[3];
}

/// G: row i is (1, p, p²)/n of point p, where n is the product of its distances to the others.
constexpr float kernelTransform[6][3] = {
    {1, 0, 0},
    {-2.0f / 3, -2.0f / 3 * rootHalf, -1.0f / 3},
    {-2.0f / 3, 2.0f / 3 * rootHalf, -1.0f / 3},
    {1.0f / 6, 1.0f / 6 * rootTwo, 1.0f / 3},
    {1.0f / 6, -1.0f / 6 * rootTwo, 1.0f / 3},
    {0, 0, 1},
};

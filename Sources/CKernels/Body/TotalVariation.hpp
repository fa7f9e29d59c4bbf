// Total variation by Chambolle's projections: the image u that minimizes ½Σ(u − f)² + weight·Σ|∇u|.
//
//     u = f + div p,   p ← (p − τ·∇u) / (1 + τ·|∇u|/weight),   τ = ¼
//
// with forward differences, 0 behind the last row and column. Source: Chambolle, "An algorithm for total
// variation minimization and applications" (2004), with the signs and the step of scikit-image.

/// Computes one row of u; returns Σ(u − f)² over it. `above` is the row of `down` above; null for the
/// first row.
static KERNEL float variationEstimate(
    const float *image, const float *down, const float *right, const float *above, ptrdiff_t width,
    float *estimate) {
  float squares = 0;
  Wide sums = {};
  for (ptrdiff_t x = 0; x < width; x += 16) {
    const ptrdiff_t count = least(16, width - x);
    float before[16] = {}, p[16] = {}, q[16] = {}, f[16] = {}, over[16] = {};
    memcpy(q, right + x, (size_t)count * sizeof(float));
    memcpy(p, down + x, (size_t)count * sizeof(float));
    memcpy(f, image + x, (size_t)count * sizeof(float));
    if (above) memcpy(over, above + x, (size_t)count * sizeof(float));
    if (x > 0) memcpy(before, right + x - 1, (size_t)count * sizeof(float));
    else if (count > 1) memcpy(before + 1, right, (size_t)(count - 1) * sizeof(float));
    const Wide d = (load<16>(over) - load<16>(p)) + (load<16>(before) - load<16>(q));
    sums = fma(d, d, sums);
    const Wide u = load<16>(f) + d;
    memcpy(estimate + x, &u, (size_t)count * sizeof(float));
  }
  UNROLL for (int i = 0; i < 16; i++) squares += sums[i];
  return squares;
}

/// Updates one row of p; returns Σ|∇u| over it. `below` is the row of u below; null for the last row.
static KERNEL float variationUpdate(
    const float *estimate, const float *below, ptrdiff_t width, float weight, float *down,
    float *right) {
  float length = 0;
  Wide sums = {};
  for (ptrdiff_t x = 0; x < width; x += 16) {
    const ptrdiff_t count = least(16, width - x);
    float u[16] = {}, v[16] = {}, next[16] = {}, p[16] = {}, q[16] = {};
    memcpy(u, estimate + x, (size_t)count * sizeof(float));
    memcpy(v, below ? below + x : estimate + x, (size_t)count * sizeof(float));
    memcpy(p, down + x, (size_t)count * sizeof(float));
    memcpy(q, right + x, (size_t)count * sizeof(float));
    const ptrdiff_t following = least(16, width - x - 1);
    memcpy(next, estimate + x + 1, (size_t)following * sizeof(float));
    if (following < count) next[count - 1] = u[count - 1];
    const Wide g = load<16>(v) - load<16>(u), h = load<16>(next) - load<16>(u);
    const Wide norm = __builtin_elementwise_sqrt(fma(g, g, h * h));
    sums += norm;
    const Wide factor = fma(0.25f / weight, norm, Wide{} + 1.0f);
    const Wide a = (load<16>(p) - g * 0.25f) / factor, b = (load<16>(q) - h * 0.25f) / factor;
    memcpy(down + x, &a, (size_t)count * sizeof(float));
    memcpy(right + x, &b, (size_t)count * sizeof(float));
  }
  UNROLL for (int i = 0; i < 16; i++) length += sums[i];
  return length;
}

// Filters whose weights come from how alike pixels are: non-local means and the bilateral filter.

/// Non-local means: each pixel becomes the mean of all pixels q within a square, weighted by how alike
/// the patches about p and q are:
///
///     w = exp(−max(Σ ((p_i − q_i)² − 2σ²), 0)/(h²·s²)), 0 below e^−5
///
/// The sum is over s − 1 rows and columns, −radius + 1 … radius, of a patch of s = 2·radius + 1; the
/// pixel itself counts with weight 1. Source: Buades, Coll, Morel, "A non-local algorithm for image
/// denoising" (2005); Froment, "Parameter-free fast pixelwise non-local means denoising" (2014), in the
/// form that scikit-image's fast mode has.
///
/// Each pair is found once, by its upper or left pixel p, here for the rows first..<last of p, relative
/// to the image; both pixels get their share. The first row and column of `sums` and `weights` are those
/// of the pixel (first − distance, −2·distance).
static KERNEL void comparePatches(
    const ck_patches *m, ptrdiff_t first, ptrdiff_t last, float *sums, float *weights,
    float *scratch) {
  const ptrdiff_t r = m->radius, d = m->distance, pitch = m->pitch, side = 2 * r + 1;
  // Columns of p: −d ..< width + d, rounded up; those of its patches: r more on both sides.
  const ptrdiff_t columns = roundedUp(m->width + 2 * d, LANES);
  const ptrdiff_t wide = roundedUp(columns + 2 * r, LANES);
  const float subtrahend = 2 * m->variance * (float)(4 * r * r);
  const float scale = -1 / (m->strength * m->strength * (float)(side * side));
  for (ptrdiff_t t = 0; t < (2 * d + 1) * (d + 1); t++) {
    const ptrdiff_t down = t % (2 * d + 1) - d, right = t / (2 * d + 1);
    if (right == 0 && down <= 0) continue;
    const ptrdiff_t shift = down * pitch + right;
    for (ptrdiff_t y = first; y < last; y++) {
      const float *row = m->image + y * pitch - d;
      for (ptrdiff_t x = 0; x < wide; x += LANES) {
        Floats<LANES> sum = {};
        for (ptrdiff_t i = 1 - r; i <= r; i++) {
          const float *p = row + i * pitch + 1 - r + x;
          const Floats<LANES> difference = load<LANES>(p) - load<LANES>(p + shift);
          sum = fma(difference, difference, sum);
        }
        store<LANES>(scratch + x, sum);
      }
      float *ownSums = sums + (y - first + d) * pitch + d, *ownWeights = weights + (y - first + d) * pitch + d;
      for (ptrdiff_t x = 0; x < columns; x += LANES) {
        Floats<LANES> sum = load<LANES>(scratch + x);
        for (ptrdiff_t i = 1; i < 2 * r; i++) sum += load<LANES>(scratch + x + i);
        sum -= subtrahend;
        const Floats<LANES> power = ((sum < Floats<LANES>{}) ? Floats<LANES>{} : sum) * scale;
        const Ints<LANES> counts = power >= -5.0f;
        Floats<LANES> weight = exponential<LANES>(power).value();
        weight = counts ? weight : Floats<LANES>{};
        const float *p = row + x;
        float *place = ownSums + x, *total = ownWeights + x;
        store<LANES>(place, fma(weight, load<LANES>(p + shift), load<LANES>(place)));
        store<LANES>(total, load<LANES>(total) + weight);
        store<LANES>(scratch + x, weight);
      }
      // The other pixels of the pairs after all of the row's own, in the same order for any LANES.
      for (ptrdiff_t x = 0; x < columns; x += LANES) {
        const Floats<LANES> weight = load<LANES>(scratch + x);
        float *place = ownSums + x + shift, *total = ownWeights + x + shift;
        store<LANES>(place, fma(weight, load<LANES>(row + x), load<LANES>(place)));
        store<LANES>(total, load<LANES>(total) + weight);
      }
    }
  }
}

/// The bilateral filter of one row: the mean over a square, weighted by a Gaussian of the distance and
/// one of the difference. `row` is the row of an image that goes on `radius` pixels beyond its border.
///
/// Source: Tomasi, Manduchi, "Bilateral filtering for gray and color images" (1998).
static KERNEL void bilateralRow(
    const float *row, ptrdiff_t pitch, ptrdiff_t width, ptrdiff_t radius, float deviation,
    float range, float *result) {
  const float near = -0.5f / (deviation * deviation), alike = -0.5f / (range * range);
  for (ptrdiff_t x = 0; x < width; x += LANES) {
    const Floats<LANES> center = loadUpTo(row + x, width - x);
    Floats<LANES> sum = {}, total = {};
    for (ptrdiff_t i = -radius; i <= radius; i++) {
      for (ptrdiff_t j = -radius; j <= radius; j++) {
        const Floats<LANES> value = loadUpTo(row + i * pitch + j + x, width - x);
        const Floats<LANES> difference = value - center;
        const Floats<LANES> power = difference * difference * alike + near * (float)(i * i + j * j);
        const Floats<LANES> weight = exponential<LANES>(power).value();
        sum = fma(weight, value, sum);
        total += weight;
      }
    }
    storeUpTo(result + x, sum / total, width - x);
  }
}

// BM3D: blocks that look alike are filtered together, as one three-dimensional array.
//
// For each reference block of 8×8 pixels, on a grid of 3 pixels, the blocks most like it within 19
// pixels are stacked: at most 16 of them in the first stage, 32 in the second, and but for the first none
// whose Σ (difference)² is above 64·τ/255²·(max − min of the image)², τ being 3000 and 400. The stack Z is
// transformed: over the pixels by the biorthogonal wavelet 1.5 (first stage) or the cosine transform (second), over the
// blocks by the Haar wavelet. What is left of a coefficient z with variance v of its noise:
//
//   first stage    z where |z| ≥ 3·√v, else 0
//   second stage   z·p²/(p² + 0.4·v), p being the coefficient of the first stage's result
//
// The mean of a stack always stays, so that the result does not depend on where 0 is.
//
// The filtered blocks go back to their places with weights: the number of blocks over Σ of the variance that was left, times a
// Kaiser window of β = 2. Source: Dabov, Foi, Katkovnik, Egiazarian, "Image denoising by sparse 3-D
// transform-domain collaborative filtering" (2007); the constants are those of Mäkinen, Azzari, Foi,
// "Collaborative filtering of correlated noise" (2020) for white noise.

typedef Floats<8> Eight;

static constexpr int blockSide = 8, blockArea = 64, searchRadius = CK_BLOCK_SEARCH;

/// The blocks most like a reference, the most alike first; the reference itself is the first.
struct Matches {
  static constexpr int most = 32;
  float distances[most];
  const float *places[most];
  int count = 0;

  /// Puts a block in its place if it is among the first `limit`.
  inline __attribute__((always_inline)) void offer(float distance, const float *place, int limit) {
    if (count == limit && !(distance < distances[count - 1])) return;
    int i = count < limit ? count++ : count - 1;
    for (; i > 1 && distance < distances[i - 1]; i--) {
      distances[i] = distances[i - 1];
      places[i] = places[i - 1];
    }
    distances[i] = distance;
    places[i] = place;
  }

  /// The distance below which a block is wanted, when `cap` is the largest but for the second block.
  inline __attribute__((always_inline)) float worst(int limit, float cap) const {
    if (count == limit) return distances[limit - 1];
    if (count < 2) return __builtin_inff();
    return distances[1] > cap ? distances[1] : cap;
  }

  /// The largest power of two that is no more than the count.
  inline __attribute__((always_inline)) int stack() const {
    int size = 1;
    while (2 * size <= count) size *= 2;
    return size;
  }
};

/// Finds the blocks of `image` most like that at row y and column x: itself, the one most alike, and
/// others that are no more different than the stage allows.
static KERNEL void findMatches(
    const ck_block_matching *m, const float *image, ptrdiff_t y, ptrdiff_t x, int limit,
    Matches &found) {
  const ptrdiff_t pitch = m->pitch;
  const float *reference = image + y * pitch + x;
  found.count = 1;
  found.distances[0] = -1;
  found.places[0] = reference;
  const ptrdiff_t left = most(0, x - searchRadius);
  const ptrdiff_t columns = least(m->width - blockSide, x + searchRadius) - left + 1;
  const ptrdiff_t top = most(0, y - searchRadius);
  const ptrdiff_t bottom = least(m->height - blockSide, y + searchRadius);
  for (ptrdiff_t row = top; row <= bottom; row++) {
    const float *candidates = image + row * pitch + left;
    Wide sums[3] = {};
    ROLLED for (int r = 0; r < blockSide; r++) {
      UNROLL for (int c = 0; c < blockSide; c++) {
        const Wide value = splat<16>(reference[r * pitch + c]);
        UNROLL for (int v = 0; v < 3; v++) {
          const Wide difference = load<16>(candidates + r * pitch + c + 16 * v) - value;
          sums[v] = fma(difference, difference, sums[v]);
        }
      }
    }
    for (int v = 0; v < 3 && 16 * v < columns; v++) {
      const float worst = found.worst(limit, m->most_different);
      uint8_t bits[2];
      storeBits<16>(bits, sums[v] < splat<16>(worst));
      unsigned better = bits[0] | bits[1] << 8;
      float distances[16];
      store<16>(distances, sums[v]);
      for (; better != 0; better &= better - 1) {
        const int lane = __builtin_ctz(better);
        const float *place = candidates + 16 * v + lane;
        if (16 * v + lane < columns && place != reference)
          found.offer(distances[lane], place, limit);
      }
    }
  }
  while (found.count > 2 && found.distances[found.count - 1] > m->most_different) found.count--;
}

/// An 8×8 transform by rows, and its inverse.
struct BlockTransform {
  float forward[blockArea], inverse[blockArea];
};

static const BlockTransform biorthogonal = {
    {0.34355020f,  0.34355020f,  0.34355020f,  0.34355020f,  0.34355020f,  0.34355020f,  0.34355020f,  0.34355020f,
     -0.22545482f, -0.46164558f, -0.46164558f, -0.22545482f, 0.22545482f,  0.46164558f,  0.46164558f,  0.22545482f,
     0.56935940f,  0.40234731f,  -0.40234731f, -0.56935940f, -0.08350605f, 0.08350605f,  -0.08350605f, 0.08350605f,
     -0.08350605f, 0.08350605f,  -0.08350605f, 0.08350605f,  0.56935940f,  0.40234731f,  -0.40234731f, -0.56935940f,
     0.70710678f,  -0.70710678f, 0, 0, 0, 0, 0, 0,
     0, 0, 0.70710678f, -0.70710678f, 0, 0, 0, 0,
     0, 0, 0, 0, 0.70710678f, -0.70710678f, 0, 0,
     0, 0, 0, 0, 0, 0, 0.70710678f, -0.70710678f},
    {0.36384784f, -0.36384784f, 0.51455856f,  0, 0.70710678f,  -0.12153398f, 0, 0.12153398f,
     0.36384784f, -0.36384784f, 0.51455856f,  0, -0.70710678f, -0.12153398f, 0, 0.12153398f,
     0.36384784f, -0.36384784f, -0.51455856f, 0, 0.12153398f,  0.70710678f,  -0.12153398f, 0,
     0.36384784f, -0.36384784f, -0.51455856f, 0, 0.12153398f,  -0.70710678f, -0.12153398f, 0,
     0.36384784f, 0.36384784f,  0, 0.51455856f,  0, 0.12153398f,  0.70710678f,  -0.12153398f,
     0.36384784f, 0.36384784f,  0, 0.51455856f,  0, 0.12153398f,  -0.70710678f, -0.12153398f,
     0.36384784f, 0.36384784f,  0, -0.51455856f, -0.12153398f, 0, 0.12153398f,  0.70710678f,
     0.36384784f, 0.36384784f,  0, -0.51455856f, -0.12153398f, 0, 0.12153398f,  -0.70710678f}};

static const BlockTransform cosine = {
    {0.35355339f, 0.35355339f,  0.35355339f,  0.35355339f,  0.35355339f,  0.35355339f,  0.35355339f,  0.35355339f,
     0.49039264f, 0.41573481f,  0.27778512f,  0.09754516f,  -0.09754516f, -0.27778512f, -0.41573481f, -0.49039264f,
     0.46193977f, 0.19134172f,  -0.19134172f, -0.46193977f, -0.46193977f, -0.19134172f, 0.19134172f,  0.46193977f,
     0.41573481f, -0.09754516f, -0.49039264f, -0.27778512f, 0.27778512f,  0.49039264f,  0.09754516f,  -0.41573481f,
     0.35355339f, -0.35355339f, -0.35355339f, 0.35355339f,  0.35355339f,  -0.35355339f, -0.35355339f, 0.35355339f,
     0.27778512f, -0.49039264f, 0.09754516f,  0.41573481f,  -0.41573481f, -0.09754516f, 0.49039264f,  -0.27778512f,
     0.19134172f, -0.46193977f, 0.46193977f,  -0.19134172f, -0.19134172f, 0.46193977f,  -0.46193977f, 0.19134172f,
     0.09754516f, -0.27778512f, 0.41573481f,  -0.49039264f, 0.49039264f,  -0.41573481f, 0.27778512f,  -0.09754516f},
    {0.35355339f, 0.49039264f,  0.46193977f,  0.41573481f,  0.35355339f,  0.27778512f,  0.19134172f,  0.09754516f,
     0.35355339f, 0.41573481f,  0.19134172f,  -0.09754516f, -0.35355339f, -0.49039264f, -0.46193977f, -0.27778512f,
     0.35355339f, 0.27778512f,  -0.19134172f, -0.49039264f, -0.35355339f, 0.09754516f,  0.46193977f,  0.41573481f,
     0.35355339f, 0.09754516f,  -0.46193977f, -0.27778512f, 0.35355339f,  0.41573481f,  -0.19134172f, -0.49039264f,
     0.35355339f, -0.09754516f, -0.46193977f, 0.27778512f,  0.35355339f,  -0.41573481f, -0.19134172f, 0.49039264f,
     0.35355339f, -0.27778512f, -0.19134172f, 0.49039264f,  -0.35355339f, -0.09754516f, 0.46193977f,  -0.41573481f,
     0.35355339f, -0.41573481f, 0.19134172f,  0.09754516f,  -0.35355339f, 0.49039264f,  -0.46193977f, 0.27778512f,
     0.35355339f, -0.49039264f, 0.46193977f,  -0.41573481f, 0.35355339f,  -0.27778512f, 0.19134172f,  -0.09754516f}};

/// The Kaiser window of 8 points with β = 2.
static const float kaiser[blockSide] = {
    0.43867629f, 0.68132426f, 0.87684041f, 0.98582251f, 0.98582251f, 0.87684041f, 0.68132426f, 0.43867629f};

/// Replaces an 8×8 array A by (M·A)ᵀ; twice, by M·A·Mᵀ.
INLINE void turn(const float *matrix, Eight a[blockSide]) {
  Eight b[blockSide], c[blockSide];
  UNROLL for (int i = 0; i < blockSide; i++) {
    Eight sum = matrix[blockSide * i] * a[0];
    UNROLL for (int j = 1; j < blockSide; j++) sum = fma(matrix[blockSide * i + j], a[j], sum);
    b[i] = sum;
  }
  UNROLL for (int i = 0; i < 4; i++) {
    c[2 * i] = __builtin_shufflevector(b[2 * i], b[2 * i + 1], 0, 8, 2, 10, 4, 12, 6, 14);
    c[2 * i + 1] = __builtin_shufflevector(b[2 * i], b[2 * i + 1], 1, 9, 3, 11, 5, 13, 7, 15);
  }
  UNROLL for (int h = 0; h < 8; h += 4) {
    UNROLL for (int i = h; i < h + 2; i++) {
      b[i] = __builtin_shufflevector(c[i], c[i + 2], 0, 1, 8, 9, 4, 5, 12, 13);
      b[i + 2] = __builtin_shufflevector(c[i], c[i + 2], 2, 3, 10, 11, 6, 7, 14, 15);
    }
  }
  UNROLL for (int i = 0; i < 4; i++) {
    a[i] = __builtin_shufflevector(b[i], b[i + 4], 0, 1, 2, 3, 8, 9, 10, 11);
    a[i + 4] = __builtin_shufflevector(b[i], b[i + 4], 4, 5, 6, 7, 12, 13, 14, 15);
  }
}

/// Transforms the blocks of `image` where those of `origin` match, one after the other.
static KERNEL void transformBlocks(
    const BlockTransform &transform, const Matches &matches, int stack, const float *origin,
    const float *image, ptrdiff_t pitch, float *coefficients) {
  for (int k = 0; k < stack; k++) {
    const float *block = image + (matches.places[k] - origin);
    Eight rows[blockSide];
    UNROLL for (int r = 0; r < blockSide; r++) rows[r] = load<8>(block + r * pitch);
    turn(transform.forward, rows);
    turn(transform.forward, rows);
    UNROLL for (int r = 0; r < blockSide; r++)
      store<8>(coefficients + k * blockArea + r * blockSide, rows[r]);
  }
}

/// The Haar transform of `size` values, a power of two: the mean of all comes first.
INLINE void haar(Wide *v, int size) {
  Wide t[Matches::most];
  constexpr float half = 0.70710678f;
  for (int length = size; length > 1; length /= 2) {
    for (int i = 0; i < length / 2; i++) {
      t[i] = (v[2 * i] + v[2 * i + 1]) * half;
      t[length / 2 + i] = (v[2 * i] - v[2 * i + 1]) * half;
    }
    for (int i = 0; i < length; i++) v[i] = t[i];
  }
}

INLINE void inverseHaar(Wide *v, int size) {
  Wide t[Matches::most];
  constexpr float half = 0.70710678f;
  for (int length = 2; length <= size; length *= 2) {
    for (int i = 0; i < length / 2; i++) {
      t[2 * i] = (v[i] + v[length / 2 + i]) * half;
      t[2 * i + 1] = (v[i] - v[length / 2 + i]) * half;
    }
    for (int i = 0; i < length; i++) v[i] = t[i];
  }
}

/// The correlations of noise between overlapping blocks, for each coefficient of a transform.
///
/// White noise of variance 1 in two blocks `d` rows apart has in their i-th rows of coefficients the
/// covariance Σ_t B_i(t)·B_i(t + d): 1 for d = 0 in an orthogonal transform, 0 from 8 on.
struct BlockCorrelation {
  float of[blockSide][blockSide];

  inline __attribute__((always_inline)) BlockCorrelation(const BlockTransform &transform) {
    for (int d = 0; d < blockSide; d++) {
      for (int i = 0; i < blockSide; i++) {
        float sum = 0;
        for (int t = 0; t + d < blockSide; t++)
          sum += transform.forward[blockSide * i + t] * transform.forward[blockSide * i + t + d];
        of[d][i] = sum;
      }
    }
  }

  /// The covariances of the coefficients from `row` · 8 on, in two rows of them.
  inline __attribute__((always_inline)) Wide at(int down, int right, int row) const {
    if (down >= blockSide || right >= blockSide) return Wide{};
    const Eight columns = load<8>(of[right]);
    return besides(columns * of[down][row], columns * of[down][row + 1]);
  }
};

/// The variances of the noise in the coefficients of a stack after the Haar transform, in its order, in
/// units of that of a pixel: blocks that overlap share noise, which their mean keeps.
static KERNEL void stackVariances(
    const BlockCorrelation &correlation, const ptrdiff_t *ys, const ptrdiff_t *xs, int stack, int row,
    Wide *variances) {
  // The covariances of the means of pairs, of which there are half as many at each level.
  Wide means[Matches::most * Matches::most / 4];
  auto between = [&](int k, int l) __attribute__((always_inline)) {
    const ptrdiff_t down = ys[k] - ys[l], right = xs[k] - xs[l];
    return correlation.at((int)(down < 0 ? -down : down), (int)(right < 0 ? -right : right), row);
  };
  if (stack == 1) {
    variances[0] = between(0, 0);
    return;
  }
  int count = stack / 2;
  for (int p = 0; p < count; p++) {
    const Wide own = between(0, 0), shared = between(2 * p, 2 * p + 1);
    variances[count + p] = own - shared;
    means[p * count + p] = own + shared;
    for (int q = 0; q < p; q++)
      means[p * count + q] = means[q * count + p] =
          ((between(2 * p, 2 * q) + between(2 * p, 2 * q + 1))
           + (between(2 * p + 1, 2 * q) + between(2 * p + 1, 2 * q + 1))) * 0.5f;
  }
  for (; count > 1; count /= 2) {
    const int half = count / 2;
    for (int p = 0; p < half; p++) {
      const Wide a = means[2 * p * count + 2 * p], b = means[(2 * p + 1) * count + 2 * p + 1];
      variances[half + p] = (a + b) * 0.5f - means[2 * p * count + 2 * p + 1];
    }
    // Row p of the next level ends before the rows that it is made of begin.
    for (int p = 0; p < half; p++) {
      for (int q = 0; q < half; q++) {
        const Wide *upper = means + 2 * p * count + 2 * q, *lower = upper + count;
        means[p * half + q] = ((upper[0] + upper[1]) + (lower[0] + lower[1])) * 0.5f;
      }
    }
  }
  variances[0] = means[0];
}

/// Filters the coefficients of a stack, by those of the pilot if there is one.
///
/// Returns the variance of the noise that is left, in units of that of a pixel.
static KERNEL float shrink(
    const BlockCorrelation &correlation, const ptrdiff_t *ys, const ptrdiff_t *xs, float deviation,
    int stack, float *coefficients, const float *pilot) {
  Wide left = {};
  for (int c = 0; c < blockArea; c += 16) {
    Wide z[Matches::most], p[Matches::most], variances[Matches::most];
    stackVariances(correlation, ys, xs, stack, c / blockSide, variances);
    for (int k = 0; k < stack; k++) z[k] = load<16>(coefficients + k * blockArea + c);
    haar(z, stack);
    if (pilot != nullptr) {
      for (int k = 0; k < stack; k++) p[k] = load<16>(pilot + k * blockArea + c);
      haar(p, stack);
      for (int k = 0; k < stack; k++) {
        const Wide power = p[k] * p[k], noise = variances[k] * (0.4f * deviation * deviation);
        Wide factor = power / (power + noise);
        if (c == 0 && k == 0) factor[0] = 1;
        z[k] *= factor;
        left = fma(factor * factor, variances[k], left);
      }
    } else {
      for (int k = 0; k < stack; k++) {
        Ints<16> keeps = z[k] * z[k] >= variances[k] * (9.0f * deviation * deviation);
        if (c == 0 && k == 0) keeps[0] = -1;
        z[k] = keeps ? z[k] : Wide{};
        left += keeps ? variances[k] : Wide{};
      }
    }
    inverseHaar(z, stack);
    for (int k = 0; k < stack; k++) store<16>(coefficients + k * blockArea + c, z[k]);
  }
  float sum = 0;
  UNROLL for (int i = 0; i < 16; i++) sum += left[i];
  return sum;
}

/// Filters the stacks of some rows of the grid; adds the blocks, times their weights, to `sums` and the
/// weights to `weights`, whose first row is `CK_BLOCK_SEARCH` above the first block.
static KERNEL void filterBlocks(
    const ck_block_matching *m, ptrdiff_t chunk, float *sums, float *weights) {
  const ptrdiff_t pitch = m->pitch, lastRow = m->height - blockSide, lastColumn = m->width - blockSide;
  const bool isSecond = m->pilot != nullptr;
  const float *guide = isSecond ? m->pilot : m->noisy;
  const BlockTransform &transform = isSecond ? cosine : biorthogonal;
  const ptrdiff_t first = chunk * CK_BLOCK_ROWS * CK_BLOCK_STEP;
  const ptrdiff_t origin = least(first, lastRow) - searchRadius;
  float coefficients[Matches::most * blockArea], pilot[Matches::most * blockArea];
  Matches matches;
  ptrdiff_t ys[Matches::most], xs[Matches::most];
  const BlockCorrelation correlation(transform);
  for (ptrdiff_t row = 0; row < CK_BLOCK_ROWS; row++) {
    const ptrdiff_t y = least(first + row * CK_BLOCK_STEP, lastRow);
    if (row > 0 && first + (row - 1) * CK_BLOCK_STEP >= lastRow) return;
    for (ptrdiff_t next = 0;; next += CK_BLOCK_STEP) {
      const ptrdiff_t x = least(next, lastColumn);
      findMatches(m, guide, y, x, isSecond ? 32 : 16, matches);
      const int stack = matches.stack();
      transformBlocks(transform, matches, stack, guide, m->noisy, pitch, coefficients);
      if (isSecond) transformBlocks(transform, matches, stack, guide, m->pilot, pitch, pilot);
      for (int k = 0; k < stack; k++) {
        ys[k] = (matches.places[k] - guide) / pitch;
        xs[k] = (matches.places[k] - guide) % pitch;
      }
      const float left = shrink(
          correlation, ys, xs, m->deviation, stack, coefficients, isSecond ? pilot : nullptr);
      const float weight = (float)stack / (left > 1e-3f ? left : 1e-3f);
      for (int k = 0; k < stack; k++) {
        const ptrdiff_t place = matches.places[k] - guide - origin * pitch;
        Eight rows[blockSide];
        UNROLL for (int r = 0; r < blockSide; r++)
          rows[r] = load<8>(coefficients + k * blockArea + r * blockSide);
        turn(transform.inverse, rows);
        turn(transform.inverse, rows);
        const Eight window = load<8>(kaiser) * weight;
        UNROLL for (int r = 0; r < blockSide; r++) {
          const Eight factors = window * kaiser[r];
          float *sum = sums + place + r * pitch, *total = weights + place + r * pitch;
          store<8>(sum, fma(factors, rows[r], load<8>(sum)));
          store<8>(total, load<8>(total) + factors);
        }
      }
      if (next >= lastColumn) break;
    }
  }
}

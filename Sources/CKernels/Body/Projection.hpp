// Line integrals through an image, the weighted sum back over views, and the adjoint of each.
//
// A map's rows begin with one column of zeros and end with two, so that a place between two columns
// that lies outside is clamped to zeros and needs no branch. Each sum has one order, whatever LANES is.

/// p[i] for each lane.
template <int L> INLINE Floats<L> gathered(const float *p, Ints<L> i) {
#if GATHERS
  if constexpr (L == 16)
    return (Floats<L>)_mm512_i32gather_ps((__m512i)i, p, 4);
  else
    return (Floats<L>)_mm256_i32gather_ps(p, (__m256i)i, 4);
#else
  Floats<L> v = {};
  for (int lane = 0; lane < L; lane++) v[lane] = p[i[lane]];
  return v;
#endif
}

template <int L> INLINE bool any(Ints<L> comparison) {
  return __builtin_reduce_or(comparison) != 0;
}

/// A place between two columns: the left one, and the share of the right one.
template <int L> struct Between {
  Ints<L> left;
  Floats<L> share;

  /// `x` within −1…columns; outside of it all is zero.
  inline __attribute__((always_inline)) Between(Floats<L> x, float columns) {
    // So that a NaN becomes a place, too.
    x = (x > splat<L>(-1)) ? x : splat<L>(-1);
    x = (x < splat<L>(columns)) ? x : splat<L>(columns);
    const Floats<L> whole = __builtin_elementwise_floor(x);
    left = __builtin_convertvector(whole, Ints<L>);
    share = x - whole;
  }

  /// The values there; `isOrdered` tells that places increase, or decrease, from lane to lane.
  inline __attribute__((always_inline)) Floats<L> read(const float *row, bool isOrdered) const {
    Floats<L> a, b;
#if LANES == 16
    // Neighboring places mostly lie within 32 columns, which two loads bring.
    const int32_t one = left[0], other = left[L - 1];
    const int32_t first = one < other ? one : other, last = one < other ? other : one;
    if (isOrdered && last - first <= 30) {
      const Floats<L> low = load<L>(row + first), high = load<L>(row + first + L);
      const __m512i place = (__m512i)(left - first);
      a = (Floats<L>)_mm512_permutex2var_ps((__m512)low, place, (__m512)high);
      b = (Floats<L>)_mm512_permutex2var_ps(
          (__m512)low, (__m512i)((Ints<L>)place + 1), (__m512)high);
      return fma(share, b - a, a);
    }
#endif
    a = gathered<L>(row, left);
    b = gathered<L>(row + 1, left);
    return fma(share, b - a, a);
  }

  /// Adds what `read` multiplied to the places that it read, of a row and three copies `copy` floats
  /// apart: neighbors add to different ones, so that none waits for the one before.
  inline __attribute__((always_inline)) void add(
      Floats<L> value, float *row, ptrdiff_t copy, ptrdiff_t count) const {
    typedef float Two __attribute__((vector_size(8), aligned(4), may_alias));
    const Floats<L> right = value * share, rest = value - right;
    int32_t places[L];
    float lefts[L], rights[L];
    memcpy(places, &left, sizeof places);
    memcpy(lefts, &rest, sizeof lefts);
    memcpy(rights, &right, sizeof rights);
    if (count >= L) {
      UNROLL for (int lane = 0; lane < L; lane++)
        *(Two *)(row + (lane & 3) * copy + places[lane]) += Two{lefts[lane], rights[lane]};
    } else {
      for (ptrdiff_t lane = 0; lane < count; lane++)
        *(Two *)(row + (lane & 3) * copy + places[lane]) += Two{lefts[lane], rights[lane]};
    }
  }
};

/// The rows that a ray crosses within the columns −1…columns, with a row to spare.
INLINE void crossedRows(
    float start, float slope, float columns, ptrdiff_t rows, ptrdiff_t *first, ptrdiff_t *last) {
  float from = 0, to = (float)rows;
  if (slope > 1e-6f || slope < -1e-6f) {
    const float a = (-1 - start) / slope, b = (columns - start) / slope;
    const float low = (a < b ? a : b) - 1, high = (a < b ? b : a) + 2;
    from = low > from ? low : from;
    to = high < to ? high : to;
  }
  if (to > from) {
    *first = least(*first, (ptrdiff_t)from);
    *last = most(*last, (ptrdiff_t)to);
  }
}

static KERNEL void project(const ck_rays *rays, const ck_plane *image, float *sums) {
  const float columns = (float)image->columns;
  for (ptrdiff_t i = 0; i < rays->count; i += LANES) {
    const ptrdiff_t left = rays->count - i;
    const Floats<LANES> start = loadUpTo(rays->start + i, left);
    const Floats<LANES> slope = loadUpTo(rays->slope + i, left);
    ptrdiff_t first = image->rows, last = 0;
    for (ptrdiff_t lane = 0; lane < least(left, LANES); lane++)
      crossedRows(start[lane], slope[lane], columns, image->rows, &first, &last);
    Floats<LANES> even = {}, odd = {};
    // Two sums, so that additions need not wait for each other; behind the last row is one of zeros.
    for (ptrdiff_t r = first & ~(ptrdiff_t)1; r < last; r += 2) {
      const float *row = image->values + r * image->stride + 1;
      const Between<LANES> a(fma((float)r, slope, start), columns);
      const Between<LANES> b(fma((float)(r + 1), slope, start), columns);
      even += a.read(row, left >= LANES);
      odd += b.read(row + image->stride, left >= LANES);
    }
    storeUpTo(sums + i, (even + odd) * loadUpTo(rays->length + i, left), left);
  }
}

static KERNEL void unproject(
    const ck_rays *rays, const float *sums, const ck_plane *image, ptrdiff_t first, ptrdiff_t last,
    float *copies) {
  const float columns = (float)image->columns;
  const ptrdiff_t copy = CK_ROWS_OF_COPIES * image->stride;
  for (ptrdiff_t r = first; r < last; r++) {
    float *row = copies + (r - first) * image->stride + 1;
    for (ptrdiff_t i = 0; i < rays->count; i += LANES) {
      const ptrdiff_t left = rays->count - i;
      const Floats<LANES> start = loadUpTo(rays->start + i, left);
      const Floats<LANES> x = fma((float)r, loadUpTo(rays->slope + i, left), start);
      if (!any<LANES>((x > splat<LANES>(-1)) & (x < splat<LANES>(columns)))) continue;
      const Floats<LANES> value = loadUpTo(sums + i, left) * loadUpTo(rays->length + i, left);
      Between<LANES>(x, columns).add(value, row, copy, least(left, LANES));
    }
  }
}

static KERNEL void sumFour(const float *copies, ptrdiff_t copy, float *sums, ptrdiff_t count) {
  for (ptrdiff_t i = 0; i < count; i += LANES) {
    const float *p = copies + i;
    const Floats<LANES> a = loadUpTo(p, count - i) + loadUpTo(p + copy, count - i);
    const Floats<LANES> b = loadUpTo(p + 2 * copy, count - i) + loadUpTo(p + 3 * copy, count - i);
    storeUpTo(sums + i, a + b, count - i);
  }
}

// MARK: - Weighted back-projection

/// The place at the detector, and the weight, of neighboring pixels in one view.
template <int beam, int L> struct Seen {
  Floats<L> place, weight;

  inline __attribute__((always_inline)) Seen(
      const ck_scan *scan, const ck_view *view, Floats<L> x, float y) {
    const Floats<L> across =
        fma(view->across[1], x, splat<L>(view->across[0] + view->across[2] * y));
    const Floats<L> along = fma(view->along[1], x, splat<L>(view->along[0] + view->along[2] * y));
    if constexpr (beam == ck_parallel) {
      place = fma(scan->scale, across, splat<L>(scan->center));
      weight = splat<L>(scan->weight);
    } else if constexpr (beam == ck_flat) {
      const Floats<L> inverse = 1.0f / along;
      place = fma(scan->scale, across * inverse, splat<L>(scan->center));
      weight = inverse * inverse * scan->weight;
    } else {
      // One division for both: 1/(along·(across² + along²)).
      const Floats<L> square = fma(across, across, along * along);
      const Floats<L> inverse = 1.0f / (along * square);
      const Floats<L> tangent = across * square * inverse;
      place = fma(scan->scale, arctangentBelowOne(tangent), splat<L>(scan->center));
      weight = along * inverse * scan->weight;
    }
  }

  /// arctan t for |t| ≤ 1, within 10⁻⁷: a polynomial of degree 17, fitted to the least maximal error.
  static inline __attribute__((always_inline)) Floats<L> arctangentBelowOne(Floats<L> t) {
    const Floats<L> s = t * t;
    Floats<L> p = fma(0.0026222428f, s, splat<L>(-0.015132529f));
    p = fma(p, s, splat<L>(0.041121848f));
    p = fma(p, s, splat<L>(-0.073667049f));
    p = fma(p, s, splat<L>(0.10573932f));
    p = fma(p, s, splat<L>(-0.14185975f));
    p = fma(p, s, splat<L>(0.19990396f));
    p = fma(p, s, splat<L>(-0.33332986f));
    return fma(p * s, t, t);
  }
};

/// The column numbers of the lanes from `x`.
INLINE Floats<LANES> columnsFrom(ptrdiff_t x) {
  Floats<LANES> columns;
  UNROLL for (int lane = 0; lane < LANES; lane++) columns[lane] = (float)lane;
  return columns + (float)x;
}

template <int beam>
static KERNEL void backProjectAll(
    const ck_scan *scan, const float *sinogram, const ck_area *area, float *image) {
  const float elements = (float)scan->elements;
  for (ptrdiff_t v = 0; v < scan->views; v++) {
    const float *row = sinogram + v * scan->stride + 1;
    for (ptrdiff_t y = area->first; y < area->last; y++) {
      const ptrdiff_t end = area->columns[2 * y + 1];
      for (ptrdiff_t x = area->columns[2 * y]; x < end; x += LANES) {
        const Seen<beam, LANES> seen(scan, scan->view + v, columnsFrom(x), (float)y);
        float *pixels = image + y * area->width + x;
        const Floats<LANES> value = Between<LANES>(seen.place, elements).read(row, end - x >= LANES);
        storeUpTo(pixels, fma(seen.weight, value, loadUpTo(pixels, end - x)), end - x);
      }
    }
  }
}

template <int beam>
static KERNEL void scatterAll(
    const ck_scan *scan, const float *image, const ck_area *area, float *copies) {
  const float elements = (float)scan->elements;
  const ptrdiff_t copy = scan->views * scan->stride;
  for (ptrdiff_t v = 0; v < scan->views; v++) {
    float *row = copies + v * scan->stride + 1;
    for (ptrdiff_t y = area->first; y < area->last; y++) {
      const ptrdiff_t end = area->columns[2 * y + 1];
      for (ptrdiff_t x = area->columns[2 * y]; x < end; x += LANES) {
        const Seen<beam, LANES> seen(scan, scan->view + v, columnsFrom(x), (float)y);
        const Floats<LANES> value = loadUpTo(image + y * area->width + x, end - x) * seen.weight;
        Between<LANES>(seen.place, elements).add(value, row, copy, least(end - x, LANES));
      }
    }
  }
}

static KERNEL void backProject(
    const ck_scan *scan, const float *sinogram, const ck_area *area, float *image) {
  switch (scan->beam) {
    case ck_parallel: return backProjectAll<ck_parallel>(scan, sinogram, area, image);
    case ck_flat: return backProjectAll<ck_flat>(scan, sinogram, area, image);
    case ck_arc: return backProjectAll<ck_arc>(scan, sinogram, area, image);
  }
}

static KERNEL void scatter(
    const ck_scan *scan, const float *image, const ck_area *area, float *copies) {
  switch (scan->beam) {
    case ck_parallel: return scatterAll<ck_parallel>(scan, image, area, copies);
    case ck_flat: return scatterAll<ck_flat>(scan, image, area, copies);
    case ck_arc: return scatterAll<ck_arc>(scan, image, area, copies);
  }
}

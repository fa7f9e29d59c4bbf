// Pieces of 6×6 pixels on their way to the products.

/// The transform of one 6×6 piece, for as many channels as `pixels` has lanes; returns the sum of its
/// tile, column by column, where it is wanted.
template <bool sums, class Source>
INLINE Floats<Source::lanes> transformPiece(
    const Source &pixels, float *transformed, ptrdiff_t stride) {
  constexpr int L = Source::lanes;
  Floats<L> sum = {};
  alignas(64) float memory[6 * 6 * L];
  float *half = kept(memory);
  auto column = pixels.firstColumn();
  UNROLL_WIDE for (int j = 0; j < 6; j++, pixels.advance(column)) {
    Floats<L> x[6], r[6];
    UNROLL for (int i = 0; i < 6; i++) x[i] = pixels.at(column, i);
    if constexpr (sums)
      if (j > 0 && j < 5) UNROLL for (int i = 1; i < 5; i++) sum = sum + x[i];
    transformInput(x, r);
    UNROLL for (int i = 0; i < 6; i++) store<L>(half + (i * 6 + j) * L, r[i]);
  }
  UNROLL_WIDE for (int i = 0; i < 6; i++) {
    Floats<L> x[6], r[6];
    UNROLL for (int j = 0; j < 6; j++) x[j] = load<L>(half + (i * 6 + j) * L);
    transformInput(x, r);
    float *target = kept(transformed + i * 6 * stride);
    UNROLL for (int j = 0; j < 6; j++) store<L>(target + j * stride, r[j]);
  }
  return sum;
}

/// Adds the sum of the pixels of a tile to those of their channels; of a pair, one after the other.
template <class Source>
INLINE void addSum(const Source &, Floats<Source::lanes> sum, float *sums) {
  if constexpr (Source::isPair)
    store<8>(sums, load<8>(sums) + lower(sum) + upper(sum));
  else
    store<Source::lanes>(sums, load<Source::lanes>(sums) + sum);
}

#if LANES == 8

/// Pieces side by side that are transformed together.
constexpr ptrdiff_t piecesInRow = 8;

/// Transforms `count` pieces of eight channels side by side, whose tiles lie `toNext` floats apart; hands
/// on the sum of each tile, column by column, where it is wanted.
///
/// Half of the transform goes through memory; so neighbors share the two columns they have in common.
template <bool isMasked, bool sums>
INLINE void transformRow(
    const Map &map, const Piece &piece, ptrdiff_t count, float *transformed, ptrdiff_t toNext,
    ptrdiff_t stride, float *tileSums) {
  constexpr ptrdiff_t column = 6 * 8;
  alignas(64) float memory[(4 * piecesInRow + 2) * column];
  const RimPixels<8, isMasked> pixels(map, piece, 0, {map.width * map.pixel, map.pixel});
  Floats<8> sum = {};
  float *half = kept(memory);
  auto place = pixels.firstColumn();
  ROLLED for (ptrdiff_t j = 0; j < 4 * count + 2; j++, pixels.advance(place)) {
    Floats<8> x[6], r[6];
    if (pixels.isInside(place, 6))
      UNROLL for (int i = 0; i < 6; i++) x[i] = pixels.pixels.at(place.inside, i);
    else
      UNROLL for (int i = 0; i < 6; i++) x[i] = pixels.at(place, i);
    if constexpr (sums) {
      if (j > 0) UNROLL for (int i = 1; i < 5; i++) sum = sum + x[i];
      if (j > 0 && j % 4 == 0) {
        store<8>(tileSums, sum);
        tileSums += toNext;
        sum = Floats<8>{};
      }
    }
    transformInput(x, r);
    UNROLL for (int i = 0; i < 6; i++) store<8>(half + i * 8, r[i]);
    half = kept(half + column);
  }
  half = kept(memory);
  for (ptrdiff_t k = 0; k < count; k++, half += 4 * column, transformed += toNext) {
    const float *source = kept(half);
    float *target = kept(transformed);
    ROLLED for (int i = 0; i < 6; i++) {
      Floats<8> x[6], r[6];
      UNROLL for (int j = 0; j < 6; j++) x[j] = load<8>(source + j * column);
      transformInput(x, r);
      UNROLL for (int j = 0; j < 6; j++) store<8>(target + j * stride, r[j]);
      source = kept(source + 8);
      target = kept(target + 6 * stride);
    }
  }
}

/// What ``transformPieces`` does with eight channels: row by row, as far as whole columns of tiles reach.
template <bool isMasked, bool sums>
INLINE void transformRows(
    const Map &map, TileCursor cursor, int count, float *transformed, ptrdiff_t stride,
    float *valueSums) {
  float tileSums[CK_TILES_PER_CHUNK * 8];
  for (int t = 0; t < count;) {
    const ptrdiff_t down = cursor.bandEnd - cursor.bandTop;
    const bool isWhole = cursor.y == cursor.bandTop && count - t >= down;
    const ptrdiff_t rows = isWhole ? down : least(count - t, cursor.bandEnd - cursor.y);
    const ptrdiff_t across =
        isWhole ? least(least(piecesInRow, (count - t) / down), cursor.across - cursor.x) : 1;
    Piece piece(cursor, map.height, map.width, map.pixel);
    for (ptrdiff_t first = t * 8; first < (t + rows) * 8; first += 8, piece.goDown())
      transformRow<isMasked, sums>(
          map, piece, across, transformed + first, rows * 8, stride, tileSums + first);
    for (ptrdiff_t k = 0; k < across; k++) t += cursor.takeColumn((int)rows);
  }
  if constexpr (sums)
    for (int t = 0; t < count; t++)
      store<8>(valueSums, load<8>(valueSums) + load<8>(tileSums + t * 8));
}

#endif

/// Transforms the pieces around `count` tiles from `cursor` to [36][tile][channels], and adds the
/// values of the tiles to `valueSums`, one a channel, where they are wanted.
template <bool isMasked, bool sums>
static KERNEL void transformPieces(
    const Map &map, TileCursor cursor, int count, float *transformed, ptrdiff_t stride,
    float *valueSums) {
#if LANES == 8
  if (map.channels == 8)
    return transformRows<isMasked, sums>(map, cursor, count, transformed, stride, valueSums);
#endif
  eachArea<Piece, isMasked>(
      map, cursor, count,
      [&](const auto &pixels, int t, ptrdiff_t c) __attribute__((always_inline)) {
        const auto sum = transformPiece<sums>(
            pixels, transformed + t * map.channels + c, stride);
        if constexpr (sums) addSum(pixels, sum, valueSums + c);
      });
}

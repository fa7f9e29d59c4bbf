// Tiles of 4×4 pixels and the pieces of 6×6 around them, for the passes of a 3×3 convolution over
// interleaved maps by Winograd's F(4×4, 3×3): how they are cut into blocks, walked and read.
//
// A block of tiles is transformed to [36][tile][C], multiplied with the kernel at each of the 36 places
// and transformed back. The 16 floats between places keep 36 rows that lie a power of two apart from
// meeting in the same lines of the cache.

/// How a chunk is cut into blocks, so that both transformed blocks fit the second-level cache.
INLINE int tilesPerBlock(ptrdiff_t channels) {
  return channels <= 32 ? 48 : channels <= 64 ? 24 : 36;
}
/// The floats from one of the 36 places to the next.
INLINE ptrdiff_t placeStride(int tiles, ptrdiff_t channels) { return tiles * channels + 16; }

/// The floats of a block and of its products.
INLINE ptrdiff_t blocksSize(ptrdiff_t inputs, ptrdiff_t outputs) {
  const int block = tilesPerBlock(most(inputs, outputs));
  return CK_WINOGRAD_POINTS * (placeStride(block, inputs) + placeStride(block, outputs));
}

/// The floats of a patch of 4×4 pixels, of the bias of four, and of one value a channel. Whole cache
/// lines.
INLINE ptrdiff_t patchSize(ptrdiff_t channels) { return roundedUp((16 + 4 + 1) * channels, 16); }

/// Tiles one below the other that are worked off together: neighbors share two rows of pixels, which
/// are still in the cache then.
constexpr ptrdiff_t bandHeight = 6;

/// Places in a map of tiles, walked in bands: down the columns of a band, then on to the right.
struct TileCursor {
  ptrdiff_t across, down, bandTop, bandEnd, x, y, image;

  inline __attribute__((always_inline)) TileCursor(
      ptrdiff_t height, ptrdiff_t width, ptrdiff_t tile) {
    across = (width + 3) / 4;
    down = (height + 3) / 4;
    image = tile / (across * down);
    const ptrdiff_t rest = tile % (across * down);
    bandTop = rest / (across * bandHeight) * bandHeight;
    bandEnd = least(down, bandTop + bandHeight);
    const ptrdiff_t inBand = rest - bandTop * across;
    x = inBand / (bandEnd - bandTop);
    y = bandTop + inBand % (bandEnd - bandTop);
  }
  /// Goes past the tiles of the column from here on, `count` at most; returns how many.
  inline __attribute__((always_inline)) int takeColumn(int count) {
    const int taken = (int)least(count, bandEnd - y);
    y += taken;
    if (y < bandEnd) return taken;
    if (++x == across) {
      x = 0;
      bandTop = bandEnd < down ? bandEnd : 0;
      bandEnd = least(down, bandTop + bandHeight);
      if (bandTop == 0) image++;
    }
    y = bandTop;
    return taken;
  }
};

/// How far apart the values of a map lie that a transform reads or writes, and their bits in a mask.
struct Spacing {
  ptrdiff_t row, pixel;
};

/// L channels of the pixels from one on, through the mask where there is one.
template <int L, bool isMasked> struct Pixels {
  static constexpr int lanes = L;
  static constexpr bool isPair = false;
  const float *map;
  const uint8_t *mask;
  Spacing spacing;

  inline __attribute__((always_inline)) Pixels(
      const float *map, const uint8_t *mask, ptrdiff_t first, Spacing spacing)
      : map(map + first), mask(isMasked ? mask + (first >> 3) : nullptr), spacing(spacing) {}

  /// The pixels of a column, from the first row on.
  struct Column {
    const float *map;
    const uint8_t *mask;
  };

  inline __attribute__((always_inline)) Column firstColumn() const { return {kept(map), mask}; }
  inline __attribute__((always_inline)) void advance(Column &column) const {
    column.map = kept(column.map + spacing.pixel);
    if constexpr (isMasked) column.mask = kept(column.mask + (spacing.pixel >> 3));
  }
  inline __attribute__((always_inline)) Floats<L> at(const Column &column, int i) const {
    const Floats<L> v = load<L>(column.map + i * spacing.row);
    if constexpr (isMasked) return masked<L>(v, column.mask + i * (spacing.row >> 3));
    return v;
  }
};

/// The eight channels of two pixels, which fill a vector of 16.
template <bool isMasked> struct PixelPairs {
  static constexpr int lanes = 16;
  static constexpr bool isPair = true;
  const Pixels<8, isMasked> first, second;

  struct Column {
    typename Pixels<8, isMasked>::Column first, second;
  };

  inline __attribute__((always_inline)) Column firstColumn() const {
    return {first.firstColumn(), second.firstColumn()};
  }
  inline __attribute__((always_inline)) void advance(Column &column) const {
    first.advance(column.first);
    second.advance(column.second);
  }
  inline __attribute__((always_inline)) Wide at(const Column &column, int i) const {
    return besides(first.at(column.first, i), second.at(column.second, i));
  }
};

/// Whether tiles of maps with so many channels are worked off in pairs.
INLINE bool goesInPairs(ptrdiff_t channels) { return LANES == 16 && channels == 8; }

/// Where the square of a tile's 4×4 pixels and of a margin around them begins.
template <int margin> struct Square {
  static constexpr int side = 4 + 2 * margin;
  const ptrdiff_t height, toNext;
  ptrdiff_t y, x, image, start;
  bool isAcross;

  inline __attribute__((always_inline)) Square(
      const TileCursor &cursor, ptrdiff_t height, ptrdiff_t width, ptrdiff_t pixel)
      : height(height), toNext(4 * width * pixel), y(cursor.y * 4 - margin),
        x(cursor.x * 4 - margin), image(cursor.image * height * width * pixel),
        start(image + (y * width + x) * pixel), isAcross(x >= 0 && x + side <= width) {}

  inline __attribute__((always_inline)) bool isInside() const {
    return isAcross && y >= 0 && y + side <= height;
  }
  /// On to the tile below.
  inline __attribute__((always_inline)) void goDown() {
    y += 4;
    start += toNext;
  }
};
using Tile = Square<0>;
using Piece = Square<1>;

/// A map to read tiles or pieces from, or some channels of it; pixels lie `pixel` floats apart.
struct Map {
  const float *values;
  const uint8_t *mask;
  ptrdiff_t height, width, channels, pixel;
};

/// L channels, from one on, of the pixels of a square that reaches beyond the image; 0 there.
template <int L, bool isMasked> struct RimPixels {
  static constexpr int lanes = L;
  static constexpr bool isPair = false;
  const Pixels<L, isMasked> pixels;
  /// The rows and columns that lie in the image.
  ptrdiff_t top, bottom, left, right;

  template <int margin>
  inline __attribute__((always_inline)) RimPixels(
      const Map &map, const Square<margin> &square, ptrdiff_t channel, Spacing spacing)
      : pixels(map.values, map.mask, square.start + channel, spacing), top(-square.y),
        bottom(map.height - square.y), left(-square.x), right(map.width - square.x) {}

  struct Column {
    typename Pixels<L, isMasked>::Column inside;
    ptrdiff_t x;
  };

  inline __attribute__((always_inline)) Column firstColumn() const {
    return {pixels.firstColumn(), 0};
  }
  inline __attribute__((always_inline)) void advance(Column &column) const {
    pixels.advance(column.inside);
    column.x++;
  }
  /// Whether `rows` pixels of a column lie in the image, from the first on.
  inline __attribute__((always_inline)) bool isInside(const Column &column, int rows) const {
    return column.x >= left && column.x < right && top <= 0 && bottom >= rows;
  }
  inline __attribute__((always_inline)) Floats<L> at(const Column &column, int i) const {
    if (column.x < left || column.x >= right || i < top || i >= bottom) return {};
    return pixels.at(column.inside, i);
  }
};

/// Hands the pixels of `count` tiles, or of the pieces around them, to `body(pixels, t, c)`: those of
/// tile t from channel c on, as many as `pixels` has lanes; what lies outside the image is 0.
template <class Area, bool isMasked, class Body>
INLINE void eachArea(const Map &map, TileCursor cursor, int count, const Body &body) {
  const ptrdiff_t channels = map.channels;
  const Spacing spacing = {map.width * map.pixel, map.pixel};
  for (int t = 0; t < count;) {
    Area area(cursor, map.height, map.width, map.pixel);
    for (const int end = t + cursor.takeColumn(count - t); t < end; t++, area.goDown()) {
      if constexpr (LANES == 16) {
        if (goesInPairs(channels) && area.isInside() && t + 1 < end) {
          Area second = area;
          second.goDown();
          if (second.isInside()) {
            body(
                PixelPairs<isMasked>{
                    {map.values, map.mask, area.start, spacing},
                    {map.values, map.mask, second.start, spacing}},
                t, 0);
            t++;
            area.goDown();
            continue;
          }
        }
      }
      if (area.isInside()) {
        EACH_LANES(
            c, channels,
            body(Pixels<L, isMasked>(map.values, map.mask, area.start + c, spacing), t, c));
      } else {
        EACH_LANES(c, channels, body(RimPixels<L, isMasked>(map, area, c, spacing), t, c));
      }
    }
  }
}

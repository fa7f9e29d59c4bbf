// Tiles that are fetched ahead: into the second-level cache, while the processor multiplies.
//
// Maps are read piece by piece from many rows, which the processor does not foresee.

/// Values of one map in the tiles tile..<last; those of one pixel have so many bytes.
struct TileValues {
  const void *map;
  ptrdiff_t bytes, height, width;
  ptrdiff_t tile, last;
};

/// Lines of the cache that are fetched in some steps.
///
/// What the processor is asked for while it waits for many lines already, it drops; so a few are fetched
/// at a time. They stand in a list: to find them on the way would keep the products waiting.
struct FetchPlan {
  /// Two lines side by side need one entry, except where steps are so short that two at once are many.
  const ptrdiff_t linesOfEntry;
  const char **next, **last;
  ptrdiff_t entriesOfStep = 1;

  inline __attribute__((always_inline)) FetchPlan(
      const char **list, ptrdiff_t inputs, ptrdiff_t outputs)
      : linesOfEntry(inputs == 8 && outputs == 8 ? 1 : 2), next(list), last(list) {}

  /// Spreads the list over so many steps.
  inline __attribute__((always_inline)) void share(ptrdiff_t steps) {
    entriesOfStep = roundedUp(last - next, steps) / steps;
  }
  /// A step; `lines` is what an entry stands for.
  template <int lines> inline __attribute__((always_inline)) void advance() {
    const char **const end = next + least(entriesOfStep, last - next);
    ROLLED for (; next < end; next++)
      UNROLL for (int i = 0; i < lines; i++) __builtin_prefetch(*next + i * 64, 0, 2);
  }
};

/// Lists lines band by band, in each the rows of whole columns of tiles.
static KERNEL void addLines(FetchPlan &plan, const TileValues &values) {
  if (!values.map) return;
  const ptrdiff_t entry = plan.linesOfEntry * 64, rowBytes = values.width * values.bytes;
  typedef intptr_t Addresses __attribute__((vector_size(4 * sizeof(intptr_t))));
  const Addresses ahead = {0, entry, 2 * entry, 3 * entry};
  for (ptrdiff_t tile = values.tile; tile < values.last;) {
    const TileCursor cursor(values.height, values.width, tile);
    const ptrdiff_t down = cursor.bandEnd - cursor.bandTop;
    const ptrdiff_t top = tile - (cursor.y - cursor.bandTop);
    const ptrdiff_t columns =
        least(cursor.across - cursor.x, roundedUp(values.last - top, down) / down);
    const ptrdiff_t y = cursor.bandTop * 4, x = cursor.x * 4;
    const ptrdiff_t bytes = least(columns * 4, values.width - x) * values.bytes;
    const ptrdiff_t entries = roundedUp(bytes, entry) / entry;
    const char *row = (const char *)values.map + (cursor.image * values.height + y) * rowBytes
        + x * values.bytes;
    const char **next = plan.last;
    for (ptrdiff_t i = least(down * 4, values.height - y); i > 0; i--, row += rowBytes) {
      // By fours; those beyond the row are written over.
      Addresses four = (intptr_t)row + ahead;
      ROLLED for (ptrdiff_t k = 0; k < entries; k += 4, four += entry * 4)
        memcpy(next + k, &four, sizeof four);
      next += entries;
    }
    plan.last = next;
    tile = top + columns * down;
  }
}

/// The most entries that the values of a map take for a block: the rest of the first and of the last
/// column goes along, and three are written beyond.
INLINE ptrdiff_t mostEntries(ptrdiff_t bytes, int block) {
  return (block + 2 * bandHeight) * 4 * (roundedUp(4 * bytes, 64) / 64) + 3;
}

/// The list lies behind the blocks.
INLINE const char **fetchList(float *scratch, ptrdiff_t inputs, ptrdiff_t outputs) {
  return (const char **)(scratch + patchSize(most(inputs, outputs)) + blocksSize(inputs, outputs));
}

/// The floats of scratch memory that a pass needs: a patch of pixels, blocks, and a list for two maps
/// and a mask. With the patch behind the blocks, outputs took a tenth longer.
static KERNEL ptrdiff_t winogradScratch(ptrdiff_t inputs, ptrdiff_t outputs) {
  const ptrdiff_t channels = most(inputs, outputs);
  const int block = tilesPerBlock(channels);
  const ptrdiff_t entries = 2 * mostEntries(channels * 4, block) + mostEntries(channels / 8, block);
  return patchSize(channels) + blocksSize(inputs, outputs)
      + entries * (ptrdiff_t)(sizeof(const char *) / sizeof(float));
}

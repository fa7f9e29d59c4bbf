// The way back through the largest number of a window, in interleaved maps.

static KERNEL void unpoolMax(const ck_unpooling *a) {
  for (ptrdiff_t column = 0; column < a->windows; column++) {
    const ptrdiff_t window = column * a->size * a->channels;
    EACH_LANES(c, a->channels, {
      Floats<L> best = load<L>(a->values + window + c);
      Ints<L> place = {};
      int32_t number = 0;
      for (ptrdiff_t y = 0; y < a->size; y++) {
        const float *row = a->values + window + y * a->row + c;
        for (ptrdiff_t x = 0; x < a->size; x++, number++) {
          const Floats<L> value = load<L>(row + x * a->channels);
          const Ints<L> isLarger = (value > best) | (value != value);
          best = isLarger ? value : best;
          place = isLarger ? number - Ints<L>{} : place;
        }
      }
      const Floats<L> gradient = load<L>(a->gradients + column * a->channels + c);
      number = 0;
      for (ptrdiff_t y = 0; y < a->size; y++) {
        float *row = a->results + window + y * a->row + c;
        for (ptrdiff_t x = 0; x < a->size; x++, number++) {
          const Ints<L> isLargest = place == number - Ints<L>{};
          store<L>(row + x * a->channels, isLargest ? gradient : Floats<L>{});
        }
      }
    });
  }
}

// Kernels on their way to Winograd's points, and their gradients on the way back.

/// The nine weights that lead from channel `input` to outputs first..<first+8, 0 where there are none;
/// `turned` as in the header.
INLINE void gatherWeights(
    const float *weights, ptrdiff_t kernels, ptrdiff_t channels, bool turned, ptrdiff_t input,
    ptrdiff_t first, Floats<8> w[3][3]) {
  // Turned, kernels are read and channels written.
  const ptrdiff_t distance = turned ? 9 : channels * 9;
  const float *start = weights + input * (turned ? channels * 9 : 9) + first * distance;
  const bool isRead = input < (turned ? kernels : channels);
  const ptrdiff_t written = isRead ? (turned ? channels : kernels) - first : 0;
  const auto gather = [&](ptrdiff_t lanes) __attribute__((always_inline)) {
    UNROLL for (int k = 0; k < 9; k++) {
      Floats<8> values = {};
      UNROLL for (int lane = 0; lane < 8; lane++)
        if (lane < lanes) values[lane] = start[lane * distance + (turned ? 8 - k : k)];
      w[k / 3][k % 3] = values;
    }
  };
  if (written >= 8)
    gather(8);
  else
    gather(written);
}

static KERNEL void winogradKernel(
    const float *weights, ptrdiff_t kernels, ptrdiff_t channels, int32_t turned, float *transformed,
    ptrdiff_t inputs, ptrdiff_t outputs, ptrdiff_t first, ptrdiff_t last) {
  // What belongs to one place goes to memory together: the places lie far apart, often a power of two.
  constexpr ptrdiff_t many = 128;
  float places[CK_WINOGRAD_POINTS][many];
  for (ptrdiff_t begin = 0, some; begin < outputs; begin += some) {
    some = outputsAtOnce(outputs - begin);
    for (ptrdiff_t input = first, count; input < last; input += count) {
      count = least(many / some, last - input);
      for (ptrdiff_t o = 0; o < count * some; o += 8) {
        Floats<8> w[3][3], half[6][3];
        gatherWeights(
            weights, kernels, channels, turned, input + o / some, begin + o % some, w);
        UNROLL for (int i = 0; i < 6; i++)
          UNROLL for (int j = 0; j < 3; j++) {
            const float *g = kernelTransform[i];
            half[i][j] = fma(g[2], w[2][j], fma(g[1], w[1][j], g[0] * w[0][j]));
          }
        UNROLL for (int i = 0; i < 6; i++)
          UNROLL for (int j = 0; j < 6; j++) {
            const float *g = kernelTransform[j];
            store<8>(
                &places[i * 6 + j][o],
                fma(g[2], half[i][2], fma(g[1], half[i][1], g[0] * half[i][0])));
          }
      }
      for (ptrdiff_t e = 0; e < CK_WINOGRAD_POINTS; e++)
        memcpy(
            transformed + (e * outputs + begin) * inputs + input * some, places[e],
            (size_t)(count * some) * sizeof(float));
    }
  }
}

static KERNEL void winogradKernelGradient(
    const float *sums, ptrdiff_t inputs, ptrdiff_t outputs, float *weights, ptrdiff_t kernels,
    ptrdiff_t channels, ptrdiff_t first, ptrdiff_t last) {
  for (ptrdiff_t input = 0; input < channels; input++)
    for (ptrdiff_t o = first / 8 * 8; o < last; o += 8) {
      Floats<8> half[3][6] = {}, w[3][3] = {};
      UNROLL for (int i = 0; i < 6; i++)
        UNROLL for (int j = 0; j < 6; j++) {
          const Floats<8> sum = load<8>(sums + ((i * 6 + j) * inputs + input) * outputs + o);
          UNROLL for (int a = 0; a < 3; a++)
            half[a][j] = fma(kernelTransform[i][a], sum, half[a][j]);
        }
      UNROLL for (int a = 0; a < 3; a++)
        UNROLL for (int j = 0; j < 6; j++)
          UNROLL for (int b = 0; b < 3; b++)
            w[a][b] = fma(kernelTransform[j][b], half[a][j], w[a][b]);
      for (int lane = 0; lane < 8; lane++)
        if (o + lane >= first && o + lane < last)
          UNROLL for (int k = 0; k < 9; k++)
            weights[((o + lane) * channels + input) * 9 + k] = w[2 - k / 3][2 - k % 3][lane];
    }
}

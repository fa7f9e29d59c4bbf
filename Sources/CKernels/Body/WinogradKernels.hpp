// Kernels on their way to Winograd's points, and their gradients on the way back.

/// The nine weights that lead from channel `input` to outputs first..<first+L; `turned` as in the
/// header.
template <int L>
INLINE void gatherWeights(
    const float *weights, ptrdiff_t kernels, ptrdiff_t channels, bool turned, ptrdiff_t input,
    ptrdiff_t first, Floats<L> w[3][3]) {
  UNROLL for (int k = 0; k < 9; k++)
    UNROLL for (int lane = 0; lane < L; lane++) {
      const ptrdiff_t output = first + lane;
      // Turned, kernels are read and channels written.
      const ptrdiff_t o = turned ? input : output, i = turned ? output : input;
      const bool isStored = o < kernels && i < channels;
      w[k / 3][k % 3][lane] =
          isStored ? weights[(o * channels + i) * 9 + (turned ? 8 - k : k)] : 0.0f;
    }
}

static KERNEL void winogradKernel(
    const float *weights, ptrdiff_t kernels, ptrdiff_t channels, int32_t turned, float *transformed,
    ptrdiff_t inputs, ptrdiff_t outputs, ptrdiff_t first, ptrdiff_t last) {
  for (ptrdiff_t input = first; input < last; input++)
    for (ptrdiff_t o = 0; o < outputs; o += 8) {
      Floats<8> w[3][3], half[6][3];
      gatherWeights<8>(weights, kernels, channels, turned, input, o, w);
      UNROLL for (int i = 0; i < 6; i++)
        UNROLL for (int j = 0; j < 3; j++) {
          const float *g = kernelTransform[i];
          half[i][j] = fma(g[2], w[2][j], fma(g[1], w[1][j], g[0] * w[0][j]));
        }
      UNROLL for (int i = 0; i < 6; i++)
        UNROLL for (int j = 0; j < 6; j++) {
          const float *g = kernelTransform[j];
          store<8>(
              transformed + ((i * 6 + j) * inputs + input) * outputs + o,
              fma(g[2], half[i][2], fma(g[1], half[i][1], g[0] * half[i][0])));
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

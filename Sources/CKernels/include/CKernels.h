#ifndef CKERNELS_H
#define CKERNELS_H

#include <stddef.h>
#include <stdint.h>

// The inner loops of the convolution engine, compiled once for each instruction set.
//
// The caller handles scheduling, memory and shapes: a kernel computes one chunk of a pass on the
// calling thread, in memory from the caller. There are two layouts:
//
//   planar       [N][C][H][W], dense
//   interleaved  [N][H][W][C'], where C' is C rounded up to a multiple of 8; what stands in the
//                channels beyond C never reaches another channel
//
// A mask holds one bit for each value of an interleaved map, 1 where the gradient passes.

#pragma clang assume_nonnull begin

#ifdef __cplusplus
extern "C" {
#endif

/// Tells the processor that a loop waits for another thread.
static inline void ck_pause(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

/// The number of threads that work on what this one works on, itself included; at first 1.
int32_t ck_crowd(void);
void ck_set_crowd(int32_t crowd);

/// The activations; the first three can be applied by a convolution before its result is written.
enum {
  ck_linear = 0,
  ck_relu = 1,         // max(z, 0), which hands NaN on
  ck_hiding_relu = 2,  // max(z, 0), where NaN becomes 0
  ck_elu = 3,
  ck_sigmoid = 4,
  ck_tanh = 5,
  ck_arctan = 6,
  ck_leaky_relu = 7,   // 0.01·z below 0
};

/// The operation that joins an activation a with a skip value s.
enum {
  ck_add = 0,           // a + s
  ck_multiply = 1,      // a·s
  ck_multiply_add = 2,  // a·s + s
};

/// A convolution: out = act(input ∗ kernel + bias) + addend.
typedef struct {
  ptrdiff_t images, height, width;
  /// The channels as stored: rounded up where interleaved.
  ptrdiff_t inputs, outputs;
  /// The floats from a pixel of `input` and of `output` to the next: more than the channels where those are
  /// one group of many, which tiles allow.
  ptrdiff_t input_pixel, output_pixel;
  /// The extents of the kernel.
  ptrdiff_t kernel_height, kernel_width;
  /// Whether `input` is planar; the layout of `output` depends on the kernel.
  int32_t planar_input;
  int32_t activation;
  const float *input;
  const uint8_t *_Nullable input_mask;
  /// The weights, in the form that the kernel needs.
  const float *kernel;
  const float *_Nullable bias;
  /// A map that is added to the result, in the layout of the output.
  const float *_Nullable addend;
  float *output;
  uint8_t *_Nullable output_mask;
  /// The output of a ReLU: where it is 0, a linear result becomes 0; interleaved outputs only.
  const float *_Nullable gate;
} ck_convolution;

/// A kernel gradient: Σ over images and pixels of input ⊗ gradient.
typedef struct {
  ptrdiff_t images, height, width;
  ptrdiff_t inputs, outputs;
  /// The floats from a pixel of `input` and of `gradient` to the next.
  ptrdiff_t input_pixel, output_pixel;
  ptrdiff_t kernel_height, kernel_width;
  int32_t planar_input;
  const float *input;
  const float *gradient;
  const uint8_t *_Nullable gradient_mask;
} ck_gradient;

/// The backward pass of a planar convolution with its activation, with the same bits as one after
/// the other: dz = act'·gradient·factors, Σ input ⊗ dz, and dz ∗ turned kernel if it is not null.
typedef struct {
  /// The pass, whose `gradient` is that of the activation, without a mask.
  ck_gradient pass;
  int32_t activation;
  /// Whether one channel of `factors` is used for all.
  int32_t shares_factors;
  /// Factors of the gradient; null stands for 1.
  const float *_Nullable factors;
  /// The activations, or the input of arctan, as for pull_back; null for a linear activation.
  const float *_Nullable known;
  /// The kernel for the input's gradient, [inputs][outputs][kH][kW]; null if that is not wanted.
  const float *_Nullable turned_kernel;
  float *_Nullable input_gradient;
} ck_planar_backward;

/// Sums over some pixels of an interleaved map, for each channel: Σ h and Σ h·(x − shift), where h is the
/// gradient or, without gradients, x − shift.
typedef struct {
  ptrdiff_t pixels;
  /// The channels as stored: a multiple of 8.
  ptrdiff_t channels;
  const float *values;
  const float *_Nullable gradients;
  const uint8_t *_Nullable mask;
  /// [channels].
  const float *shifts;
} ck_channel_sums;

/// Some pixels of an interleaved map: results = act((x − shift)·factor + offset), each rounded alone.
typedef struct {
  ptrdiff_t pixels, channels;
  /// The number of values of the whole map.
  ptrdiff_t whole;
  /// Linear, or one of the first two ReLUs, whose bits go to `mask` unless it is null.
  int32_t activation;
  const float *values;
  /// [channels] each.
  const float *shifts, *factors, *offsets;
  float *results;
  uint8_t *_Nullable mask;
} ck_channel_scale;

/// Some pixels of an interleaved map: results = gradient·a + (x − shift)·b + offset, each rounded alone.
typedef struct {
  ptrdiff_t pixels, channels;
  /// The number of values of the whole map.
  ptrdiff_t whole;
  const float *gradients;
  const uint8_t *_Nullable mask;
  const float *values;
  /// [channels] each.
  const float *gradient_factors, *shifts, *value_factors, *offsets;
  float *results;
} ck_channel_combination;

/// A row of windows of size×size pixels of an interleaved map, from which the largest number was taken.
typedef struct {
  ptrdiff_t windows, size;
  /// The channels as stored, and the numbers of a row of pixels.
  ptrdiff_t channels, row;
  const float *values;
  /// Those of the largest numbers, one pixel a window.
  const float *gradients;
  float *results;
} ck_unpooling;

/// The beams of a scanner, by how the place at the detector follows from across/along.
enum {
  ck_parallel = 0,  // center + scale·across
  ck_flat = 1,      // center + scale·across/along
  ck_arc = 2,       // center + scale·arctan(across/along)
};

/// Rays through an image: ray i crosses the middle of row r at column start + slope·r, and each row on
/// a length of `length`.
typedef struct {
  const float *start, *slope, *length;
  ptrdiff_t count;
} ck_rays;

/// The number of rows that `unproject` can take at once.
#define CK_ROWS_OF_COPIES 16

/// An image whose rows begin with one column of zeros and end with two, with a row of zeros behind the
/// last and 32 readable floats behind that; `stride` floats from row to row.
typedef struct {
  float *values;
  ptrdiff_t rows, columns, stride;
} ck_plane;

/// One view: across = a₀ + a₁·column + a₂·row, and so along; in mm.
typedef struct {
  float across[3], along[3];
} ck_view;

/// The views of a scan. A sinogram's rows are `stride` floats apart, with zeros around as in a ck_plane.
typedef struct {
  const ck_view *view;
  ptrdiff_t views, elements, stride;
  float center, scale, weight;
  int32_t beam;
} ck_scan;

/// The pixels that are reconstructed: in row y, the columns from columns[2y] up to columns[2y + 1].
typedef struct {
  const int32_t *columns;
  ptrdiff_t width, first, last;
} ck_area;

/// A 5×5 convolution of interleaved maps of sizes of their own: out[y] = bias + Σ_u input[y + u − top] ·
/// kernel[u]; or, for the gradient of its kernel, its input and the gradient of its output.
typedef struct {
  ptrdiff_t images;
  ptrdiff_t input_height, input_width, output_height, output_width;
  /// The channels as stored.
  ptrdiff_t inputs, outputs;
  /// The zeros above and left of the input.
  ptrdiff_t top, left;
  const float *input;
  /// The weights at the 64 places; not needed for a gradient.
  const float *_Nullable kernel;
  const float *_Nullable bias;
  /// The output; for a gradient that of the output, which is only read.
  float *output;
} ck_five;

/// The number of tiles at whose multiples the work is divided.
#define CK_TILES_PER_CHUNK 48
/// The number of values of a transformed tile: 6×6.
#define CK_WINOGRAD_POINTS 36
/// The number of values of a transformed tile of a 5×5 convolution: 8×8.
#define CK_FIVE_POINTS 64
/// The number of rows in a chunk of the direct kernels, within one image.
#define CK_ROWS_PER_CHUNK 16

/// The rows of the grid of blocks in a chunk, the pixels between its rows, and the pixels between a
/// block and those that are compared with it.
#define CK_BLOCK_ROWS 8
#define CK_BLOCK_STEP 3
#define CK_BLOCK_SEARCH 19

/// A stage of BM3D on one image; the second has the result of the first as its pilot.
///
/// Rows are `pitch` floats apart, at least width + 32, so that what is beyond them can be read.
typedef struct {
  ptrdiff_t height, width, pitch;
  const float *noisy;
  const float *_Nullable pilot;
  /// The standard deviation of the noise.
  float deviation;
  /// The largest squared difference of two blocks that are stacked, but for the one most alike.
  float most_different;
} ck_block_matching;

/// Non-local means of one image that goes on `distance` + `radius` + 1 pixels beyond its first row and
/// column, and `pitch` − width − as many beyond its last; `image` is its first pixel.
typedef struct {
  ptrdiff_t height, width, pitch;
  const float *image;
  /// Of the patches that are compared, which have 2·radius + 1 pixels a side.
  ptrdiff_t radius;
  /// The most rows or columns between two pixels that are compared.
  ptrdiff_t distance;
  /// The parameter h, and the variance of the noise, which is taken off squared differences.
  float strength, variance;
} ck_patches;

/// The kernels for one instruction set.
typedef struct {
  const char *name;

  // MARK: Winograd F(4×4, 3×3), interleaved

  /// The number of floats of scratch memory that one worker needs.
  ptrdiff_t (*winograd_scratch)(ptrdiff_t inputs, ptrdiff_t outputs);
  /// Transforms kernels [O][I][3][3] to [36][inputs × outputs], for input channels first..<last; the
  /// weights for outputs that are computed at once stand together.
  /// With `turned`, they are as for the gradient of the input: channels exchanged, turned by 180°.
  void (*winograd_kernel)(
      const float *weights, ptrdiff_t kernels, ptrdiff_t channels, int32_t turned, float *transformed,
      ptrdiff_t inputs, ptrdiff_t outputs, ptrdiff_t first, ptrdiff_t last);
  /// Computes the tiles first..<last; returns whether it found a NaN or an infinity.
  int32_t (*winograd_forward)(
      const ck_convolution *convolution, ptrdiff_t first, ptrdiff_t last, float *scratch);
  /// Adds the tiles first..<last to `sums` [36][inputs][outputs] and, if wanted, to `bias_sums`
  /// [outputs]. Computes the input gradient of the same tiles, too, if `turned` describes it; its
  /// output may be the memory of the input. Returns whether that found a NaN or an infinity.
  int32_t (*winograd_backward)(
      const ck_gradient *gradient, const ck_convolution *_Nullable turned, ptrdiff_t first,
      ptrdiff_t last, float *sums, double *_Nullable bias_sums, float *scratch);
  /// Transforms sums back to kernels [O][I][3][3], for kernels first..<last.
  void (*winograd_kernel_gradient)(
      const float *sums, ptrdiff_t inputs, ptrdiff_t outputs, float *weights, ptrdiff_t kernels,
      ptrdiff_t channels, ptrdiff_t first, ptrdiff_t last);
  /// Adds the gradient's values in the tiles first..<last to `bias_sums`, as winograd_backward does.
  void (*tile_sums)(
      const ck_gradient *gradient, ptrdiff_t first, ptrdiff_t last, double *bias_sums,
      float *scratch);

  // MARK: Winograd F(4×4, 5×5), interleaved, any number of zeros at the borders

  /// The number of floats of scratch memory that one worker needs.
  ptrdiff_t (*five_scratch)(ptrdiff_t inputs, ptrdiff_t outputs);
  /// Transforms kernels [O][I][5][5] to [64][inputs × outputs], as winograd_kernel does.
  void (*five_kernel)(
      const float *weights, ptrdiff_t kernels, ptrdiff_t channels, int32_t turned, float *transformed,
      ptrdiff_t inputs, ptrdiff_t outputs, ptrdiff_t first, ptrdiff_t last);
  /// Convolves the tiles first..<last of 4×4 outputs, row by row; returns whether a NaN or an infinity
  /// was among the results.
  int32_t (*five_forward)(
      const ck_five *convolution, ptrdiff_t first, ptrdiff_t last, float *scratch);
  /// Adds the products in the tiles first..<last to `sums` [64][inputs][outputs].
  void (*five_gradient)(
      const ck_five *gradient, ptrdiff_t first, ptrdiff_t last, float *sums, float *scratch);
  /// Transforms sums back to kernels [O][I][5][5], for kernels first..<last.
  void (*five_kernel_gradient)(
      const float *sums, ptrdiff_t inputs, ptrdiff_t outputs, float *weights, ptrdiff_t kernels,
      ptrdiff_t channels, ptrdiff_t first, ptrdiff_t last);

  // MARK: Direct, any odd kernel

  /// The number of floats of scratch memory that one worker needs.
  ptrdiff_t (*direct_scratch)(
      ptrdiff_t inputs, ptrdiff_t outputs, ptrdiff_t kernel_height, ptrdiff_t kernel_width, ptrdiff_t width);
  /// The number of outputs that are computed at once where `rest` are left, a multiple of 8.
  ptrdiff_t (*direct_outputs_at_once)(ptrdiff_t rest);
  /// Convolves any layout to interleaved. Kernel: [kH][kW][inputs][outputs], for the outputs that are computed
  /// at once, then for the next.
  int32_t (*direct_forward)(const ck_convolution *convolution, ptrdiff_t chunk, float *scratch);
  /// Adds the kernel gradient to `sums` [kH][kW][inputs][outputs], for any layout with an
  /// interleaved gradient.
  void (*direct_gradient)(
      const ck_gradient *gradient, ptrdiff_t chunk, float *sums, float *scratch);
  /// Convolves interleaved to planar. Kernel: [outputs][kH][kW][inputs].
  int32_t (*reducing_forward)(const ck_convolution *convolution, ptrdiff_t chunk);

  // MARK: Direct, planar to planar

  /// The number of floats of scratch memory that one worker needs.
  ptrdiff_t (*planar_scratch)(
      ptrdiff_t inputs, ptrdiff_t outputs, ptrdiff_t kernel_height, ptrdiff_t kernel_width,
      ptrdiff_t width);
  /// Convolves planar to planar. Kernel: [outputs][inputs][kH][kW].
  int32_t (*planar_forward)(const ck_convolution *convolution, ptrdiff_t chunk, float *scratch);
  /// Adds the kernel gradient to `sums` [outputs][inputs][kH][kW][16]; the sum over the last axis
  /// is the gradient.
  void (*planar_gradient)(
      const ck_gradient *gradient, ptrdiff_t chunk, float *sums, float *scratch);
  /// The number of floats of scratch memory that one worker needs.
  ptrdiff_t (*planar_backward_scratch)(
      ptrdiff_t inputs, ptrdiff_t outputs, ptrdiff_t kernel_height, ptrdiff_t kernel_width,
      ptrdiff_t width);
  /// Adds to `sums` like planar_gradient, and computes the input's gradient; returns whether that
  /// holds a NaN or an infinity.
  int32_t (*planar_backward)(
      const ck_planar_backward *backward, ptrdiff_t chunk, float *sums, float *scratch);
  /// Sums the 16 values of each of `count` sums.
  void (*sum_lanes)(const float *sums, float *results, ptrdiff_t count);

  // MARK: Element by element

  /// Computes result = values where the mask is 1, else 0; `count` is a multiple of 8.
  void (*apply_mask)(const float *values, const uint8_t *mask, float *result, ptrdiff_t count);
  /// Computes results = act(values), with the same bits on every machine; both may be the same
  /// memory.
  void (*activate)(int32_t activation, const float *values, float *results, ptrdiff_t count);
  /// Computes results = act′·gradients·factors from the activations or, for arctan, from its input;
  /// without factors, act′·gradients.
  void (*pull_back)(
      int32_t activation, const float *gradients, const float *_Nullable factors, const float *known,
      float *results, ptrdiff_t count);
  /// Computes results = values joined with others; the results are part of a map of `whole` values.
  void (*join)(
      int32_t rule, const float *values, const float *others, float *results, ptrdiff_t count,
      ptrdiff_t whole);
  /// Computes results = factor·(value/correction) / (√(square/square_correction) + epsilon).
  void (*over_roots)(
      const float *values, const float *squares, float factor, float correction,
      float square_correction, float epsilon, float *results, ptrdiff_t count);

  // MARK: Channel by channel, interleaved

  /// Writes the sums, [channels] each.
  void (*channel_sums)(const ck_channel_sums *sums, double *first, double *products);
  void (*channel_scale)(const ck_channel_scale *scale);
  void (*channel_combine)(const ck_channel_combination *combination);
  /// Writes the gradient where a number was the largest of its window, else 0: of equal numbers where the
  /// first is, of NaN where the last is.
  void (*unpool_max)(const ck_unpooling *unpooling);

  // MARK: Rays

  /// Computes the line integral of each ray, by linear interpolation in each row.
  void (*project)(const ck_rays *rays, const ck_plane *image, float *sums);
  /// Adds what the adjoint of `project` gives, for the rows first..<last of the image, to `copies`: four
  /// copies of CK_ROWS_OF_COPIES rows each, whose sum is wanted.
  void (*unproject)(
      const ck_rays *rays, const float *sums, const ck_plane *image, ptrdiff_t first, ptrdiff_t last,
      float *copies);
  /// Sums four copies, which are `copy` floats apart.
  void (*sum_four)(const float *copies, ptrdiff_t copy, float *sums, ptrdiff_t count);
  /// Adds to each pixel of the area, over all views, the weighted value at its place at the detector.
  void (*back_project)(
      const ck_scan *scan, const float *sinogram, const ck_area *area, float *image);
  /// Adds what the adjoint of `back_project` gives to four copies of the sinogram.
  void (*scatter)(const ck_scan *scan, const float *image, const ck_area *area, float *copies);

  // MARK: Classical denoisers

  /// Filters the stacks of blocks of the chunk-th `CK_BLOCK_ROWS` rows of the grid; adds the blocks
  /// times their weights to `sums`, and the weights to `weights`. The first row of both is that of the
  /// chunk's first block less `CK_BLOCK_SEARCH`; it has `pitch` floats.
  void (*filter_blocks)(
      const ck_block_matching *matching, ptrdiff_t chunk, float *sums, float *weights);
  /// Compares the patches about the pixels of rows first..<last with those that follow them; adds
  /// pixels times weights to `sums`, and weights to `weights`, whose first pixel is that at row
  /// first − distance and column −2·distance. `scratch` holds `pitch` floats.
  void (*compare_patches)(
      const ck_patches *patches, ptrdiff_t first, ptrdiff_t last, float *sums, float *weights,
      float *scratch);
  /// Filters one row of an image that goes on `radius` pixels beyond its border.
  void (*bilateral_row)(
      const float *row, ptrdiff_t pitch, ptrdiff_t width, ptrdiff_t radius, float deviation,
      float range, float *result);
  /// Computes a row of u = f + div p for total variation; returns Σ(u − f)² over it. `above` is the
  /// row of `down` above, null for the first.
  float (*variation_estimate)(
      const float *image, const float *down, const float *right, const float *_Nullable above,
      ptrdiff_t width, float *estimate);
  /// Updates a row of p for total variation; returns Σ|∇u| over it. `below` is the row of u below,
  /// null for the last.
  float (*variation_update)(
      const float *estimate, const float *_Nullable below, ptrdiff_t width, float weight,
      float *down, float *right);
} ck_kernels;

/// The instruction sets, best first.
enum { ck_avx512 = 0, ck_avx2 = 1, ck_plain = 2 };

/// Returns the kernels for `instruction_set`; null if this machine cannot run them.
const ck_kernels *_Nullable ck_kernels_for(int32_t instruction_set);

#ifdef __cplusplus
}
#endif

#pragma clang assume_nonnull end

#endif

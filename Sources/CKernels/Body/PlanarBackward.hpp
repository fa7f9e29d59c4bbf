// The backward pass of a planar convolution and its activation, while a chunk's rows are in the cache.
//
// The gradient of the pre-activation is computed where its rows get their zeros at the border, and is
// never written to memory; those rows that the neighboring chunks need are computed in each of them.

static KERNEL ptrdiff_t planarBackwardScratch(
    ptrdiff_t inputs, ptrdiff_t outputs, ptrdiff_t kernelHeight, ptrdiff_t kernelWidth,
    ptrdiff_t width) {
  const PaddedPlanes planes(nullptr, kernelHeight, kernelWidth, width);
  return planes.plane * (inputs + outputs);
}

/// dz = act'·gradient·factor for the rows of a chunk, and those that the kernel reaches from it if
/// `reaches`.
static KERNEL void padPulledBack(
    const ck_planar_backward *a, const PlanarChunk &rows, bool reaches, const PaddedPlanes &planes) {
  const ck_gradient &pass = a->pass;
  const ptrdiff_t reach = pass.kernel_height / 2, margin = pass.kernel_width / 2;
  const ptrdiff_t around = reaches ? reach : 0;
  for (ptrdiff_t o = 0; o < pass.outputs; o++)
    for (ptrdiff_t y = rows.first - around; y < rows.last + around; y++) {
      float *row = planes.memory + o * planes.plane + (y - rows.first + reach) * planes.row;
      if (y < 0 || y >= pass.height) {
        memset(row, 0, (size_t)planes.row * sizeof(float));
        continue;
      }
      const ptrdiff_t plane = rows.image * pass.outputs + o;
      const ptrdiff_t place = (plane * pass.height + y) * pass.width;
      const ptrdiff_t shared = (rows.image * pass.height + y) * pass.width;
      const float *factors =
          a->factors ? a->factors + (a->shares_factors ? shared : place) : nullptr;
      memset(row, 0, (size_t)margin * sizeof(float));
      pullBack(
          a->activation, pass.gradient + place, factors, a->known ? a->known + place : nullptr,
          row + margin, pass.width);
      memset(
          row + margin + pass.width, 0,
          (size_t)(planes.row - margin - pass.width) * sizeof(float));
    }
}

static KERNEL int32_t planarBackward(
    const ck_planar_backward *a, ptrdiff_t chunk, float *sums, float *scratch) {
  const ck_gradient &pass = a->pass;
  const PlanarChunk rows(chunk, pass.height);
  const PaddedPlanes inputs(scratch, pass.kernel_height, pass.kernel_width, pass.width);
  const PaddedPlanes gradients(
      scratch + pass.inputs * inputs.plane, pass.kernel_height, pass.kernel_width, pass.width);
  padPlanes(
      pass.input + rows.image * pass.inputs * pass.height * pass.width, pass.inputs, pass.height,
      pass.width, pass.kernel_height, pass.kernel_width, rows.first, rows.last, inputs);
  padPulledBack(a, rows, a->input_gradient != nullptr, gradients);
  const float *inside =
      gradients.memory + pass.kernel_height / 2 * gradients.row + pass.kernel_width / 2;
  for (ptrdiff_t y = 0; y < rows.last - rows.first; y++)
    planarRowGradient(
        &pass, inside + y * gradients.row, gradients.plane, inputs.memory + y * inputs.row, inputs,
        sums);
  if (!a->input_gradient) return false;
  const ck_convolution turned = {
      .images = pass.images,
      .height = pass.height,
      .width = pass.width,
      .inputs = pass.outputs,
      .outputs = pass.inputs,
      .kernel_height = pass.kernel_height,
      .kernel_width = pass.kernel_width,
      .planar_input = 1,
      .activation = ck_linear,
      .input = pass.gradient,
      .input_mask = nullptr,
      .kernel = a->turned_kernel,
      .bias = nullptr,
      .addend = nullptr,
      .output = a->input_gradient,
      .output_mask = nullptr,
  };
  const bool streams = pass.width % LANES == 0
      && isStreamed(pass.images * pass.inputs * pass.height * pass.width);
  const bool strange =
      planarRows(&turned, gradients, rows.image, rows.first, rows.last, streams);
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  return strange;
}

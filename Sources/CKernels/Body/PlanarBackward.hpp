// The backward pass of a planar convolution and its activation, while a chunk's rows are in the cache.
//
// The gradient of the pre-activation is computed where its rows get their zeros at the border, and is
// never written to memory; those rows that the neighboring chunks need are computed in each of them.

static KERNEL ptrdiff_t planarBackwardScratch(
    ptrdiff_t inputs, ptrdiff_t outputs, ptrdiff_t kernelHeight, ptrdiff_t kernelWidth,
    ptrdiff_t width) {
  const PaddedPlanes planes(nullptr, 0, kernelHeight, kernelWidth, width);
  return planes.plane * (inputs + outputs);
}

/// Row y of dz = act'·gradient·factor; outside the image it is 0.
static KERNEL void pullBackRow(
    const ck_planar_backward *a, ptrdiff_t image, ptrdiff_t y, const PaddedPlanes &planes) {
  const ck_gradient &pass = a->pass;
  for (ptrdiff_t o = 0; o < pass.outputs; o++) {
    float *row = planes.at(o, y);
    if (y < 0 || y >= pass.height) {
      memset(row, 0, (size_t)planes.row * sizeof(float));
      continue;
    }
    const ptrdiff_t place = ((image * pass.outputs + o) * pass.height + y) * pass.width;
    const ptrdiff_t shared = (image * pass.height + y) * pass.width;
    pullBack(
        a->activation, pass.gradient + place,
        a->factors ? a->factors + (a->shares_factors ? shared : place) : nullptr,
        a->known ? a->known + place : nullptr, planes.beginRow(row, pass.width), pass.width);
  }
}

static KERNEL int32_t planarBackward(
    const ck_planar_backward *a, ptrdiff_t chunk, float *sums, float *scratch) {
  const ck_gradient &pass = a->pass;
  const PlanarChunk rows(chunk, pass.height);
  const PaddedPlanes inputs(
      scratch, rows.first, pass.kernel_height, pass.kernel_width, pass.width);
  const PaddedPlanes gradients(
      scratch + pass.inputs * inputs.plane, rows.first, pass.kernel_height, pass.kernel_width,
      pass.width);
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
  const ptrdiff_t plane = pass.height * pass.width;
  const ptrdiff_t steps = pass.inputs * pass.kernel_height
      + (a->input_gradient ? planarSteps(pass.inputs, pass.width) : 0);
  bool strange = false;
  const auto pad = [&](ptrdiff_t y) {
    padPlanes(
        pass.input + rows.image * pass.inputs * plane, pass.inputs, pass.height, pass.width, y,
        inputs);
    if (a->input_gradient || (y >= rows.first && y < rows.last))
      pullBackRow(a, rows.image, y, gradients);
  };
  eachRow(rows, inputs, pad, [&](ptrdiff_t y) {
    RowPlan plan;
    const auto fetch = [&](const float *map, ptrdiff_t channels) {
      if (map)
        plan.add(
            map + rows.image * channels * plane, channels, pass.height, pass.width,
            y + inputs.reach + 1, steps);
    };
    fetch(pass.input, pass.inputs);
    fetch(pass.gradient, pass.outputs);
    fetch(a->known, pass.outputs);
    fetch(a->factors, a->shares_factors ? 1 : pass.outputs);
    planarRowGradient(
        &pass, gradients.at(0, y) + gradients.margin, gradients.plane, y, inputs, sums, plan);
    if (a->input_gradient)
      strange |= planarOutputs(&turned, gradients, rows.image, y, streams, plan);
  });
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  return strange;
}

// One copy of all kernels; the macros say for which instruction set.

namespace NAMESPACE {
#include "Vectors.hpp"

#include "Epilogue.hpp"
#include "Lines.hpp"

#include "LineFetches.hpp"
#include "Direct.hpp"
#include "Planar.hpp"

#include "WinogradTransforms.hpp"
#include "WinogradTiles.hpp"

#include "WinogradFetches.hpp"

#include "WinogradPieces.hpp"

#include "WinogradProducts.hpp"

#include "WinogradOutputs.hpp"

#include "WinogradForward.hpp"
#include "WinogradBackward.hpp"
#include "WinogradKernels.hpp"
#include "WinogradFive.hpp"

#include "Activations.hpp"
#include "PlanarBackward.hpp"
#include "Elementwise.hpp"
#include "Channels.hpp"
#include "Pooling.hpp"
#include "Projection.hpp"

#include "BlockMatching.hpp"
#include "Neighborhoods.hpp"
#include "TotalVariation.hpp"

static const ck_kernels kernels = {
    .name = NAME,
    .winograd_scratch = winogradScratch,
    .winograd_kernel = winogradKernel,
    .winograd_forward = winogradForward,
    .winograd_backward = winogradBackward,
    .winograd_kernel_gradient = winogradKernelGradient,
    .tile_sums = tileSums,
    .five_scratch = fiveScratch,
    .five_kernel = fiveKernel,
    .five_forward = fiveForward,
    .five_gradient = fiveGradient,
    .five_kernel_gradient = fiveKernelGradient,
    .direct_scratch = directScratch,
    .direct_outputs_at_once = directOutputsAtOnce,
    .direct_forward = directForward,
    .direct_gradient = directGradient,
    .reducing_forward = reducingForward,
    .planar_scratch = planarScratch,
    .planar_forward = planarForward,
    .planar_gradient = planarGradient,
    .planar_backward_scratch = planarBackwardScratch,
    .planar_backward = planarBackward,
    .sum_lanes = sumLanes,
    .apply_mask = applyMask,
    .activate = activate,
    .pull_back = pullBack,
    .join = join,
    .over_roots = overRoots,
    .channel_sums = channelSums,
    .channel_scale = channelScale,
    .channel_combine = channelCombine,
    .unpool_max = unpoolMax,
    .project = project,
    .unproject = unproject,
    .sum_four = sumFour,
    .back_project = backProject,
    .scatter = scatter,
    .filter_blocks = filterBlocks,
    .compare_patches = comparePatches,
    .bilateral_row = bilateralRow,
    .variation_estimate = variationEstimate,
    .variation_update = variationUpdate,
};
}  // namespace NAMESPACE

#undef LANES
#undef FUSES
#undef GATHERS
#undef KEEPS_CONSTANTS
#undef ROWS_OF_TWO
#undef ROWS_OF_ONE
#undef TILES_OF_FOUR
#undef TILES_OF_TWO
#undef TILES_OF_ONE
#undef INPUTS_OF_TWO
#undef PLANAR_VECTORS_OF_ONE
#undef PLANAR_VECTORS_OF_TWO
#undef PLANAR_VECTORS_OF_THREE
#undef PLANAR_VECTORS_OF_FOUR
#undef PLANAR_OUTPUTS
#undef PLANAR_TAPS
#undef NAMESPACE
#undef NAME
#undef INLINE
#undef UNROLL
#undef ROLLED
#undef UNROLL_WIDE
#undef EACH_LANES

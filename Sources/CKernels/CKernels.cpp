// The kernels, compiled once for each instruction set from the same text.
//
// Each copy is in its own namespace with internal linkage, so that no code of one instruction set
// can replace another's. Nothing here calls the standard library's templates, whose copies a linker
// would share.

#include "CKernels.h"

#include <stdint.h>
#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

// Products are fused only where the text says so; then every instruction set that can fuse gives
// the same bits.
#pragma clang fp contract(off)

// Functions that pass wide vectors are inlined, so the calling convention does not matter.
#pragma clang diagnostic ignored "-Wpsabi"

// Vectors of 64 bytes stay whole, even where the compiler would split them.
#define KERNEL __attribute__((noinline, min_vector_width(512)))

#if defined(__x86_64__)

#define LANES 16
#define FUSES 1
#define GATHERS 1
#define KEEPS_CONSTANTS 0
#define ROWS_OF_TWO 12
#define ROWS_OF_ONE 24
#define TILES_OF_FOUR 0
#define TILES_OF_TWO 12
#define TILES_OF_ONE 12
#define INPUTS_OF_TWO 8
#define PLANAR_VECTORS_OF_ONE 8
#define PLANAR_VECTORS_OF_TWO 8
#define PLANAR_VECTORS_OF_THREE 8
#define PLANAR_VECTORS_OF_FOUR 6
#define PLANAR_OUTPUTS 3
#define PLANAR_TAPS 7
#define NAMESPACE avx512
#define NAME "avx512"
#pragma clang attribute push(__attribute__((target("arch=x86-64-v4"))), apply_to = function)
#include "Body/Kernels.hpp"
#pragma clang attribute pop

#define LANES 8
#define FUSES 1
#define GATHERS 1
#define KEEPS_CONSTANTS 1
#define ROWS_OF_TWO 6
#define ROWS_OF_ONE 12
#define TILES_OF_FOUR 3
#define TILES_OF_TWO 6
#define TILES_OF_ONE 12
#define INPUTS_OF_TWO 6
#define PLANAR_VECTORS_OF_ONE 8
#define PLANAR_VECTORS_OF_TWO 5
#define PLANAR_VECTORS_OF_THREE 4
#define PLANAR_VECTORS_OF_FOUR 3
#define PLANAR_OUTPUTS 2
#define PLANAR_TAPS 3
#define NAMESPACE avx2
#define NAME "avx2"
#pragma clang attribute push(__attribute__((target("arch=x86-64-v3"))), apply_to = function)
#include "Body/Kernels.hpp"
#pragma clang attribute pop

#endif

#define LANES 8
#if defined(__ARM_FEATURE_FMA) || defined(__aarch64__)
#define FUSES 1
#else
#define FUSES 0
#endif
#define GATHERS 0
#define KEEPS_CONSTANTS 0
#define ROWS_OF_TWO 3
#define ROWS_OF_ONE 6
#define TILES_OF_FOUR 0
#define TILES_OF_TWO 3
#define TILES_OF_ONE 6
#define INPUTS_OF_TWO 2
#define PLANAR_VECTORS_OF_ONE 4
#define PLANAR_VECTORS_OF_TWO 2
#define PLANAR_VECTORS_OF_THREE 2
#define PLANAR_VECTORS_OF_FOUR 1
#define PLANAR_OUTPUTS 1
#define PLANAR_TAPS 3
#define NAMESPACE plain
#define NAME "plain"
#include "Body/Kernels.hpp"

static thread_local int32_t crowd = 1;
int32_t ck_crowd(void) { return crowd; }
void ck_set_crowd(int32_t value) { crowd = value; }

const ck_kernels *ck_kernels_for(int32_t instructionSet) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (instructionSet == ck_avx512)
    return __builtin_cpu_supports("x86-64-v4") ? &avx512::kernels : nullptr;
  if (instructionSet == ck_avx2)
    return __builtin_cpu_supports("x86-64-v3") ? &avx2::kernels : nullptr;
#endif
  return instructionSet == ck_plain ? &plain::kernels : nullptr;
}

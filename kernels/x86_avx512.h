// SPDX-License-Identifier: Apache-2.0
#ifndef MEDULLA_KERNELS_X86_AVX512_H_
#define MEDULLA_KERNELS_X86_AVX512_H_

// AVX-512's intrinsics. GCC 12 takes the undefined operands in them for a mistake (its bug 105593).
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <immintrin.h>
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

#endif  // MEDULLA_KERNELS_X86_AVX512_H_

// SPDX-License-Identifier: Apache-2.0
#include "kernels/transpose/elements.h"

namespace medulla {
namespace {

template <size_t kBytes>
void run(const Transpose& t) {
  transpose_elements<kBytes>(t, 0);
}

}  // namespace

extern const TransposeKernel transpose_portable;
const TransposeKernel transpose_portable = {{run<1>, run<2>, run<4>, run<8>}};

}  // namespace medulla

// SPDX-License-Identifier: Apache-2.0
#include "kernels/conv_s16/rows.h"

namespace medulla {
namespace {

// Loops of a fixed length, of which compilers make vectors.
struct Dot {
  static void multiply(const int16_t* rows, size_t depth, const int16_t* w, int64_t* sums) {
    for (size_t r = 0; r < kTileS16; ++r, rows += depth) {
      sums[r] = 0;
      for (size_t k = 0; k < depth; k += kGroupS16) {
        int32_t part = 0;
        for (size_t i = 0; i < kGroupS16; ++i) part += rows[k + i] * w[k + i];
        sums[r] += part;
      }
    }
  }
};

}  // namespace

extern const ConvS16Kernel conv_s16_portable;
constexpr ConvS16Kernel conv_s16_portable = make_conv_s16<Dot>();

}  // namespace medulla

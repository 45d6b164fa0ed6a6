// SPDX-License-Identifier: Apache-2.0
#ifndef MEDULLA_KERNELS_CONV_S8_CONV_S8_H_
#define MEDULLA_KERNELS_CONV_S8_CONV_S8_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/conv.h"
#include "kernels/row.h"
#include "kernels/s8.h"

// out[p][o] = output of sum over ky, kx, c of (in - z_in)(w[o][ky][kx][c] - z_w[o]) + bias[o], as
// s8.h says; padding is z_in and adds nothing. Output channel o sums over the input channels of
// its group alone. Every row gives these bytes. Nothing outside the tensors is read or written.
namespace medulla {

struct ConvS8Problem : KernelRequest {
  ConvGeometry conv;
  bool float_output = false;
  bool narrow_weights = false;       // weights_fit_s8
  uint64_t weight_sum = UINT64_MAX;  // largest_weight_sum_s8
};

// Of dwconv_s8 and winograd_s8 too.
struct ConvS8 {
  ConvGeometry conv;
  const int8_t* in = nullptr;
  size_t in_stride = 0;           // from pixel to pixel, at least the channels
  int32_t in_zero_point = 0;      // the one that was packed for
  const void* weights = nullptr;  // packed by the same kernel, aligned to kPackAlign
  OutputS8 out;                   // does not overlap in
};

// Of dwconv_s8 and winograd_s8 too. For packing, `w` has n = out_channels and
// k = kernel_h * kernel_w * in_channels / groups, in the order ky, kx, c.
struct ConvS8Kernel {
  // How many parts the output has; threads share them out.
  size_t (*units)(const ConvGeometry& conv);
  // The packed bytes hold no pointers; they depend on the arguments alone.
  size_t (*packed_bytes)(const ConvGeometry& conv, const WeightsS8& w);
  void (*pack)(const ConvGeometry& conv, const WeightsS8& w, int32_t in_zero_point, void* packed);
  // What run needs, aligned to kPackAlign; its contents need not last from call to call.
  size_t (*scratch_bytes)(const ConvGeometry& conv);
  // Computes all channels of the units [begin, end).
  void (*run)(const ConvS8& a, size_t begin, size_t end, void* scratch);
};

static inline size_t scratch_bytes(const ConvS8Kernel& kernel, const ConvS8Problem& problem) {
  return kernel.scratch_bytes(problem.conv);
}

using ConvS8Row = Row<ConvS8Kernel, ConvS8Problem>;
std::span<const ConvS8Row> conv_s8_rows();

// For kernels: units of kPixels output pixels, counted as in conv.h.
template <size_t kPixels>
static size_t conv_s8_units(const ConvGeometry& c) {
  return (c.batch * c.out_h * c.out_w + kPixels - 1) / kPixels;
}

// For kernels that pack weights as a gemm_s8 does: a matrix for each group of channels, one after
// the other.
size_t conv_s8_packed_bytes(const ConvGeometry& conv, size_t (*packed_bytes)(const WeightsS8& w));
void conv_s8_pack(const ConvGeometry& conv, const WeightsS8& w, int32_t in_zero_point,
                  size_t (*packed_bytes)(const WeightsS8& w),
                  void (*pack)(const WeightsS8& w, int32_t in_zero_point, void* packed),
                  void* packed);

}  // namespace medulla

#endif  // MEDULLA_KERNELS_CONV_S8_CONV_S8_H_

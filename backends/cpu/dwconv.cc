// SPDX-License-Identifier: Apache-2.0
// Depthwise Conv in float32: dwconv_f32 on rows of output pixels.
#include "backends/cpu/float_conv.h"
#include "kernels/dwconv_f32/dwconv_f32.h"

namespace medulla::cpu {

extern const Lowering lowering_dwconv;

namespace {

struct Family {
  using Row = DwConvF32Row;
  using Problem = DwConvF32Problem;
  using Kernel = DwConvF32Kernel;
  using Call = DwConvF32;
  static constexpr const char* kName = "dwconv_f32";

  static auto rows() { return dwconv_f32_rows(); }
  static const char* refusal(const NodeView& conv) {
    return is_depthwise(conv) ? nullptr : "not depthwise";
  }
  static size_t packed_bytes(const Kernel& kernel, const ConvGeometry& geometry) {
    return dwconv_f32_packed_bytes(kernel.nr, geometry);
  }
  static void pack(const Kernel& kernel, const ConvGeometry& geometry, const float* weights,
                   const float* bias, void* packed) {
    dwconv_f32_pack(kernel.nr, geometry, weights, bias, packed);
  }
  // A row of a picture; a signal is cut into runs that are worth a call.
  static size_t unit(const Kernel&, const ConvGeometry& geometry) {
    constexpr size_t kRun = 32;
    return geometry.out_h > 1 ? geometry.out_w : kRun;
  }
};

mdl_status plan(const Cpu& cpu, const GroupView& group, const mdl_host& host, mdl_step& step,
                mdl_error* error) {
  return FloatConv<Family>::plan(lowering_dwconv, cpu, group, host, step, error);
}

}  // namespace

extern const Lowering lowering_dwconv = {
    .fuse = fuse_by<kConvRule>,
    .supports = FloatConv<Family>::supports,
    .plan = plan,
    .pack = FloatConv<Family>::pack,
    .resize = FloatConv<Family>::resize,
    .bind = FloatConv<Family>::bind,
};

}  // namespace medulla::cpu

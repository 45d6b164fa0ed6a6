// SPDX-License-Identifier: Apache-2.0
// Conv in float32: conv_f32 on ranges of output pixels.
#include "backends/cpu/float_conv.h"
#include "kernels/conv_f32/conv_f32.h"

namespace medulla::cpu {

extern const Lowering lowering_conv;

namespace {

struct Family {
  using Row = ConvF32Row;
  using Problem = ConvF32Problem;
  using Kernel = ConvF32Kernel;
  using Call = ConvF32;
  static constexpr const char* kName = "conv_f32";

  static auto rows() { return conv_f32_rows(); }
  static const char* refusal(const NodeView&) { return nullptr; }
  static size_t packed_bytes(const Kernel& kernel, const ConvGeometry& geometry) {
    return conv_f32_packed_bytes(kernel.nr, geometry);
  }
  static void pack(const Kernel& kernel, const ConvGeometry& geometry, const float* weights,
                   const float* bias, void* packed) {
    conv_f32_pack(kernel.nr, geometry, weights, bias, packed);
  }
  static size_t unit(const Kernel& kernel, const ConvGeometry&) { return kernel.mr; }
};

mdl_status plan(const Cpu& cpu, const GroupView& group, const mdl_host& host, mdl_step& step,
                mdl_error* error) {
  return FloatConv<Family>::plan(lowering_conv, cpu, group, host, step, error);
}

}  // namespace

extern const Lowering lowering_conv = {
    .fuse = fuse_by<kConvRule>,
    .supports = FloatConv<Family>::supports,
    .plan = plan,
    .pack = FloatConv<Family>::pack,
    .resize = FloatConv<Family>::resize,
    .bind = FloatConv<Family>::bind,
};

}  // namespace medulla::cpu

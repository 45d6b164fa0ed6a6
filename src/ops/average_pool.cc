// SPDX-License-Identifier: Apache-2.0
#include "src/ops/rules.h"
#include "src/ops/window.h"

namespace medulla {
namespace {

constexpr AttributeRule kAttributes[] = {
    {"kernel_shape", MDL_ATTRIBUTE_INTS, true}, {"strides", MDL_ATTRIBUTE_INTS},
    {"dilations", MDL_ATTRIBUTE_INTS},          {"pads", MDL_ATTRIBUTE_INTS},
    {"ceil_mode", MDL_ATTRIBUTE_INT},           {"count_include_pad", MDL_ATTRIBUTE_INT},
};

mdl_status infer(const NodeView& node, std::span<const TensorType> inputs,
                 std::span<TensorType> outputs, mdl_error* error) {
  MDL_TRY(check_dtype(node, inputs, 0, MDL_FLOAT32, error));
  const TensorType& x = inputs[0];
  Window window;
  MDL_TRY(read_pool(node, x.shape, &window, error));
  return set_output(node, outputs, 0, MDL_FLOAT32,
                    window_output(x.shape, window, x.dim(x.rank() - 1)), error);
}

// y = fl(sum / n): one chain of additions from +0 over the window's values in order, without the
// padding. n counts those values, with count_include_pad those in the padding too.
mdl_status reference(const ReferenceCall& call, mdl_error* error) {
  const mdl_shape& shape = call.input_types[0].shape;
  const int64_t channels = shape.dims[shape.rank - 1];
  const bool with_padding = call.node.int_or("count_include_pad", 0) != 0;
  Window window;
  MDL_TRY(read_pool(call.node, shape, &window, error));
  const float* x = call.in<float>(0);
  float* y = call.out<float>(0);
  for (int64_t n = 0; n < shape.dims[0]; ++n, x += window.inputs() * channels) {
    for (int64_t p = 0; p < window.outputs(); ++p, y += channels) {
      for (int64_t c = 0; c < channels; ++c) y[c] = 0.0f;
      window.for_each_pixel(p, [&](int64_t pixel) {
        for (int64_t c = 0; c < channels; ++c) y[c] += x[pixel * channels + c];
      });
      const float count = static_cast<float>(window.count(p, with_padding));
      for (int64_t c = 0; c < channels; ++c) y[c] /= count;
    }
  }
  return MDL_OK;
}

}  // namespace

extern const Op op_AveragePool = {
    .name = "AveragePool",
    .attributes = kAttributes,
    .infer = infer,
    .reference = reference,
};

}  // namespace medulla

// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "src/ops/rules.h"
#include "src/ops/window.h"

namespace medulla {
namespace {

constexpr AttributeRule kAttributes[] = {
    {"kernel_shape", MDL_ATTRIBUTE_INTS, true}, {"strides", MDL_ATTRIBUTE_INTS},
    {"dilations", MDL_ATTRIBUTE_INTS},          {"pads", MDL_ATTRIBUTE_INTS},
    {"ceil_mode", MDL_ATTRIBUTE_INT},           {"p", MDL_ATTRIBUTE_INT},
};

mdl_status infer(const NodeView& node, std::span<const TensorType> inputs,
                 std::span<TensorType> outputs, mdl_error* error) {
  MDL_TRY(check_dtype(node, inputs, 0, MDL_FLOAT32, error));
  const int64_t p = node.int_or("p", 2);
  if (p != 1 && p != 2) {
    return fail_node(error, MDL_ERROR_UNSUPPORTED, node, "p is ", p, ", should be 1 or 2");
  }
  const TensorType& x = inputs[0];
  Window window;
  MDL_TRY(read_pool(node, x.shape, &window, error));
  return set_output(node, outputs, 0, MDL_FLOAT32,
                    window_output(x.shape, window, x.dim(x.rank() - 1)), error);
}

// Over the window's values in order, without the padding, from +0: p = 1: y = fl(y + |x|); p = 2:
// y = fma(x, x, y), and then the root of that.
mdl_status reference(const ReferenceCall& call, mdl_error* error) {
  const mdl_shape& shape = call.input_types[0].shape;
  const int64_t channels = shape.dims[shape.rank - 1];
  const bool squares = call.node.int_or("p", 2) == 2;
  Window window;
  MDL_TRY(read_pool(call.node, shape, &window, error));
  const float* x = call.in<float>(0);
  float* y = call.out<float>(0);
  for (int64_t n = 0; n < shape.dims[0]; ++n, x += window.inputs() * channels) {
    for (int64_t p = 0; p < window.outputs(); ++p) {
      for (int64_t c = 0; c < channels; ++c) {
        float sum = 0;
        window.for_each_pixel(p, [&](int64_t pixel) {
          const float v = x[pixel * channels + c];
          sum = squares ? std::fma(v, v, sum) : sum + std::fabs(v);
        });
        *y++ = squares ? std::sqrt(sum) : sum;
      }
    }
  }
  return MDL_OK;
}

}  // namespace

extern const Op op_LpPool = {
    .name = "LpPool",
    .attributes = kAttributes,
    .infer = infer,
    .reference = reference,
};

}  // namespace medulla

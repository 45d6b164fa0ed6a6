// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "kernels/elementwise_f32/scalar.h"
#include "src/ops/rules.h"

namespace medulla {
namespace {

constexpr AttributeRule kAttributes[] = {{"size", MDL_ATTRIBUTE_INT, true},
                                         {"alpha", MDL_ATTRIBUTE_FLOAT},
                                         {"beta", MDL_ATTRIBUTE_FLOAT},
                                         {"bias", MDL_ATTRIBUTE_FLOAT}};

mdl_status infer(const NodeView& node, std::span<const TensorType> inputs,
                 std::span<TensorType> outputs, mdl_error* error) {
  MDL_TRY(check_dtype(node, inputs, 0, MDL_FLOAT32, error));
  if (inputs[0].rank() < 1) {
    return fail_node(error, MDL_ERROR_SHAPE, node, "input 0 is ", inputs[0].shape,
                     ", should be [..., C]");
  }
  if (node.int_or("size", 0) < 1) {
    return fail_node(error, MDL_ERROR_BAD_MODEL, node, "size is ", node.int_or("size", 0),
                     ", should be 1 or more");
  }
  return set_output(node, outputs, 0, MDL_FLOAT32, inputs[0].shape, error);
}

mdl_status check(const NodeView& node, mdl_error* error) {
  MDL_TRY(check_float(node, "alpha", error));
  MDL_TRY(check_float(node, "beta", error));
  return check_float(node, "bias", error);
}

// s is the chain s = fma(x, x, s) from +0 over the channels from c - (size - 1) / 2 to c + size / 2
// that exist, both cut to integers; b = fma(float(alpha / size), s, bias), the quotient in
// binary64; y = fl(x / exp_f32(fl(beta * log_f32(b)))).
mdl_status reference(const ReferenceCall& call, mdl_error*) {
  const NodeView& node = call.node;
  const TensorType& type = call.input_types[0];
  const int64_t channels = type.dim(type.rank() - 1);
  const int64_t count = type.elements();
  const int64_t size = node.int_or("size", 1);
  const double alpha = node.float_or("alpha", static_cast<double>(1e-4f));
  const float k = static_cast<float>(alpha / static_cast<double>(size));
  const float beta = float_attribute(node, "beta", 0.75f);
  const float bias = float_attribute(node, "bias", 1.0f);
  const float* x = call.in<float>(0);
  float* y = call.out<float>(0);
  for (int64_t i = 0; i < count; ++i) {
    const int64_t c = i % channels;
    const int64_t first = i - std::min(c, (size - 1) / 2);
    const int64_t last = i + std::min(channels - 1 - c, size / 2);
    float sum = 0.0f;
    for (int64_t j = first; j <= last; ++j) sum = std::fma(x[j], x[j], sum);
    y[i] = x[i] / exp_f32(beta * log_f32(std::fma(k, sum, bias)));
  }
  return MDL_OK;
}

}  // namespace

extern const Op op_LRN = {
    .name = "LRN",
    .attributes = kAttributes,
    .infer = infer,
    .check = check,
    .reference = reference,
};

}  // namespace medulla

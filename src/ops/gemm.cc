// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "src/ops/broadcast.h"
#include "src/ops/rules.h"

namespace medulla {
namespace {

constexpr AttributeRule kAttributes[] = {{"transA", MDL_ATTRIBUTE_INT},
                                         {"transB", MDL_ATTRIBUTE_INT},
                                         {"alpha", MDL_ATTRIBUTE_FLOAT},
                                         {"beta", MDL_ATTRIBUTE_FLOAT}};

struct Sizes {
  bool trans_a, trans_b;
  int64_t m, n, k;
};

Sizes read_sizes(const NodeView& node, const mdl_shape& a, const mdl_shape& b) {
  const bool trans_a = node.int_or("transA", 0) != 0;
  const bool trans_b = node.int_or("transB", 0) != 0;
  return {trans_a, trans_b, a.dims[trans_a ? 1 : 0], b.dims[trans_b ? 0 : 1],
          a.dims[trans_a ? 0 : 1]};
}

mdl_status infer(const NodeView& node, std::span<const TensorType> inputs,
                 std::span<TensorType> outputs, mdl_error* error) {
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i].dtype != MDL_DTYPE_NONE)
      MDL_TRY(check_dtype(node, inputs, i, MDL_FLOAT32, error));
  }
  const mdl_shape& a = inputs[0].shape;
  const mdl_shape& b = inputs[1].shape;
  const Sizes s = read_sizes(node, a, b);
  if (a.rank != 2 || b.rank != 2 || s.k != b.dims[s.trans_b ? 1 : 0]) {
    return fail_node(error, MDL_ERROR_SHAPE, node, "inputs are ", a, " and ", b, ", should be ",
                     s.trans_a ? "[K,M]" : "[M,K]", " and ", s.trans_b ? "[N,K]" : "[K,N]");
  }
  const mdl_shape y = {2, {s.m, s.n}};
  if (inputs.size() > 2 && inputs[2].dtype != MDL_DTYPE_NONE) {
    MDL_TRY(check_broadcasts_to(node, inputs, 2, y, error));
  }
  return set_output(node, outputs, 0, MDL_FLOAT32, y, error);
}

mdl_status check(const NodeView& node, mdl_error* error) {
  MDL_TRY(check_float(node, "alpha", error));
  return check_float(node, "beta", error);
}

// With alpha = beta = 1, y[i][j] is one chain of fma, k ascending, started from bias + 0. Else the
// chain starts from +0 and y = fl(fl(alpha * chain) + fl(beta * bias)), or without bias
// fl(alpha * chain).
mdl_status reference(const ReferenceCall& call, mdl_error*) {
  const Sizes s = read_sizes(call.node, call.input_types[0].shape, call.input_types[1].shape);
  const float alpha = float_attribute(call.node, "alpha", 1.0f);
  const float beta = float_attribute(call.node, "beta", 1.0f);
  const bool scaled = alpha != 1.0f || beta != 1.0f;
  const float* a = call.in<float>(0);
  const float* b = call.in<float>(1);
  const float* bias = call.in<float>(2);
  const mdl_shape& shape = call.output_types[0].shape;
  const Strides bias_strides =
      bias != nullptr ? broadcast_strides(call.input_types[2].shape, shape) : Strides();
  float* y = call.out<float>(0);
  for (Walk<1> w(shape, {bias_strides}); !w.done(); w.next(), ++y) {
    const int64_t i = w.index[0];
    const int64_t j = w.index[1];
    const float start = bias != nullptr ? bias[w.offset[0]] : 0.0f;
    float sum = scaled ? 0.0f : start + 0.0f;
    for (int64_t k = 0; k < s.k; ++k) {
      sum = std::fma(a[s.trans_a ? k * s.m + i : i * s.k + k],
                     b[s.trans_b ? j * s.k + k : k * s.n + j], sum);
    }
    *y = !scaled ? sum : bias != nullptr ? alpha * sum + beta * start : alpha * sum;
  }
  return MDL_OK;
}

uint64_t macs(const NodeView& node, std::span<const TensorType> inputs,
              std::span<const TensorType> outputs) {
  const Sizes s = read_sizes(node, inputs[0].shape, inputs[1].shape);
  return static_cast<uint64_t>(outputs[0].elements()) * static_cast<uint64_t>(s.k);
}

}  // namespace

extern const Op op_Gemm = {
    .name = "Gemm",
    .min_inputs = 2,
    .max_inputs = 3,
    .attributes = kAttributes,
    .infer = infer,
    .check = check,
    .reference = reference,
    .macs = macs,
};

}  // namespace medulla

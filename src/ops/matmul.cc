// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "src/ops/matrices.h"

namespace medulla {
namespace {

mdl_status infer(const NodeView& node, std::span<const TensorType> inputs,
                 std::span<TensorType> outputs, mdl_error* error) {
  MDL_TRY(check_dtype(node, inputs, 0, MDL_FLOAT32, error));
  MDL_TRY(check_dtype(node, inputs, 1, MDL_FLOAT32, error));
  Matrices p;
  MDL_TRY(read_matrices(node, inputs[0].shape, inputs[1].shape, &p, error));
  return set_output(node, outputs, 0, MDL_FLOAT32, p.output, error);
}

// Each element is one chain of fma from +0, k ascending.
mdl_status reference(const ReferenceCall& call, mdl_error* error) {
  float* y = call.out<float>(0);
  return for_each_dot<float>(call, error, [&](const float* a, const float* b, const Matrices& p) {
    float sum = 0.0f;
    for (int64_t k = 0; k < p.k; ++k) sum = std::fma(a[k], b[k * p.n], sum);
    *y++ = sum;
  });
}

}  // namespace

extern const Op op_MatMul = {
    .name = "MatMul",
    .min_inputs = 2,
    .max_inputs = 2,
    .infer = infer,
    .reference = reference,
    .macs = matrices_macs,
};

}  // namespace medulla

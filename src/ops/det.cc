// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <utility>

#include "src/ops/number.h"
#include "src/ops/rules.h"

namespace medulla {
namespace {

mdl_status infer(const NodeView& node, std::span<const TensorType> inputs,
                 std::span<TensorType> outputs, mdl_error* error) {
  MDL_TRY(check_dtypes(node, inputs, 0, kFloats, error));
  mdl_shape shape = inputs[0].shape;
  if (shape.rank < 2 || shape.dims[shape.rank - 1] != shape.dims[shape.rank - 2]) {
    return fail_node(error, MDL_ERROR_SHAPE, node, "input 0 is ", shape, ", should be [..., N, N]");
  }
  shape.rank -= 2;
  return set_output(node, outputs, 0, inputs[0].dtype, shape, error);
}

// One matrix.
size_t scratch(const NodeView&, std::span<const TensorType> inputs, std::span<const TensorType>) {
  const auto n = static_cast<size_t>(inputs[0].dim(inputs[0].rank() - 1));
  return n * n * sizeof(double);
}

// The product of the pivots, each the first of the greatest magnitude in its column, in binary64.
double determinant(double* a, int64_t n) {
  double product = 1;
  for (int64_t k = 0; k < n; ++k) {
    int64_t pivot = k;
    for (int64_t i = k + 1; i < n; ++i) {
      if (std::fabs(a[i * n + k]) > std::fabs(a[pivot * n + k])) pivot = i;
    }
    for (int64_t j = 0; j < n && pivot != k; ++j) std::swap(a[k * n + j], a[pivot * n + j]);
    product *= pivot != k ? -a[k * n + k] : a[k * n + k];
    if (a[k * n + k] == 0) return product;
    for (int64_t i = k + 1; i < n; ++i) {
      const double factor = a[i * n + k] / a[k * n + k];
      for (int64_t j = k + 1; j < n; ++j)
        a[i * n + j] = std::fma(-factor, a[k * n + j], a[i * n + j]);
    }
  }
  return product;
}

// By elimination in binary64, rounded once.
mdl_status reference(const ReferenceCall& call, mdl_error*) {
  const TensorType& x = call.input_types[0];
  const int64_t n = x.dim(x.rank() - 1);
  const int64_t count = call.output_types[0].elements();
  auto* a = static_cast<double*>(call.scratch);
  for (int64_t y = 0; y < count; ++y) {
    for (int64_t i = 0; i < n * n; ++i) {
      load_number(x.dtype, call.inputs[0], y * n * n + i,
                  [&](auto value) { a[i] = static_cast<double>(value); });
    }
    store_number(x.dtype, call.outputs[0], y, determinant(a, n));
  }
  return MDL_OK;
}

}  // namespace

extern const Op op_Det = {
    .name = "Det",
    .infer = infer,
    .reference = reference,
    .scratch = scratch,
};

}  // namespace medulla

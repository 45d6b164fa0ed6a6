// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <concepts>
#include <type_traits>
#include <utility>

#include "src/ops/matrices.h"
#include "src/ops/number.h"

namespace medulla {
namespace {

mdl_status infer(const NodeView& node, std::span<const TensorType> inputs,
                 std::span<TensorType> outputs, mdl_error* error) {
  MDL_TRY(check_dtypes(node, inputs, 0, kNumbers, error));
  MDL_TRY(check_dtype(node, inputs, 1, inputs[0].dtype, error));
  Matrices p;
  MDL_TRY(read_matrices(node, inputs[0].shape, inputs[1].shape, &p, error));
  return set_output(node, outputs, 0, inputs[0].dtype, p.output, error);
}

// Each element is one chain of fma from +0, k ascending; integers wrap.
template <class Number, class Load>
Number chain(int64_t length, Load load) {
  using Total = std::conditional_t<std::integral<Number>, uint64_t, Number>;
  Total sum = 0;
  for (int64_t k = 0; k < length; ++k) {
    const auto [a, b] = load(k);
    if constexpr (std::integral<Number>) {
      sum += static_cast<Total>(a) * static_cast<Total>(b);
    } else {
      sum = std::fma(a, b, sum);
    }
  }
  return static_cast<Number>(sum);
}

mdl_status reference(const ReferenceCall& call, mdl_error* error) {
  const mdl_dtype dtype = call.output_types[0].dtype;
  int64_t y = 0;
  if (dtype == MDL_FLOAT32) {
    return for_each_dot<float>(call, error, [&](const float* a, const float* b, const Matrices& p) {
      call.out<float>(0)[y++] =
          chain<float>(p.k, [&](int64_t k) { return std::pair(a[k], b[k * p.n]); });
    });
  }
  return with_number(dtype, [&]<class Number>(Number) {
    return for_each_dot_at(call, error, [&](int64_t a, int64_t b, const Matrices& p) {
      const Number sum = chain<Number>(p.k, [&](int64_t k) {
        return std::pair(load_as<Number>(dtype, call.inputs[0], a + k),
                         load_as<Number>(dtype, call.inputs[1], b + k * p.n));
      });
      store_as(dtype, call.outputs[0], y++, sum);
    });
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

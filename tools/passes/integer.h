// SPDX-License-Identifier: Apache-2.0
// The numbers of integer nodes, as docs/numerics.md states them: formed in binary64 from the
// tensors' float scales, rounded once.
#ifndef MEDULLA_TOOLS_PASSES_INTEGER_H_
#define MEDULLA_TOOLS_PASSES_INTEGER_H_

#include "tools/passes/builder.h"

namespace medulla::tools {

// s_x * s_w / s_y; without y the float output's s_x * s_w.
float product_multiplier(float s_x, float s_w, std::optional<float> s_y);
// s_x / (s_y * n): n = 1 for Add and Concat, the elements of the window for average pools.
float ratio_multiplier(float s_x, float s_y, int64_t n);

// The same of an int16 layer, in binary64.
double wide_multiplier(float s_x, float s_w, float s_y);

// rne(x / s) + z, cut to int8 or int16: what QuantizeLinear gives.
int32_t quantize(double x, const Quantization& q, mdl_dtype dtype = MDL_INT8);

// Weights of one output channel each row, and what has to hold of them.
struct Rows {
  std::vector<int64_t> positive_sums, negative_sums;  // P and N of (w - z_w)
};
Rows sums_of_rows(const Tensor& weights, size_t rows);

// What is wrong with the sums of the first channel for which
//   bias + P * hi - N * lo < 2^31 and bias + P * lo - N * hi >= -2^31
// does not hold, over x in int8 with zero point z; "" when there is none. Over x in int16 they are
// within +-2^53.
std::string overflow_of(const Rows& rows, const std::vector<int64_t>& bias, int32_t z,
                        mdl_dtype dtype = MDL_INT8);
// The least and the greatest of these sums, and 0: the layer's attribute.
std::vector<int64_t> sum_range(const Rows& rows, const std::vector<int64_t>& bias, int32_t z,
                               mdl_dtype dtype = MDL_INT8);

}  // namespace medulla::tools

#endif  // MEDULLA_TOOLS_PASSES_INTEGER_H_

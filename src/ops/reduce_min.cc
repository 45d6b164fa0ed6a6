// SPDX-License-Identifier: Apache-2.0
#include <limits>

#include "kernels/elementwise_f32/scalar.h"
#include "src/ops/reduce.h"

namespace medulla {
namespace {

// The least value, NaN if there is one; of +0 and -0 the first; of nothing +inf.
struct Min {
  float value = std::numeric_limits<float>::infinity();
  void add(float v) { value = min_f32(v, value); }
  float result(int64_t) const { return value; }
};

}  // namespace

extern const Op op_ReduceMin = reduce_op<Min>("ReduceMin");

}  // namespace medulla

// SPDX-License-Identifier: Apache-2.0
#include "src/ops/reduce.h"
#include "src/ops/row_sum.h"

namespace medulla {
namespace {

// The sum as RowSum takes it; of nothing 0.
struct Sum {
  RowSum sum;
  void add(float value) { sum.add(value); }
  float result(int64_t) { return sum.total(); }
};

}  // namespace

extern const Op op_ReduceSum = reduce_op<Sum>("ReduceSum");

}  // namespace medulla

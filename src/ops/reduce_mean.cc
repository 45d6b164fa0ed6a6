// SPDX-License-Identifier: Apache-2.0
#include "src/ops/reduce.h"
#include "src/ops/row_sum.h"

namespace medulla {
namespace {

// fl(sum / count), the sum as RowSum takes it.
struct Mean {
  RowSum sum;
  void add(float value) { sum.add(value); }
  float result(int64_t count) { return sum.total() / static_cast<float>(count); }
};

}  // namespace

extern const Op op_ReduceMean = reduce_op<Mean>("ReduceMean");

}  // namespace medulla
